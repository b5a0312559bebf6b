package io.minimind.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.minimind.files.InputException;
import io.minimind.files.JsonErrors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Rows of a file with a JSON array of objects, or with objects one after the other. */
final class JsonRowReader implements RowReader {
  /** No name may stand twice in an object; behind a row there may be another. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Path file;
  private final Utf8Reader reader;
  private final JsonParser parser;
  private final List<List<String>> alternatives;
  private final boolean array;
  private long rows;

  JsonRowReader(Path file, Utf8Reader reader, List<List<String>> alternatives) throws IOException {
    this.file = file;
    this.reader = reader;
    this.alternatives = alternatives;
    parser = JSON.createParser(reader);
    JsonToken first = token();
    if (first == null) {
      throw new InputException(file + " is empty: expected rows of text.");
    }
    array = first == JsonToken.START_ARRAY;
    if (array) {
      token();
    }
  }

  @Override
  public Optional<Row> next() throws IOException {
    JsonToken start = parser.currentToken();
    if (start == null) {
      return Optional.empty();
    }
    if (array && start == JsonToken.END_ARRAY) {
      if (token() != null) {
        String place = " at line " + parser.currentLocation().getLineNr();
        throw broken(place, "there is more after the end of its array");
      }
      return Optional.empty();
    }
    rows++;
    long line = parser.currentTokenLocation().getLineNr();
    reader.startRow(rows, line);
    JsonNode value;
    try {
      value = parser.readValueAsTree();
      parser.clearCurrentToken();
      token();
    } catch (JsonProcessingException e) {
      throw broken(JsonErrors.place(e), JsonErrors.reason(e));
    }
    return Optional.of(row(file, rows, line, value, alternatives));
  }

  private JsonToken token() throws IOException {
    try {
      return parser.nextToken();
    } catch (JsonProcessingException e) {
      throw broken(JsonErrors.place(e), JsonErrors.reason(e));
    }
  }

  private IOException broken(String place, String reason) {
    return new InputException(
        "%s is not JSON%s, row %d: %s.".formatted(file, place, Math.max(1, rows), reason));
  }

  /** The row that a JSON value holds; what is no text is given as JSON, null as empty. */
  static Row row(
      Path file, long number, long line, JsonNode object, List<List<String>> alternatives)
      throws MalformedRowException {
    for (List<String> columns : alternatives) {
      if (columns.stream().allMatch(object::has)) {
        List<JsonNode> values = columns.stream().<JsonNode>map(object::get).toList();
        Set<Integer> json =
            IntStream.range(0, values.size())
                .filter(i -> !values.get(i).isTextual() && !values.get(i).isNull())
                .boxed()
                .collect(Collectors.toSet());
        return new Row(
            number, line, values.stream().map(JsonRowReader::cell).toList(), json, columns);
      }
    }
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    String reason =
        "it has no %s: expected a JSON object with it, found %s."
            .formatted(
                ColumnSets.describe(alternatives),
                object.isObject() ? "the names " + names : "no object");
    throw new MalformedRowException(file.toString(), new SkippedRow(number, line, reason));
  }

  private static String cell(JsonNode value) {
    return value.isNull() ? "" : value.isTextual() ? value.textValue() : value.toString();
  }

  @Override
  public long position() {
    return reader.position();
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}
