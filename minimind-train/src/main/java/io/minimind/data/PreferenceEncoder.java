package io.minimind.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
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
 * <p>Each of the three is a text, or a list of messages with {@code role} and {@code content}. If
 * both answers are conversations that begin with the prompt, it is taken off them; without a prompt
 * column, it is what they have in common at the beginning.
 *
 * <p>A pair takes at most a maximum length. The prompt loses its beginning where it would leave the
 * longer answer neither its whole length nor half of the maximum; then answers lose their ends.
 */
public final class PreferenceEncoder implements SampleEncoder {

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
      throw new IllegalArgumentException(
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
  public int samplesPerRow() {
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
  public Sample encode(Row row) {
    int last = row.cells().size() - 1;
    List<Message> chosen = messages("chosen", row.cells().get(last - 1), "assistant");
    List<Message> rejected = messages("rejected", row.cells().get(last), "assistant");
    List<Message> prompt;
    if (last == 2) {
      prompt = messages("prompt", row.cells().get(0), "user");
      chosen = without(prompt, chosen);
      rejected = without(prompt, rejected);
    } else {
      prompt = chosen.subList(0, commonPrefix(chosen, rejected));
      chosen = chosen.subList(prompt.size(), chosen.size());
      rejected = rejected.subList(prompt.size(), rejected.size());
      require(
          !prompt.isEmpty(),
          "it has no prompt, and its answers do not begin with the same message.");
    }
    require(!chosen.isEmpty(), "its chosen answer is nothing but the prompt.");
    require(!rejected.isEmpty(), "its rejected answer is nothing but the prompt.");
    String context = template.render(prompt, generation());
    int[] start = tokenizer.encode(context);
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
    return first.withRejected(second);
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

  /** A text is a message of one role; a list of messages arrives as its JSON. */
  private static List<Message> messages(String column, String cell, String role) {
    List<Message> messages = new ArrayList<>();
    JsonNode list = list(cell);
    for (JsonNode message : list) {
      require(
          message.path("role").isTextual() && message.path("content").isTextual(),
          "its %s has a message without a text as role and as content.".formatted(column));
      messages.add(Message.of(message.get("role").textValue(), message.get("content").textValue()));
    }
    if (list.isMissingNode()) {
      messages.add(Message.of(role, cell));
    }
    require(
        messages.stream().anyMatch(message -> !message.content().isBlank()),
        "its %s is empty.".formatted(column));
    return messages;
  }

  /** The list of objects that a cell holds as JSON, or a missing node. */
  private static JsonNode list(String cell) {
    JsonNode missing = JSON.missingNode();
    if (!cell.startsWith("[")) {
      return missing;
    }
    try {
      JsonNode list = JSON.readTree(cell);
      boolean objects = list.isArray() && !list.isEmpty();
      for (JsonNode element : list) {
        objects &= element.isObject();
      }
      return objects || cell.equals("[]") ? list : missing;
    } catch (JsonProcessingException e) {
      return missing;
    }
  }

  private static void require(boolean condition, String sentence) {
    if (!condition) {
      throw new IllegalArgumentException(sentence);
    }
  }
}
