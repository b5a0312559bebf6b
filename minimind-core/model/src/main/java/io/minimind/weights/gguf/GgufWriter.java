package io.minimind.weights.gguf;

import io.minimind.files.AtomicFile;
import io.minimind.weights.HalfFloats;
import io.minimind.weights.StreamedTensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file of version 3. Keys are written in the order in which they are given, and so
 * are tensors; a tensor's values go out in pieces.
 */
public final class GgufWriter {

  private static final int MAGIC = 0x46554747;
  private static final int VERSION = 3;
  private static final int ALIGNMENT = 32;

  private static final int INT32 = 5;
  private static final int UINT32 = 4;
  private static final int FLOAT32 = 6;
  private static final int BOOL = 7;
  private static final int STRING = 8;
  private static final int ARRAY = 9;

  private final Map<String, byte[]> values = new LinkedHashMap<>();
  private final List<Entry> tensors = new ArrayList<>();

  private record Entry(
      String name, List<Long> shape, GgufType type, long bytes, AtomicFile.Content content) {}

  /** A text. */
  public GgufWriter text(String key, String value) {
    return put(key, new Bytes().int32(STRING).text(value));
  }

  /** A whole number from 0 to 2^32 − 1. */
  public GgufWriter integer(String key, long value) {
    return put(key, new Bytes().int32(UINT32).int32((int) value));
  }

  /** A number. */
  public GgufWriter number(String key, float value) {
    return put(key, new Bytes().int32(FLOAT32).int32(Float.floatToRawIntBits(value)));
  }

  /** A truth value. */
  public GgufWriter flag(String key, boolean value) {
    return put(key, new Bytes().int32(BOOL).int8(value ? 1 : 0));
  }

  /** A list of texts. */
  public GgufWriter texts(String key, List<String> list) {
    Bytes bytes = new Bytes().int32(ARRAY).int32(STRING).int64(list.size());
    list.forEach(bytes::text);
    return put(key, bytes);
  }

  /** A list of whole numbers. */
  public GgufWriter integers(String key, List<Integer> list) {
    Bytes bytes = new Bytes().int32(ARRAY).int32(INT32).int64(list.size());
    list.forEach(bytes::int32);
    return put(key, bytes);
  }

  /** A list of numbers. */
  public GgufWriter numbers(String key, List<Float> list) {
    Bytes bytes = new Bytes().int32(ARRAY).int32(FLOAT32).int64(list.size());
    list.forEach(value -> bytes.int32(Float.floatToRawIntBits(value)));
    return put(key, bytes);
  }

  /** A tensor whose values are kept as float32. */
  public GgufWriter float32(StreamedTensor tensor) {
    return tensor(
        tensor.name(),
        tensor.shape(),
        GgufType.F32,
        channel ->
            tensor.forEachPiece(
                (values, count) -> {
                  ByteBuffer piece = buffer(count * Float.BYTES);
                  piece.asFloatBuffer().put(values, 0, count);
                  AtomicFile.write(channel, piece);
                }));
  }

  /** A tensor whose values are rounded to float16. */
  public GgufWriter float16(StreamedTensor tensor) {
    return tensor(
        tensor.name(),
        tensor.shape(),
        GgufType.F16,
        channel ->
            tensor.forEachPiece(
                (values, count) -> {
                  ByteBuffer piece = buffer(count * Short.BYTES);
                  for (int i = 0; i < count; i++) {
                    piece.putShort(HalfFloats.toFloat16(values[i]));
                  }
                  AtomicFile.write(channel, piece.flip());
                }));
  }

  /**
   * A tensor in any type.
   *
   * @param shape outermost first
   * @param content writes the tensor's bytes
   */
  public GgufWriter tensor(
      String name, List<Long> shape, GgufType type, AtomicFile.Content content) {
    long elements = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    long bytes = elements / type.blockElements() * type.blockBytes();
    tensors.add(new Entry(name, List.copyOf(shape), type, bytes, content));
    return this;
  }

  /**
   * Writes the file.
   *
   * @throws IOException with one sentence that names the file; an older file is then untouched
   */
  public void write(Path path) throws IOException {
    AtomicFile.replace(
        path,
        channel -> {
          AtomicFile.write(channel, ByteBuffer.wrap(header()));
          for (Entry entry : tensors) {
            pad(channel);
            long start = channel.position();
            entry.content().writeTo(channel);
            if (channel.position() - start != entry.bytes()) {
              throw new IllegalStateException(entry.name() + " was written in another size");
            }
          }
          pad(channel);
        });
  }

  private byte[] header() {
    Bytes bytes = new Bytes();
    bytes.int32(MAGIC).int32(VERSION).int64(tensors.size()).int64(values.size());
    values.forEach((key, value) -> bytes.text(key).raw(value));
    long offset = 0;
    for (Entry entry : tensors) {
      bytes.text(entry.name()).int32(entry.shape().size());
      for (int i = entry.shape().size() - 1; i >= 0; i--) {
        bytes.int64(entry.shape().get(i));
      }
      bytes.int32(entry.type().code()).int64(offset);
      offset += (entry.bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return bytes.out.toByteArray();
  }

  private GgufWriter put(String key, Bytes value) {
    values.put(key, value.out.toByteArray());
    return this;
  }

  private static void pad(FileChannel channel) throws IOException {
    int over = (int) (channel.position() % ALIGNMENT);
    if (over > 0) {
      AtomicFile.write(channel, ByteBuffer.allocate(ALIGNMENT - over));
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Bytes in the making, little-endian. */
  private static final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Bytes int8(int value) {
      out.write(value);
      return this;
    }

    Bytes int32(int value) {
      return raw(buffer(Integer.BYTES).putInt(value).array());
    }

    Bytes int64(long value) {
      return raw(buffer(Long.BYTES).putLong(value).array());
    }

    Bytes text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      return int64(utf8.length).raw(utf8);
    }

    Bytes raw(byte[] bytes) {
      out.writeBytes(bytes);
      return this;
    }
  }
}
