package io.minimind.data;

import com.fasterxml.jackson.annotation.JsonValue;
import io.minimind.artifact.ModelFolder;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.files.ArgumentException;
import io.minimind.files.Sha256;
import io.minimind.template.MarkedText;
import io.minimind.template.MarkedText.Span;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Encodes conversations for supervised fine-tuning: the chat template over all messages, cut to a
 * maximum length, with the loss on what the assistant writes.
 *
 * <p>The ids are those of the whole text. Where an answer begins in them is found by encoding the
 * text before it: up to there the ids are the same, and a token that reaches over the border
 * belongs to the answer.
 */
public final class ChatEncoder implements SampleEncoder {

  /** Which answers count in the loss. */
  public enum Loss {
    /**
     * All after the last marker {@code <s>assistant} that is left when the conversation has been
     * cut; and if none is left, as in the original, nearly all. With a chat template that has no
     * such marker, the last answer that begins before the cut. Messages before the last question
     * are first cut to half as many characters as the maximum length has tokens.
     */
    LAST_ANSWER("last-answer"),

    /**
     * Every answer with its end, as far as it is left when the conversation has been cut; empty
     * ones are no answers. This is the better choice for conversations of several turns: one pass
     * over the text learns from all of its answers instead of one, for the same price; answers that
     * open a conversation are learnt as well as those that end it; and a conversation that is cut
     * still teaches its first answers and never a question. With a single turn both are the same.
     */
    ALL_TURNS("all-turns");

    private final String label;

    Loss(String label) {
      this.label = label;
    }

    @Override
    @JsonValue
    public String toString() {
      return label;
    }
  }

  /** Stands before each answer in MiniMind's template. */
  static final String MARKER = "<s>assistant";

  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final String fingerprint;
  private final int maxLength;
  private final Loss loss;
  private final Variation variation;
  private final int[] marker;
  private final AnswerFrame frame;

