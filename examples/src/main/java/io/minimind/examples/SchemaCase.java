package io.minimind.examples;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import io.minimind.files.InputFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A schema, and values of which somebody says whether they are valid.
 *
 * @param tests objects with {@code data} and {@code valid}
 */
record SchemaCase(String name, JsonNode schema, JsonNode tests) {
  static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  /** A few schemas of our own, such as people write. */
  static List<SchemaCase> shipped() throws IOException {
    try (InputStream in = SchemaCase.class.getResourceAsStream("schemas.json")) {
      List<SchemaCase> cases = new ArrayList<>();
      JSON.readTree(in).properties().forEach(e -> cases.add(of(e.getKey(), e.getValue())));
      return cases;
    }
  }

  /** Those of a folder: each file is a schema, or an object with {@code schema} and tests. */
  static List<SchemaCase> read(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(folder)) {
      files = list.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
    List<SchemaCase> cases = new ArrayList<>();
    for (Path file : files) {
      cases.add(of(file.getFileName().toString(), InputFile.json(file, JSON::readTree)));
    }
    return cases;
  }

  private static SchemaCase of(String name, JsonNode json) {
    return json.has("schema") && json.has("tests")
        ? new SchemaCase(name, json.get("schema"), json.get("tests"))
        : new SchemaCase(name, json, JSON.createArrayNode());
  }

  /** A validator of another house; none if it cannot read the schema. */
  Optional<JsonSchema> judge() {
    String draft = schema.path("$schema").asText();
    VersionFlag version =
        draft.contains("draft-04")
            ? VersionFlag.V4
            : draft.contains("draft-06")
                ? VersionFlag.V6
                : draft.contains("draft-07")
                    ? VersionFlag.V7
                    : draft.contains("2019-09") ? VersionFlag.V201909 : VersionFlag.V202012;
    try {
      return Optional.of(
          JsonSchemaFactory.getInstance(version)
              .getSchema(
                  schema, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build()));
    } catch (RuntimeException | StackOverflowError e) {
      return Optional.empty();
    }
  }
}
