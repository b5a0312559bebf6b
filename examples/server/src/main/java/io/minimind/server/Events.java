package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;

/** Server-sent events, and lines of JSON. */
final class Events {
  static final String TYPE = "text/event-stream";
  static final String LINES = "application/x-ndjson";

  private Events() {}

  static byte[] data(String text) {
    return ("data: " + text + "\n\n").getBytes(StandardCharsets.UTF_8);
  }

  static byte[] data(JsonNode node) {
    return data(text(node));
  }

  static byte[] event(String name, JsonNode node) {
    return ("event: " + name + "\ndata: " + text(node) + "\n\n").getBytes(StandardCharsets.UTF_8);
  }

  static byte[] line(JsonNode node) {
    return (text(node) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static String text(JsonNode node) {
    return new String(Json.write(node), StandardCharsets.UTF_8);
  }
}
