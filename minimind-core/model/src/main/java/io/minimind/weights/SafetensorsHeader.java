package io.minimind.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.JsonErrors;
import io.minimind.graph.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The JSON at the start of a safetensors file.
 *
 * @param metadata what the file says of itself
 * @param entries where its tensors lie, in the order of their data
 */
record SafetensorsHeader(Map<String, String> metadata, List<SafetensorsHeader.Entry> entries) {

  /** Where a tensor lies, in bytes from the end of the header. */
  record Entry(String name, ElementType type, long[] shape, long begin, long end) {

    long bytes() {
      return end - begin;
    }
  }

  private static final String METADATA = "__metadata__";
  private static final int ALIGNMENT = 8;
  private static final int MOST_DIMENSIONS = 16;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * Reads a header that is followed by the given number of bytes.
   *
   * @throws IOException if the tensors do not fill these bytes without gap or overlap
   */
  static SafetensorsHeader parse(ByteBuffer header, long dataBytes) throws IOException {
    ObjectNode json = json(header);
    Map<String, String> metadata = metadata(json.remove(METADATA));
    return new SafetensorsHeader(metadata, entries(json, dataBytes));
  }

  /**
   * The header of a file with the given tensors, padded so that the data starts aligned.
   *
   * @throws IllegalArgumentException if the format cannot hold tensors of these names
   */
  static byte[] format(List<SafetensorsFile.Part> tensors, Map<String, String> metadata)
      throws IOException {
    ObjectNode json = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode fields = json.putObject(METADATA);
      new TreeMap<>(metadata).forEach(fields::put);
    }
    long position = 0;
    for (SafetensorsFile.Part tensor : tensors) {
      if (json.has(tensor.name()) || tensor.name().equals(METADATA)) {
        throw new IllegalArgumentException(
            "A safetensors file cannot have another tensor named " + tensor.name() + ".");
      }
      ObjectNode entry = json.putObject(tensor.name());
      entry.put("dtype", tensor.type().safetensorsName());
      ArrayNode shape = entry.putArray("shape");
      tensor.shape().forEach(shape::add);
      long end = position + tensor.bytes();
      entry.putArray("data_offsets").add(position).add(end);
      position = end;
    }
    byte[] header = JSON.writeValueAsBytes(json);
    byte[] padded = Arrays.copyOf(header, (header.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    Arrays.fill(padded, header.length, padded.length, (byte) ' ');
    return padded;
  }

  private static ObjectNode json(ByteBuffer header) throws IOException {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(header).toString();
      if (text.startsWith("{") && JSON.readTree(text) instanceof ObjectNode json) {
        return json;
      }
      throw new IOException("its header is not a JSON object");
    } catch (CharacterCodingException e) {
      throw new IOException("its header is not UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new IOException("its header is broken JSON: " + JsonErrors.reason(e), e);
    }
  }

  private static Map<String, String> metadata(JsonNode json) throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    if (json != null) {
      if (!json.isObject()) {
        throw new IOException(METADATA + " is not a JSON object");
      }
      for (Map.Entry<String, JsonNode> field : json.properties()) {
        if (!field.getValue().isTextual()) {
          throw new IOException(METADATA + " has a value that is not a string: " + field.getKey());
        }
        metadata.put(field.getKey(), field.getValue().textValue());
      }
    }
    return Collections.unmodifiableMap(metadata);
  }

  private static List<Entry> entries(ObjectNode json, long dataBytes) throws IOException {
    List<Entry> entries = new ArrayList<>(json.size());
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      entries.add(entry(field.getKey(), field.getValue()));
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long position = 0;
    for (Entry entry : entries) {
      if (entry.begin != position || entry.end < entry.begin) {
        throw new IOException(
            "tensor %s lies at %d to %d where %d was expected to start"
                .formatted(entry.name, entry.begin, entry.end, position));
      }
      if (entry.bytes() > Integer.MAX_VALUE) {
        throw new IOException(
            "tensor %s has %d bytes; one tensor may have at most %d"
                .formatted(entry.name, entry.bytes(), Integer.MAX_VALUE));
      }
      position = entry.end;
    }
    if (position != dataBytes) {
      throw new IOException(
          "its tensors need %d bytes but %d follow the header".formatted(position, dataBytes));
    }
    return entries;
  }

  private static Entry entry(String name, JsonNode json) throws IOException {
    JsonNode dtype = json.path("dtype");
    ElementType type =
        Arrays.stream(ElementType.values())
            .filter(known -> known.safetensorsName().equals(dtype.textValue()))
            .findFirst()
            .orElseThrow(() -> new IOException(unknownType(name, dtype)));
    long[] shape = integers(name, json, "shape");
    if (shape.length > MOST_DIMENSIONS) {
      throw new IOException("tensor " + name + " has " + shape.length + " dimensions");
    }
    long[] offsets = integers(name, json, "data_offsets");
    if (offsets.length != 2) {
      throw new IOException("tensor " + name + " has not two data_offsets");
    }
    return new Entry(name, type, shape, offsets[0], offsets[1]);
  }

  private static String unknownType(String name, JsonNode dtype) {
    String known =
        Arrays.stream(ElementType.values())
            .map(ElementType::safetensorsName)
            .collect(Collectors.joining(", "));
    return "tensor %s has dtype %s; only %s can be read, so convert it first"
        .formatted(name, dtype.asText("missing"), known);
  }

  private static long[] integers(String tensor, JsonNode json, String field) throws IOException {
    JsonNode list = json.path(field);
    long[] values = new long[list.size()];
    boolean valid = list.isArray();
    for (int i = 0; valid && i < values.length; i++) {
      JsonNode value = list.get(i);
      valid = value.isIntegralNumber() && value.canConvertToLong() && value.longValue() >= 0;
      values[i] = value.longValue();
    }
    if (!valid) {
      throw new IOException(
          "tensor " + tensor + " has a " + field + " that is no list of whole numbers");
    }
    return values;
  }
}
