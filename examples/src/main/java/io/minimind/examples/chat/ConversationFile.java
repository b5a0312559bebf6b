package io.minimind.examples.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.files.StrictJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A conversation in a file: one line of JSON, {@code {"messages": [{"role": …, "content": …}, …]}},
 * which fine-tuning reads as well.
 */
final class ConversationFile {
  private static final ObjectMapper JSON = StrictJson.mapper();
  private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");

  private ConversationFile() {}

  /**
   * Writes a conversation, in place of one that is there.
   *
   * @throws IOException if something else is there, or it cannot be written
   */
  static void write(Path file, List<Message> messages) throws IOException {
    if (Files.exists(file)) {
      try {
        read(file);
      } catch (IOException e) {
        throw new InputException(
            file + " is there and is no saved conversation; choose another name.", e);
      }
    }
    ObjectNode root = JSON.createObjectNode();
    ArrayNode all = root.putArray("messages");
    for (Message message : messages) {
      ObjectNode node = all.addObject();
      node.put("role", message.role()).put("content", message.content());
      message.fields().forEach((name, value) -> node.set(name, JSON.valueToTree(value)));
    }
    AtomicFile.replace(file, (root + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IOException if it is missing or something else
   */
  static List<Message> read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new InputException("There is no file " + file + ".");
    }
    JsonNode root = InputFile.json(file, JSON::readTree);
    if (!root.path("messages").isArray()) {
      throw new InputException(
          file + " is no saved conversation: expected an object with a list \"messages\".");
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode node : root.path("messages")) {
      if (!ROLES.contains(node.path("role").asText()) || !node.path("content").isTextual()) {
        throw new InputException(
            "%s: message %d must have a role (system, user, assistant or tool) and a text as its content."
                .formatted(file, messages.size() + 1));
      }
      messages.add(message((ObjectNode) node));
    }
    return messages;
  }

  private static Message message(ObjectNode node) {
    Map<String, Object> fields = new LinkedHashMap<>();
    node.properties()
        .forEach(
            field -> fields.put(field.getKey(), JSON.convertValue(field.getValue(), Object.class)));
    fields.keySet().removeAll(Set.of("role", "content"));
    return new Message(node.get("role").textValue(), node.get("content").textValue(), fields);
  }
}
