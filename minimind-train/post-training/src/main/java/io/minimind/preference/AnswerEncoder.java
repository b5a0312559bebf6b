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
import io.minimind.files.ArgumentException;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Encodes answers to a prompt: the prompt as the chat template puts it, then what the template
 * makes of an answer behind it, whose tokens are the targets.
 *
 * @param fingerprint tells tokenizers and templates apart
 * @param maxLength most tokens of prompt and answer, at least 4
 */
record AnswerEncoder(
    Tokenizer tokenizer, ChatTemplate template, String fingerprint, int maxLength) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * @throws IllegalArgumentException if the length is less than 4
   */
  AnswerEncoder {
    if (maxLength < 4) {
      throw new ArgumentException(
          "The maximum length is " + maxLength + ": it must be at least 4 tokens.");
    }
  }

  /**
   * Creates an encoder with the tokenizer and the chat template of a folder, which are told apart
   * by their contents.
   *
   * @throws IOException if the tokenizer or the template is missing or broken
   * @throws IllegalArgumentException if the length is less than 4
   */
  static AnswerEncoder load(Path folder, int maxLength) throws IOException {
    return new AnswerEncoder(
        Tokenizer.load(folder),
        ChatTemplate.load(folder),
        ChatEncoder.fingerprint(folder),
        maxLength);
  }

  /** What decides what comes out, besides the kind of rows. */
  String description() {
    return "max_length=" + maxLength + " tokenizer=" + fingerprint;
  }

  /** An answer: what it is called, and its messages. */
  record Answer(String name, List<Message> messages) {}

  /**
   * Encodes several answers to one prompt. The prompt loses its beginning where it would leave the
   * longest answer neither its whole length nor half of the maximum; then answers lose their ends.
   *
   * @return a sample for each answer, all with the same tokens of the prompt
   * @throws IllegalArgumentException if the template has no place for one; the message says about
   *     the row what is wrong
   */
  List<Sample> encode(List<Message> prompt, List<Answer> answers) {
    String context = template.render(prompt, generation());
    int[] start = tokenizer.encode(context);
    require(start.length > 0, "the chat template makes nothing of its prompt.");
    List<int[]> texts = new ArrayList<>();
    for (Answer answer : answers) {
      texts.add(tokenizer.encode(behind(context, prompt, answer)));
    }
    int room = maxLength - texts.stream().mapToInt(text -> text.length).max().orElseThrow();
    int kept = Math.min(start.length, Math.max(room, maxLength / 2));
    int[] cut = Arrays.copyOfRange(start, start.length - kept, start.length);
    return texts.stream().map(text -> sample(cut, text)).toList();
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
  private String behind(String context, List<Message> prompt, Answer answer) {
    List<Message> conversation = new ArrayList<>(prompt);
    conversation.addAll(answer.messages());
    String text = template.render(conversation);
    require(
        text.startsWith(context) && text.length() > context.length(),
        "the chat template does not put its " + answer.name() + " after the prompt.");
    return text.substring(context.length());
  }

  /**
   * The messages of a cell: a text is a message of one role; a list of messages is its own.
   *
   * @throws IllegalArgumentException if it holds something else, or nothing
   */
  static List<Message> messages(String column, Row row, int cell, String role) {
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

  static boolean isBlank(List<Message> messages) {
    return messages.stream().allMatch(message -> message.content().isBlank());
  }

  /** A conversation without the prompt with which it may begin. */
  static List<Message> without(List<Message> prompt, List<Message> conversation) {
    return commonPrefix(prompt, conversation) == prompt.size()
        ? conversation.subList(prompt.size(), conversation.size())
        : conversation;
  }

  static int commonPrefix(List<Message> a, List<Message> b) {
    int common = 0;
    while (common < Math.min(a.size(), b.size()) && a.get(common).equals(b.get(common))) {
      common++;
    }
    return common;
  }

  static void requireAnswer(String name, List<Message> answer) {
    require(!answer.isEmpty(), "its %s is nothing but the prompt.".formatted(name));
    Message last = answer.get(answer.size() - 1);
    require(
        last.role().equals("assistant") && !last.content().isBlank(),
        "its %s does not end with an answer of the assistant."
            .formatted(name.replaceFirst(" answer$", "")));
  }

  static void require(boolean condition, String sentence) {
    if (!condition) {
      throw new ArgumentException(sentence);
    }
  }
}
