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
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
     * cut; and if none is left, as in the original, nearly all. Messages before the last question
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
  private static final String MARKER = "<s>assistant";

  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final String fingerprint;
  private final int maxLength;
  private final Loss loss;
  private final int[] marker;

  private ChatEncoder(
      Tokenizer tokenizer, ChatTemplate template, String fingerprint, int maxLength, Loss loss) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.fingerprint = fingerprint;
    this.maxLength = maxLength;
    this.loss = loss;
    this.marker = tokenizer.encode(MARKER);
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
    return new ChatEncoder(tokenizer, template, fingerprint, maxLength, loss);
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
    return "chat max_length=%d loss=%s tokenizer=%s".formatted(maxLength, loss, fingerprint);
  }

  @Override
  public List<Sample> encode(Row row) {
    List<Message> messages = Conversation.of(row);
    if (loss == Loss.LAST_ANSWER) {
      messages = withShortHistory(messages);
    }
    TemplateOptions options = TemplateOptions.defaults().withTools(Conversation.tools(row));
    MarkedText text = template.renderMarked(messages, options);
    if (!options.tools().isEmpty()
        && text.text().equals(template.render(messages, TemplateOptions.defaults()))) {
      throw new IllegalArgumentException(
          "it describes tools, for which the chat template has no place.");
    }
    int[] ids = tokenizer.encode(text.text());
    if (ids.length > maxLength) {
      ids = Arrays.copyOf(ids, maxLength);
    }
    BitSet targets =
        loss == Loss.ALL_TURNS
            ? allAnswers(messages, options, text, ids)
            : text.text().contains(MARKER)
                ? afterLastMarker(ids)
                : lastAnswer(messages, options, text, ids);
    if (targets.isEmpty()) {
      throw new ArgumentException(
          "none of its answers begins within the first %d tokens.".formatted(maxLength));
    }
    return List.of(new Sample(ids, targets));
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
        shortened.set(i, Message.of(message.role(), start(message.content(), maxLength / 2)));
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
  private BitSet lastAnswer(
      List<Message> messages, TemplateOptions options, MarkedText text, int[] ids) {
    Borders borders = new Borders(text.text(), ids);
    int last = ids.length;
    for (Iterator<Span> all = answers(messages, options, text, m -> true).iterator();
        all.hasNext(); ) {
      int start = borders.tokens(all.next().start());
      if (start == ids.length) {
        break;
      }
      last = start;
    }
    return from(last, ids.length);
  }

  private BitSet allAnswers(
      List<Message> messages, TemplateOptions options, MarkedText text, int[] ids) {
    Borders borders = new Borders(text.text(), ids);
    BitSet targets = new BitSet(ids.length);
    // An empty answer would teach to say nothing.
    Predicate<Message> answered = message -> !message.content().isBlank();
    for (Iterator<Span> all = answers(messages, options, text, answered).iterator();
        all.hasNext(); ) {
      Span answer = all.next();
      int start = borders.tokens(answer.start());
      if (start == ids.length) {
        break;
      }
      targets.or(from(start, borders.tokens(answer.end())));
    }
    return targets;
  }

  /** Nothing comes before the first token, so nothing can learn to predict it. */
  private static BitSet from(int start, int end) {
    BitSet targets = new BitSet(end);
    targets.set(Math.max(1, start), Math.max(Math.max(1, start), end));
    return targets;
  }

  /**
   * Where the assistant writes some of its messages: what the template marks, or else adds for each
   * of them. In the order of the text, and found one by one, since what comes after a cut is of no
   * use.
   */
  private Stream<Span> answers(
      List<Message> messages, TemplateOptions options, MarkedText text, Predicate<Message> wanted) {
    int[] written =
        IntStream.range(0, messages.size())
            .filter(i -> messages.get(i).role().equals("assistant"))
            .toArray();
    List<Span> spans = text.spans();
    if (spans.isEmpty()) {
      return Arrays.stream(written)
          .filter(i -> wanted.test(messages.get(i)))
          .mapToObj(i -> answer(messages, options, i, text.text()))
          .filter(span -> span.start() < span.end());
    }
    // A template may mark more or fewer than it has messages; then no one knows which is whose.
    return spans.size() != written.length
        ? spans.stream()
        : IntStream.range(0, written.length)
            .filter(i -> wanted.test(messages.get(written[i])))
            .mapToObj(spans::get);
  }

  private Span answer(List<Message> messages, TemplateOptions options, int i, String text) {
    String before =
        i == 0
            ? ""
            : template.render(messages.subList(0, i), options.withAddGenerationPrompt(true));
    String after = template.render(messages.subList(0, i + 1), options);
    int start = commonPrefix(text, before);
    // In the original the line break after the marker counts; with one answer all is the same.
    if (text.startsWith(MARKER + "\n", start - MARKER.length() - 1)) {
      start--;
    }
    return new Span(start, commonPrefix(text, after));
  }

  private static int commonPrefix(String one, String other) {
    int common = Arrays.mismatch(one.toCharArray(), other.toCharArray());
    return common < 0 ? one.length() : common;
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
