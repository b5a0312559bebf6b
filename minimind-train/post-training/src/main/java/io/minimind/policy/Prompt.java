package io.minimind.policy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model is to answer.
 *
 * @param messages the conversation so far
 * @param tools descriptions of those that it may call, as templates read them
 * @param expected what the row says of the right answer; null in JSON if nothing
 */
record Prompt(List<Message> messages, List<Map<String, Object>> tools, JsonNode expected) {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ROLE = "role";
  private static final String CONTENT = "content";

  Prompt {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
  }

  byte[] toBytes() throws IOException {
    ObjectNode object = JSON.createObjectNode();
    ArrayNode list = object.putArray("messages");
    for (Message message : messages) {
      ObjectNode one = list.addObject().put(ROLE, message.role()).put(CONTENT, message.content());
      one.setAll(JSON.<ObjectNode>valueToTree(message.fields()));
    }
    object.set("tools", JSON.valueToTree(tools));
    object.set("expected", expected);
    return JSON.writeValueAsBytes(object);
  }

  static Prompt fromBytes(byte[] bytes) throws IOException {
    JsonNode object = JSON.readTree(bytes);
    List<Message> messages = new ArrayList<>();
    object.get("messages").forEach(message -> messages.add(message((ObjectNode) message)));
    return new Prompt(messages, maps(object.get("tools")), object.get("expected"));
  }

  /** A message of {@code role}, {@code content} and whatever templates read besides. */
  static Message message(ObjectNode object) {
    Map<String, Object> fields = map(object.deepCopy().without(List.of(ROLE, CONTENT)));
    return new Message(object.path(ROLE).asText(), object.path(CONTENT).asText(), fields);
  }

  static List<Map<String, Object>> maps(JsonNode list) {
    List<Map<String, Object>> maps = new ArrayList<>();
    list.forEach(object -> maps.add(map(object)));
    return maps;
  }

  private static Map<String, Object> map(JsonNode object) {
    return JSON.convertValue(object, new TypeReference<LinkedHashMap<String, Object>>() {});
  }
}