  private ChatEncoder(
      Tokenizer tokenizer,
      ChatTemplate template,
      String fingerprint,
      int maxLength,
      Loss loss,
      Variation variation) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.fingerprint = fingerprint;
    this.maxLength = maxLength;
    this.loss = loss;
    this.variation = variation;
    this.marker = tokenizer.encode(MARKER);
    this.frame = AnswerFrame.of(template);
  }

  /**
   * Creates an encoder.
   *
   * @param fingerprint tells tokenizers and templates apart, such as the digest of their files
   * @param maxLength most tokens of a sample, at least 2; a longer conversation loses its end
   * @throws IllegalArgumentException if the length is less than 2
   */
  public static ChatEncoder of(
      Tokenizer tokenizer, ChatTemplate template, String fingerprint, int maxLength, Loss loss) {
    if (maxLength < 2) {
      throw new ArgumentException(
          "The maximum length is " + maxLength + ": it must be at least 2 tokens.");
    }
    return new ChatEncoder(tokenizer, template, fingerprint, maxLength, loss, Variation.NONE);
  }

  /**
   * Creates an encoder with the tokenizer and the chat template of a folder, which are told apart
   * by their contents.
   *
   * @throws IOException if the tokenizer or the template is missing or broken
   * @throws IllegalArgumentException as for {@link #of}
   */
  public static ChatEncoder load(Path folder, int maxLength, Loss loss) throws IOException {
    return of(
        Tokenizer.load(folder), ChatTemplate.load(folder), fingerprint(folder), maxLength, loss);
  }

  /** The same with conversations that vary. */
  public ChatEncoder with(Variation variation) {
    return new ChatEncoder(tokenizer, template, fingerprint, maxLength, loss, variation);
  }

  /** Tells the tokenizer and the chat template of a folder apart from others. */
  public static String fingerprint(Path folder) throws IOException {
    StringBuilder fingerprint = new StringBuilder(Sha256.of(Tokenizer.file(folder)));
    for (String file : List.of(ModelFolder.TOKENIZER_CONFIG, ModelFolder.CHAT_TEMPLATE)) {
      Path part = folder.resolve(file);
      fingerprint.append('+').append(Files.exists(part) ? Sha256.of(part) : "none");
    }
    return fingerprint.toString();
  }

  @Override
  public List<List<String>> columns() {
    return Conversation.COLUMNS;
  }

  @Override
  public int vocabularySize() {
    return tokenizer.vocabularySize();
  }

  @Override
  public String description() {
    // Corpora that were encoded by earlier versions stay as they are.
    String answers = template.source().contains(MARKER) ? "" : " answers=3";
    String varied = variation.equals(Variation.NONE) ? "" : " " + variation;
    return "chat max_length=%s loss=%s tokenizer=%s"
        .formatted(maxLength, loss, fingerprint + answers + varied);
  }

  @Override
  public List<Sample> encode(Row row) {
    return List.of(encode(Conversation.of(row), row.number()));
  }

  /**
   * Encodes a conversation.
   *
   * @param number from which what varies follows
   * @throws IllegalArgumentException if it has nothing to learn, or its tools no place
   */
  public Sample encode(Conversation given, long number) {
    Variation.Draw draw = variation.of(number);
    Conversation conversation = draw.with(given);
    Sample sample =
        loss == Loss.ALL_TURNS
            // An empty answer would teach to say nothing.
            ? encode(conversation, draw.dropsEmptyThinking(), Conversation::says).sample()
            : lastAnswer(conversation, draw.dropsEmptyThinking());
    if (sample.targets().isEmpty()) {
      throw new ArgumentException(
          "none of its answers begins within the first %d tokens.".formatted(maxLength));
    }
    return sample;
  }

  /**
   * A conversation as the model reads it.
   *
   * @param text before it was cut
   * @param sample its tokens, of which those count that the assistant writes
   */
  public record Encoded(String text, Sample sample) {}

  /**
   * Encodes a conversation, in which all messages of the assistant count, empty ones too.
   *
   * @param dropEmptyThinking whether it loses the empty thoughts that its template writes
   */
  public Encoded encode(Conversation conversation, boolean dropEmptyThinking) {
    return encode(conversation, dropEmptyThinking, message -> true);
  }

  private Encoded encode(
      Conversation conversation, boolean dropEmptyThinking, Predicate<Message> counts) {
    Answers answers = answers(conversation, dropEmptyThinking);
    int[] ids = cut(answers.text());
    Borders borders = new Borders(answers.text(), ids);
    BitSet targets = new BitSet(ids.length);
    for (Iterator<Span> all = answers.of(counts).iterator(); all.hasNext(); ) {
      Span answer = all.next();
      int start = borders.tokens(answer.start());
      if (start == ids.length) {
        break;
      }
      targets.or(from(start, borders.tokens(answer.end())));
    }
    return new Encoded(answers.text(), new Sample(ids, targets));
  }

  private Answers answers(Conversation conversation, boolean dropEmptyThinking) {
    List<Message> messages = conversation.messages();
    TemplateOptions options = TemplateOptions.defaults().withTools(conversation.tools());
    MarkedText text = template.renderMarked(messages, options);
    if (!options.tools().isEmpty()
        && text.text().equals(template.render(messages, TemplateOptions.defaults()))) {
      throw new ArgumentException("it describes tools, for which the chat template has no place.");
    }
    Answers answers = new Answers(template, messages, options, frame, text);
    return dropEmptyThinking && text.text().contains(Answers.EMPTY_THINKING)
        ? new Answers(template, messages, options, frame, answers.withoutEmptyThinking())
        : answers;
  }

  private int[] cut(String text) {
    int[] ids = tokenizer.encode(text);
    return ids.length > maxLength ? Arrays.copyOf(ids, maxLength) : ids;
  }

  private Sample lastAnswer(Conversation conversation, boolean dropEmptyThinking) {
    Conversation shortened =
        new Conversation(withShortHistory(conversation.messages()), conversation.tools());
    Answers answers = answers(shortened, dropEmptyThinking);
    int[] ids = cut(answers.text());
    BitSet targets =
        answers.text().contains(MARKER) ? afterLastMarker(ids) : lastAnswer(answers, ids);
    return new Sample(ids, targets);
  }

  private List<Message> withShortHistory(List<Message> messages) {
    int question = messages.size() - 1;
    while (question > 0 && !messages.get(question).role().equals("user")) {
      question--;
    }
    List<Message> shortened = new ArrayList<>(messages);
    for (int i = 0; i < question; i++) {
      Message message = messages.get(i);
      if (!message.role().equals("system")) {
        String start = start(message.content(), maxLength / 2);
        shortened.set(i, new Message(message.role(), start, message.fields()));
      }
    }
    return shortened;
  }

  /** The first characters of a text, those beyond the 16-bit range counted as one. */
  private static String start(String text, int characters) {
    return text.codePointCount(0, text.length()) <= characters
        ? text
        : text.substring(0, text.offsetByCodePoints(0, characters));
  }

  /** As the original computes it, its arithmetic for a marker that is not found included. */
  private BitSet afterLastMarker(int[] ids) {
    int last = ids.length - marker.length;
    while (last >= 0 && !Arrays.equals(ids, last, last + marker.length, marker, 0, marker.length)) {
      last--;
    }
    return from(Math.max(last, -1) + marker.length, ids.length);
  }

  /** For templates without the marker. */
  private BitSet lastAnswer(Answers answers, int[] ids) {
    Borders borders = new Borders(answers.text(), ids);
    int last = ids.length;
    int end = 0;
    for (Iterator<Span> all = answers.of(message -> true).iterator(); all.hasNext(); ) {
      Span answer = all.next();
      int start = borders.tokens(answer.start());
      if (start == ids.length) {
        break;
      }
      last = start;
      end = answers.endOfTurn(answer);
    }
    return from(last, borders.tokens(end));
  }

  /** Nothing comes before the first token, so nothing can learn to predict it. */
  private static BitSet from(int start, int end) {
    BitSet targets = new BitSet(end);
    targets.set(Math.max(1, start), Math.max(Math.max(1, start), end));
    return targets;
  }

  /** Finds positions of a text in its ids; quickly if they rise. */
  private final class Borders {
    private final String text;
    private final int[] ids;

    /** A position that lies between two ids, and how many are before it. */
    private int position;

    private int count;

    Borders(String text, int[] ids) {
      this.text = text;
      this.ids = ids;
    }

    /** How many of the ids stand for the text before a position and nothing else. */
    int tokens(int next) {
      if (next < position) {
        position = 0;
        count = 0;
      }
      // Where the text since the last border gives the very ids that follow it, this is one too.
      int[] since = tokenizer.encode(text.substring(position, next));
      int end = Math.min(ids.length, count + since.length);
      if (!Arrays.equals(since, 0, end - count, ids, count, end)) {
        int common = Arrays.mismatch(tokenizer.encode(text.substring(0, next)), ids);
        return common < 0 ? ids.length : common;
      }
      position = next;
      count = end;
      return end;
    }
  }
}
