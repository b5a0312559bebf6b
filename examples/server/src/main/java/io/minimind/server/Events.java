package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Server-sent events, and lines of JSON. */
final class Events {
  static final String TYPE = "text/event-stream";
  static final String LINES = "application/x-ndjson";

  private Events() {}

  static byte[] data(JsonNode node) {
    return around("data: ", node, "\n\n");
  }

  static byte[] event(String name, JsonNode node) {
    return around("event: " + name + "\ndata: ", node, "\n\n");
  }

  static byte[] line(JsonNode node) {
    return around("", node, "\n");
  }

  private static byte[] around(String before, JsonNode node, String after) {
    byte[] json = Json.write(node);
    ByteArrayOutputStream bytes =
        new ByteArrayOutputStream(before.length() + json.length + after.length());
    bytes.writeBytes(before.getBytes(StandardCharsets.US_ASCII));
    bytes.writeBytes(json);
    bytes.writeBytes(after.getBytes(StandardCharsets.US_ASCII));
    return bytes.toByteArray();
  }
}
