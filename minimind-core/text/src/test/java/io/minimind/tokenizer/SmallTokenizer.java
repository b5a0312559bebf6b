package io.minimind.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A tokenizer of 340 ids that the Hugging Face library learned from a few sentences, and what that
 * library encodes and decodes with it and with variants of it.
 */
final class SmallTokenizer {

  private static final ObjectMapper JSON = new ObjectMapper();

  private SmallTokenizer() {}

  static ObjectNode json() {
    return (ObjectNode) resource("small_tokenizer.json");
  }

  static JsonNode cases() {
    return resource("small_tokenizer_cases.json");
  }

  static Tokenizer load() {
    return load(json());
  }

  static Tokenizer load(JsonNode json) {
    try {
      Path file = Files.createTempFile("tokenizer", ".json");
      try {
        JSON.writeValue(file.toFile(), json);
        return Tokenizer.load(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int[] ids(JsonNode array) {
    return JSON.convertValue(array, int[].class);
  }

  static JsonNode resource(String name) {
    try (InputStream in = SmallTokenizer.class.getResourceAsStream(name)) {
      return JSON.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
