package io.minimind.weights.gguf;

import io.minimind.files.AtomicFile;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A GGUF file, version 2 or 3: what the model is as keys and values, then its tensors. Only that
 * header is read when a file is opened; tensors are mapped, and dequantized when they are read.
 */
public final class GgufFile {

  private static final int MAGIC = 0x46554747;

  /** A vocabulary of a million tokens with as many merges has fewer. */
  private static final int MOST_ELEMENTS = 3_000_000;

  private static final int LONGEST_NAME = 256;

  private final Path path;
  private final GgufMetadata metadata;
  private final Map<String, StreamedTensor> tensors;

  private GgufFile(Path path, GgufMetadata metadata, Map<String, StreamedTensor> tensors) {
    this.path = path;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /** Whether a file begins as GGUF does. */
  public static boolean isGguf(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(4), StandardCharsets.ISO_8859_1).equals("GGUF");
    } catch (IOException e) {
      throw new IOException("Cannot read " + file + ": " + AtomicFile.reason(e) + ".", e);
    }
  }

  /**
   * Opens a file.
   *
   * @throws IOException with one sentence that names the file and what is wrong with it
   */
  public static GgufFile open(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      long mapped = Math.min(channel.size(), Integer.MAX_VALUE);
      ByteBuffer start = channel.map(FileChannel.MapMode.READ_ONLY, 0, mapped);
      return new Reader(path, channel, start.order(ByteOrder.LITTLE_ENDIAN)).read();
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException(
          "Cannot read the GGUF file " + path + ": " + AtomicFile.reason(e) + ".", e);
    }
  }

  /** Where the file lies. */
  public Path path() {
    return path;
  }

  /** What the file says of the model. */
  public GgufMetadata metadata() {
    return metadata;
  }

  /** The tensors by their names in the order of the file; the extents are outermost first. */
  public Map<String, StreamedTensor> tensors() {
    return tensors;
  }

  private static final class Reader {
    private final Path path;
    private final FileChannel channel;
    private final ByteBuffer in;
    private int elements;

    Reader(Path path, FileChannel channel, ByteBuffer in) {
      this.path = path;
      this.channel = channel;
      this.in = in;
    }

    private record Place(String name, List<Long> shape, GgufType type, long offset) {}

    GgufFile read() throws IOException {
      if (int32("its start") != MAGIC) {
        throw new IOException("it does not begin with GGUF");
      }
      int version = int32("its version");
      if (version != 2 && version != 3) {
        throw new IOException(
            "it is of version %d; expected 2 or 3, little-endian".formatted(version));
      }
      long tensorCount = int64("the number of its tensors");
      long keyCount = int64("the number of its keys");
      // A key has at least its length and a type, a tensor also a rank, a type and an offset.
      requireRoom(keyCount, 13, "keys");
      requireRoom(tensorCount, 24, "tensors");
      Map<String, Object> values = new LinkedHashMap<>();
      for (long i = 0; i < keyCount; i++) {
        String key = name("a key");
        if (values.put(key, value(key, int32("the type of " + key))) != null) {
          throw new IOException("it has the key " + key + " twice");
        }
      }
      GgufMetadata metadata = new GgufMetadata(path, values);
      List<Place> places = new ArrayList<>();
      for (long i = 0; i < tensorCount; i++) {
        places.add(place());
      }
      return new GgufFile(path, metadata, tensors(places, alignment(metadata)));
    }

    private static long alignment(GgufMetadata metadata) throws IOException {
      long alignment = metadata.integer("general.alignment").orElse(32);
      if (alignment < 1 || alignment > 1 << 20 || Long.bitCount(alignment) != 1) {
        throw new IOException(
            "its general.alignment is %d; expected a power of two".formatted(alignment));
      }
      return alignment;
    }

    private Place place() throws IOException {
      String name = name("the name of a tensor");
      int rank = int32("the rank of " + name);
      if (rank < 0 || rank > 4) {
        throw new IOException("its tensor %s has %d dimensions".formatted(name, rank));
      }
      List<Long> shape = new ArrayList<>();
      for (int i = 0; i < rank; i++) {
        long extent = int64("the shape of " + name);
        if (extent < 0) {
          throw new IOException("its tensor %s has an impossible shape".formatted(name));
        }
        shape.add(extent);
      }
      Collections.reverse(shape);
      int code = int32("the type of " + name);
      GgufType type =
          GgufType.of(code)
              .orElseThrow(
                  () ->
                      new IOException(
                          "its tensor %s is of type %d, which cannot be read: expected f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_K, q5_K or q6_K"
                              .formatted(name, code)));
      return new Place(name, shape, type, int64("the place of " + name));
    }

    private Map<String, StreamedTensor> tensors(List<Place> places, long alignment)
        throws IOException {
      long start = (in.position() + alignment - 1) / alignment * alignment;
      Map<String, StreamedTensor> tensors = new LinkedHashMap<>();
      for (Place place : places) {
        StreamedTensor tensor = tensor(place, start, alignment);
        if (tensors.put(place.name(), tensor) != null) {
          throw new IOException("it has two tensors " + place.name());
        }
      }
      return Collections.unmodifiableMap(tensors);
    }

    private StreamedTensor tensor(Place place, long start, long alignment) throws IOException {
      GgufType type = place.type();
      String typeName = type.name().toLowerCase(Locale.ROOT);
      StreamedTensor shape =
          new StreamedTensor(place.name(), place.shape(), typeName, (f, i, o, c) -> {});
      long elements = shape.elements();
      long width = place.shape().isEmpty() ? 1 : place.shape().get(place.shape().size() - 1);
      if (width % type.blockElements() != 0) {
        throw new IOException(
            "its tensor %s has rows that are no multiple of %d"
                .formatted(shape, type.blockElements()));
      }
      long blocks = elements / type.blockElements();
      if (blocks > Integer.MAX_VALUE / type.blockBytes()) {
        throw new IOException(
            "its tensor %s has more than %d bytes".formatted(shape, Integer.MAX_VALUE));
      }
      long bytes = blocks * type.blockBytes();
      long offset = place.offset();
      if (offset < 0 || offset % alignment != 0 || offset > channel.size() - start - bytes) {
        throw new IOException(
            "its tensor %s lies at %d, outside of the %d bytes of its data"
                .formatted(shape, offset, Math.max(0, channel.size() - start)));
      }
      ByteBuffer data =
          channel
              .map(FileChannel.MapMode.READ_ONLY, start + offset, bytes)
              .order(ByteOrder.LITTLE_ENDIAN);
      return new StreamedTensor(place.name(), place.shape(), typeName, values(type, data));
    }

    private static StreamedTensor.Values values(GgufType type, ByteBuffer data) {
      if (type.number().isPresent()) {
        return type.number().get().values(data);
      }
      int size = type.blockElements();
      return (first, into, offset, count) -> {
        float[] block = new float[size];
        int done = 0;
        while (done < count) {
          int index = Math.toIntExact((first + done) / size);
          int within = (int) ((first + done) % size);
          int piece = Math.min(count - done, size - within);
          type.decode(data, index * type.blockBytes(), block);
          System.arraycopy(block, within, into, offset + done, piece);
          done += piece;
        }
      };
    }

    private Object value(String key, int type) throws IOException {
      return switch (type) {
        case 0 -> (long) (need(1, key).get() & 0xFF);
        case 1 -> (long) need(1, key).get();
        case 2 -> (long) (need(2, key).getShort() & 0xFFFF);
        case 3 -> (long) need(2, key).getShort();
        case 4 -> int32(key) & 0xFFFFFFFFL;
        case 5 -> (long) int32(key);
        case 6 -> (double) need(4, key).getFloat();
        case 7 -> need(1, key).get() != 0;
        case 8 -> text(key, Integer.MAX_VALUE);
        case 9 -> array(key);
        case 10, 11 -> int64(key);
        case 12 -> need(8, key).getDouble();
        default ->
            throw new IOException("its key %s is of the unknown type %d".formatted(key, type));
      };
    }

    private List<Object> array(String key) throws IOException {
      int type = int32(key);
      long count = int64(key);
      if (type == 9) {
        throw new IOException("its key " + key + " holds lists of lists");
      }
      requireRoom(count, type == 8 ? 8 : 1, "elements of " + key);
      if (count > MOST_ELEMENTS - elements) {
        throw new IOException("its lists are longer than those of any model");
      }
      elements += (int) count;
      List<Object> list = new ArrayList<>((int) count);
      for (long i = 0; i < count; i++) {
        list.add(value(key, type));
      }
      return list;
    }

    private String name(String what) throws IOException {
      String name = text(what, LONGEST_NAME);
      if (name.isEmpty() || name.chars().anyMatch(Character::isISOControl)) {
        throw new IOException(what + " is empty or has control characters");
      }
      return name;
    }

    private String text(String what, int longest) throws IOException {
      long length = int64(what);
      if (length < 0 || length > in.remaining()) {
        throw new IOException("it ends within " + what);
      }
      if (length > longest) {
        throw new IOException(what + " is longer than " + longest + " bytes");
      }
      byte[] bytes = new byte[(int) length];
      in.get(bytes);
      return bytes.length == 0 ? "" : new String(bytes, StandardCharsets.UTF_8);
    }

    private int int32(String what) throws IOException {
      return need(4, what).getInt();
    }

    private long int64(String what) throws IOException {
      return need(8, what).getLong();
    }

    private ByteBuffer need(int bytes, String what) throws IOException {
      if (in.remaining() < bytes) {
        throw new IOException("it ends within " + what);
      }
      return in;
    }

    private void requireRoom(long count, int bytes, String what) throws IOException {
      if (count < 0 || count > in.remaining() / bytes) {
        throw new IOException(
            "it announces %s %s, more than its size allows"
                .formatted(Long.toUnsignedString(count), what));
      }
    }
  }
}
