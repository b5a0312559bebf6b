package io.minimind.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.graph.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A safetensors file: eight bytes with the size of the header, a JSON header, then the data of the
 * tensors without gaps. The file is mapped tensor by tensor, so it may be larger than 2 GB and
 * opening it reads only the header; a tensor stays valid as long as somebody holds it, also when
 * another file is renamed over this one.
 */
public final class SafetensorsFile {

  private static final String METADATA = "__metadata__";
  private static final int ALIGNMENT = 8;

  /** The limit of the reference implementation, which keeps a wrong size from being allocated. */
  private static final int LARGEST_HEADER = 100_000_000;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Path path;
  private final Map<String, String> metadata;
  private final Map<String, NamedTensor> tensors = new LinkedHashMap<>();
  private final Map<String, Long> dataOffsets = new LinkedHashMap<>();

  private SafetensorsFile(Path path, FileChannel channel) throws IOException {
    this.path = path;
    ByteBuffer header = header(channel);
    long dataStart = Long.BYTES + header.limit();
    ObjectNode json = json(header);
    this.metadata = metadata(json.remove(METADATA));
    for (Entry entry : entries(json, channel.size() - dataStart)) {
      long offset = dataStart + entry.begin;
      ByteBuffer data = channel.map(FileChannel.MapMode.READ_ONLY, offset, entry.end - entry.begin);
      tensors.put(entry.name, new NamedTensor(entry.name, entry.type, entry.shape, data));
      dataOffsets.put(entry.name, offset);
    }
  }

  /**
   * Opens a file and checks its whole header: every tensor is complete, none overlap, nothing lies
   * between them.
   *
   * @throws IOException with one sentence that names the file and what is wrong with it
   */
  public static SafetensorsFile open(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      return new SafetensorsFile(path, channel);
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException(
          "Cannot read the safetensors file " + path + ": " + TensorFiles.reason(e) + ".", e);
    }
  }

  /**
   * Writes tensors in the given order. Equal arguments give equal bytes: metadata is sorted by key.
   *
   * @throws IOException with one sentence that names the file; an older file is then untouched
   * @throws IllegalArgumentException if two tensors have the same name, or one is called {@code
   *     __metadata__}
   */
  public static void write(Path path, Collection<NamedTensor> tensors, Map<String, String> metadata)
      throws IOException {
    byte[] header = header(tensors, metadata);
    int padded = (header.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ByteBuffer start = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.fill(start.array(), (byte) ' ');
    start.putLong(padded).put(header).rewind();
    TensorFiles.replace(
        path,
        channel -> {
          TensorFiles.write(channel, start);
          for (NamedTensor tensor : tensors) {
            TensorFiles.write(channel, tensor.data());
          }
        });
  }

  /** The file's location as it was given to {@link #open}. */
  public Path path() {
    return path;
  }

  /** What the file says of itself, empty if it says nothing. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** The names of the tensors in the order of their data. */
  public List<String> names() {
    return List.copyOf(tensors.keySet());
  }

  /** All tensors in the order of their data. */
  public List<NamedTensor> tensors() {
    return List.copyOf(tensors.values());
  }

  /** The tensor of this name. */
  public Optional<NamedTensor> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * Where a tensor's data starts, in bytes from the start of the file, so that an ONNX model can
   * refer to it as external data. Its length is that of {@link NamedTensor#data}.
   *
   * @throws IllegalArgumentException if the file has no tensor of this name
   */
  public long dataOffset(String name) {
    Long offset = dataOffsets.get(name);
    if (offset == null) {
      throw new IllegalArgumentException(path + " has no tensor " + name + ".");
    }
    return offset;
  }

  private record Entry(String name, ElementType type, long[] shape, long begin, long end) {}

  private static ByteBuffer header(FileChannel channel) throws IOException {
    ByteBuffer size = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(channel, size);
    long bytes = size.getLong();
    if (bytes < 0 || bytes > LARGEST_HEADER) {
      throw new IOException("its first eight bytes are not the size of a header");
    }
    if (bytes > channel.size() - Long.BYTES) {
      throw new IOException("it ends within its header");
    }
    ByteBuffer header = ByteBuffer.allocate((int) bytes);
    readFully(channel, header);
    return header;
  }

  private static void readFully(FileChannel channel, ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      if (channel.read(target) < 0) {
        throw new IOException("it ends within its header");
      }
    }
    target.flip();
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
      throw new IOException("its header is broken JSON: " + e.getOriginalMessage(), e);
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
      if (entry.end - entry.begin > Integer.MAX_VALUE) {
        throw new IOException(
            "tensor %s has %d bytes; one tensor may have at most %d"
                .formatted(entry.name, entry.end - entry.begin, Integer.MAX_VALUE));
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

  private static byte[] header(Collection<NamedTensor> tensors, Map<String, String> metadata)
      throws IOException {
    ObjectNode json = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode fields = json.putObject(METADATA);
      new TreeMap<>(metadata).forEach(fields::put);
    }
    long position = 0;
    for (NamedTensor tensor : tensors) {
      if (json.has(tensor.name()) || tensor.name().equals(METADATA)) {
        throw new IllegalArgumentException(
            "A safetensors file cannot have another tensor named " + tensor.name() + ".");
      }
      ObjectNode entry = json.putObject(tensor.name());
      entry.put("dtype", tensor.type().safetensorsName());
      Arrays.stream(tensor.shape()).forEach(entry.putArray("shape")::add);
      long end = position + tensor.data().remaining();
      entry.putArray("data_offsets").add(position).add(end);
      position = end;
    }
    return JSON.writeValueAsBytes(json);
  }
}
