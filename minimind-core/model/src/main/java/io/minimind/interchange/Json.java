package io.minimind.interchange;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputFile;
import java.io.IOException;
import java.nio.file.Path;

/** JSON files of other projects; names that stand twice and what follows the end are refused. */
final class Json {

  static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private Json() {}

  /**
   * The object that a file holds.
   *
   * @throws IOException with one sentence that names the file
   */
  static ObjectNode read(Path file) throws IOException {
    if (InputFile.json(file, MAPPER::readTree) instanceof ObjectNode object) {
      return object;
    }
    throw new IOException(file + " holds no JSON object.");
  }

  static void write(Path file, JsonNode json) throws IOException {
    AtomicFile.replace(file, MAPPER.writeValueAsBytes(json));
  }
}
