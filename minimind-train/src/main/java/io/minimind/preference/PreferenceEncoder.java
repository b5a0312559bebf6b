package io.minimind.preference;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.ChatEncoder;
import io.minimind.data.Conversation;
import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import io.minimind.files.ArgumentException;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Encodes a prompt with a chosen and a rejected answer as a pair of samples: the prompt as the chat
 * template puts it, then the answer, whose tokens are the targets.
 *
 * <p>Each of the three is a text, or a JSON list of messages with {@code role} and {@code content}
 * or {@code from} and {@code value}. A text that looks like such a list is a text, and in CSV all
 * are texts. If both answers are conversations that begin with the prompt, it is taken off them;
 * without a prompt column, it is what they have in common at the beginning.
 *
 * <p>A pair takes at most a maximum length. The prompt loses its beginning where it would leave the
 * longer answer neither its whole length nor half of the maximum; then answers lose their ends.
 */
final class PreferenceEncoder implements SampleEncoder {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final String description;
  private final int maxLength;

  private PreferenceEncoder(
      Tokenizer tokenizer, ChatTemplate template, String description, int maxLength) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.description = description;
    this.maxLength = maxLength;
  }

  /**
   * Creates an encoder.
   *
   * @param fingerprint tells tokenizers and templates apart
   * @param maxLength most tokens of prompt and answer, at least 4
   * @throws IllegalArgumentException if the length is less than 4
   */
  public static PreferenceEncoder of(
      Tokenizer tokenizer, ChatTemplate template, String fingerprint, int maxLength) {
    if (maxLength < 4) {
      throw new ArgumentException(
          "The maximum length is " + maxLength + ": it must be at least 4 tokens.");
    }
    String description = "preference max_length=" + maxLength + " tokenizer=" + fingerprint;
    return new PreferenceEncoder(tokenizer, template, description, maxLength);
  }

  /**
   * Creates an encoder with the tokenizer and the chat template of a folder, which are told apart
   * by their contents.
   *
   * @throws IOException if the tokenizer or the template is missing or broken
   * @throws IllegalArgumentException as for {@link #of}
   */
  public static PreferenceEncoder load(Path folder, int maxLength) throws IOException {
    return of(
        Tokenizer.load(folder),
        ChatTemplate.load(folder),
        ChatEncoder.fingerprint(folder),
        maxLength);
  }

  @Override
  public List<List<String>> columns() {
    return List.of(List.of("prompt", "chosen", "rejected"), List.of("chosen", "rejected"));
  }

  @Override
  public int groupSize() {
    return 2;
  }

  @Override
  public int vocabularySize() {
    return tokenizer.vocabularySize();
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public List<Sample> encode(Row row) {
    int last = row.cells().size() - 1;
    List<Message> chosen = messages("chosen", row, last - 1, "assistant");
    List<Message> rejected = messages("rejected", row, last, "assistant");
    List<Message> prompt;
    if (last == 2) {
      prompt = messages("prompt", row, 0, "user");
      chosen = without(prompt, chosen);
      rejected = without(prompt, rejected);
    } else {
      prompt = chosen.subList(0, commonPrefix(chosen, rejected));
      chosen = chosen.subList(prompt.size(), chosen.size());
      rejected = rejected.subList(prompt.size(), rejected.size());
      require(
          !isBlank(prompt),
          "it has no prompt, and its answers do not begin with the same message.");
    }
    requireAnswer("chosen", chosen);
    requireAnswer("rejected", rejected);
    String context = template.render(prompt, generation());
    int[] start = tokenizer.encode(context);
    require(start.length > 0, "the chat template makes nothing of its prompt.");
    int[] better = tokenizer.encode(answer("chosen", prompt, chosen, context));
    int[] worse = tokenizer.encode(answer("rejected", prompt, rejected, context));
    int room = maxLength - Math.max(better.length, worse.length);
    int kept = Math.min(start.length, Math.max(room, maxLength / 2));
    int[] cut = Arrays.copyOfRange(start, start.length - kept, start.length);
    Sample first = sample(cut, better);
    Sample second = sample(cut, worse);
    require(
        !Arrays.equals(first.ids(), second.ids()),
        "its answers are the same%s."
            .formatted(Arrays.equals(better, worse) ? "" : " within " + maxLength + " tokens"));
    return List.of(first, second);
  }

  private static TemplateOptions generation() {
    return TemplateOptions.defaults().withAddGenerationPrompt(true);
  }

  private Sample sample(int[] prompt, int[] answer) {
    int length = Math.min(maxLength, prompt.length + answer.length);
    int[] ids = Arrays.copyOf(prompt, length);
    System.arraycopy(answer, 0, ids, prompt.length, length - prompt.length);
    BitSet targets = new BitSet(length);
    targets.set(prompt.length, length);
    return new Sample(ids, targets);
  }

  /** What the template puts after the prompt for an answer. */
  private String answer(String column, List<Message> prompt, List<Message> answer, String context) {
    List<Message> conversation = new ArrayList<>(prompt);
    conversation.addAll(answer);
    String text = template.render(conversation);
    require(
        text.startsWith(context) && text.length() > context.length(),
        "the chat template does not put its " + column + " answer after the prompt.");
    return text.substring(context.length());
  }

  private static List<Message> without(List<Message> prompt, List<Message> conversation) {
    return commonPrefix(prompt, conversation) == prompt.size()
        ? conversation.subList(prompt.size(), conversation.size())
        : conversation;
  }

  private static int commonPrefix(List<Message> a, List<Message> b) {
    int common = 0;
    while (common < Math.min(a.size(), b.size()) && a.get(common).equals(b.get(common))) {
      common++;
    }
    return common;
  }

  /** A text is a message of one role; a list of messages is its own. */
  private static List<Message> messages(String column, Row row, int cell, String role) {
    String text = row.cells().get(cell);
    List<Message> messages = new ArrayList<>();
    if (row.json().contains(cell)) {
      JsonNode list = parsed(text);
      require(list.isArray(), "its %s is neither a text nor a list of messages.".formatted(column));
      for (JsonNode message : list) {
        String name = "its %s message %d".formatted(column, messages.size() + 1);
        messages.add(Conversation.message(message, name));
      }
    } else {
      messages.add(Message.of(role, text));
    }
    require(!isBlank(messages), "its %s is empty.".formatted(column));
    return messages;
  }

  private static JsonNode parsed(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new AssertionError("A cell that the reader gives as JSON is JSON.", e);
    }
  }

  private static boolean isBlank(List<Message> messages) {
    return messages.stream().allMatch(message -> message.content().isBlank());
  }

  private static void requireAnswer(String column, List<Message> answer) {
    require(!answer.isEmpty(), "its %s answer is nothing but the prompt.".formatted(column));
    Message last = answer.get(answer.size() - 1);
    require(
        last.role().equals("assistant") && !last.content().isBlank(),
        "its %s does not end with an answer of the assistant.".formatted(column));
  }

  private static void require(boolean condition, String sentence) {
    if (!condition) {
      throw new ArgumentException(sentence);
    }
  }
}
