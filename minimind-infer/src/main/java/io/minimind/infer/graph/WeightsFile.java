package io.minimind.infer.graph;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.JsonTree;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which tensors lie where in a safetensors file. */
final class WeightsFile {

  /** As large as safetensors' own library allows. */
  private static final long LONGEST_HEADER = 100_000_000;

  private static final Map<Integer, String> TYPES = Map.of(Value.FLOAT32, "F32", Value.UINT8, "U8");

  /**
   * A tensor of the file.
   *
   * @param offset of its first byte in the file
   * @param length in bytes
   */
  record Entry(String type, List<Long> shape, long offset, long length) {}

  private final Map<String, Entry> entries;

  private WeightsFile(Map<String, Entry> entries) {
    this.entries = entries;
  }

  /**
   * @throws IOException in a sentence, if the file is damaged
   */
  static WeightsFile open(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      long size = channel.size();
      ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      fill(channel, length, 0, path);
      long headerLength = length.getLong(0);
      if (headerLength < 2 || headerLength > Math.min(LONGEST_HEADER, size - Long.BYTES)) {
        throw damaged(path, "its header would have " + headerLength + " bytes");
      }
      ByteBuffer header = ByteBuffer.allocate((int) headerLength);
      fill(channel, header, Long.BYTES, path);
      return new WeightsFile(entries(path, header.array(), Long.BYTES + headerLength, size));
    }
  }

  /** Fills a buffer from a place in a file on. */
  static void fill(FileChannel channel, ByteBuffer buffer, long from, Path path)
      throws IOException {
    long at = from;
    while (buffer.hasRemaining()) {
      int read = channel.read(buffer, at);
      if (read < 0) {
        throw damaged(path, "it ends after " + at + " bytes");
      }
      at += read;
    }
  }

  private static Map<String, Entry> entries(Path path, byte[] header, long start, long size)
      throws IOException {
    Map<String, Entry> entries = new HashMap<>();
    try {
      JsonNode root = JsonTree.read(header);
      for (Map.Entry<String, JsonNode> field : root.properties()) {
        if (field.getKey().equals("__metadata__")) {
          continue;
        }
        JsonNode offsets = field.getValue().path("data_offsets");
        long begin = offsets.path(0).asLong(-1);
        long end = offsets.path(1).asLong(-1);
        if (begin < 0 || end < begin || end > size - start) {
          throw damaged(path, "its tensors reach beyond its end");
        }
        List<Long> shape = new ArrayList<>();
        for (JsonNode extent : field.getValue().path("shape")) {
          shape.add(extent.asLong(-1));
        }
        String type = field.getValue().path("dtype").asText();
        entries.put(field.getKey(), new Entry(type, shape, start + begin, end - begin));
      }
    } catch (JsonProcessingException e) {
      throw damaged(path, "its header is no valid JSON");
    }
    return entries;
  }

  /** What is wrong with a tensor that a graph expects in the file, or an empty text. */
  String problem(String name, int type, List<Long> shape, long offset, long length) {
    Entry entry = entries.get(name);
    if (entry == null) {
      return "has no such tensor";
    }
    return entry.type.equals(TYPES.get(type))
            && entry.shape.equals(shape)
            && entry.offset == offset
            && entry.length == length
        ? ""
        : "has it at another place, or of another type or shape";
  }

  private static IOException damaged(Path path, String problem) {
    return new IOException(
        path + " is damaged or incomplete: " + problem + "; export or download the model again.");
  }
}
