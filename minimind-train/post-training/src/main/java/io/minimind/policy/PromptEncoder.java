package io.minimind.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.ChatEncoder;
import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import io.minimind.files.ArgumentException;
import io.minimind.template.TemplateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * Keeps rows as prompts: a question, or a conversation of which the last answer is left out, and
 * what the row says of the right answer. A reward is to see all of this as it stands in the row,
 * and how a prompt is rendered is decided when it is answered, so a sample is no token ids but the
 * bytes of the prompt's JSON.
 */
final class PromptEncoder implements SampleEncoder {

  /** The columns of what is asked, and of what is expected. */
  private static final List<String> ASKED =
      List.of("conversations", "messages", "prompt", "question");

  private static final List<String> EXPECTED = List.of("gt", "answer");
  private static final int BYTES = 256;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ChatTemplate template;
  private final String fingerprint;

  private PromptEncoder(ChatTemplate template, String fingerprint) {
    this.template = template;
    this.fingerprint = fingerprint;
  }

  /**
   * @param tokenizer the folder of the tokenizer and the chat template
   * @throws IOException if one of them is missing or broken
   */
  static PromptEncoder load(Path tokenizer) throws IOException {
    return new PromptEncoder(ChatTemplate.load(tokenizer), ChatEncoder.fingerprint(tokenizer));
  }

  @Override
  public List<List<String>> columns() {
    List<List<String>> sets = new ArrayList<>();
    for (String asked : ASKED) {
      EXPECTED.forEach(expected -> sets.add(List.of(asked, expected)));
    }
    ASKED.forEach(asked -> sets.add(List.of(asked)));
    return sets;
  }

  @Override
  public int vocabularySize() {
    return BYTES;
  }

  @Override
  public String description() {
    return "prompts template=" + fingerprint;
  }

  @Override
  public List<Sample> encode(Row row) {
    List<Message> messages = messages(json(row, 0));
    while (!messages.isEmpty() && messages.get(messages.size() - 1).role().equals("assistant")) {
      messages.remove(messages.size() - 1);
    }
    require(!messages.isEmpty(), "it asks nothing.");
    Prompt prompt =
        new Prompt(
            messages,
            tools(messages),
            row.cells().size() == 1 ? NullNode.getInstance() : json(row, 1));
    try {
      TemplateOptions options =
          TemplateOptions.defaults().withAddGenerationPrompt(true).withTools(prompt.tools());
      require(
          !template.render(prompt.messages(), options).isEmpty(),
          "the chat template makes nothing of its prompt.");
      return List.of(sample(prompt.toBytes()));
    } catch (TemplateException e) {
      throw new ArgumentException("the chat template refuses it: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Sample sample(byte[] bytes) {
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Byte.toUnsignedInt(bytes[i]);
    }
    BitSet targets = new BitSet(ids.length);
    targets.set(ids.length - 1); // A sample without targets has nothing to teach.
    return new Sample(ids, targets);
  }

  /** The prompt that a sample holds. */
  static Prompt prompt(int[] ids, int count) throws IOException {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) ids[i];
    }
    return Prompt.fromBytes(bytes);
  }

  /** What a cell holds: JSON, a list in a text, or a text. */
  private static JsonNode json(Row row, int cell) {
    String text = row.cells().get(cell);
    if (!row.json().contains(cell) && !text.stripLeading().startsWith("[")) {
      return TextNode.valueOf(text);
    }
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return TextNode.valueOf(text);
    }
  }

  private static List<Message> messages(JsonNode asked) {
    List<Message> messages = new ArrayList<>();
    if (!asked.isArray()) {
      require(asked.isValueNode() && !asked.asText().isBlank(), "it asks nothing.");
      messages.add(Message.user(asked.asText()));
      return messages;
    }
    for (JsonNode message : asked) {
      String name = "its message " + (messages.size() + 1);
      require(message instanceof ObjectNode, name + " is no object.");
      require(message.path("role").isTextual(), name + " has no role.");
      messages.add(Prompt.message((ObjectNode) message));
    }
    return messages;
  }

  /** The tools that the system message describes, as JSON or as text that holds JSON. */
  private static List<Map<String, Object>> tools(List<Message> messages) {
    Object tools = messages.get(0).fields().get("tools");
    if (tools == null || "".equals(tools)) {
      return List.of();
    }
    try {
      JsonNode list = tools instanceof String text ? JSON.readTree(text) : JSON.valueToTree(tools);
      require(list.isArray(), "its tools are no list.");
      for (JsonNode tool : list) {
        require(tool.isObject(), "its tools are no list of objects.");
      }
      return Prompt.maps(list);
    } catch (JsonProcessingException e) {
      throw new ArgumentException("its tools are no JSON.", e);
    }
  }

  private static void require(boolean condition, String sentence) {
    if (!condition) {
      throw new ArgumentException(sentence);
    }
  }
}
