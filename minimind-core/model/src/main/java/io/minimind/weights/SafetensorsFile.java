package io.minimind.weights;

import io.minimind.files.AtomicFile;
import io.minimind.graph.ElementType;
import io.minimind.weights.SafetensorsHeader.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A safetensors file: eight bytes with the size of the header, a JSON header, then the data of the
 * tensors without gaps. The file is mapped tensor by tensor, so it may be larger than 2 GB and
 * opening it reads only the header; a tensor stays valid as long as somebody holds it, also when
 * another file is renamed over this one.
 */
public final class SafetensorsFile {

  /** The limit of the reference implementation, which keeps a wrong size from being allocated. */
  private static final int LARGEST_HEADER = 100_000_000;

  private final Path path;
  private final Map<String, String> metadata;
  private final Map<String, NamedTensor> tensors = new LinkedHashMap<>();
  private final Map<String, Long> dataOffsets = new LinkedHashMap<>();

  private SafetensorsFile(Path path, FileChannel channel) throws IOException {
    this.path = path;
    ByteBuffer header = header(channel);
    long dataStart = Long.BYTES + header.limit();
    SafetensorsHeader parsed = SafetensorsHeader.parse(header, channel.size() - dataStart);
    this.metadata = parsed.metadata();
    for (Entry entry : parsed.entries()) {
      long offset = dataStart + entry.begin();
      ByteBuffer data = channel.map(FileChannel.MapMode.READ_ONLY, offset, entry.bytes());
      tensors.put(entry.name(), new NamedTensor(entry.name(), entry.type(), entry.shape(), data));
      dataOffsets.put(entry.name(), offset);
    }
  }

  /**
   * Whether a file begins as one of this format does: with the size of a header, which is an
   * object.
   */
  public static boolean isSafetensors(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(Long.BYTES + 1);
      return start.length > Long.BYTES && start[Long.BYTES] == '{';
    } catch (IOException e) {
      throw new IOException("Cannot read " + file + ": " + AtomicFile.reason(e) + ".", e);
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
          "Cannot read the safetensors file " + path + ": " + AtomicFile.reason(e) + ".", e);
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
    writeParts(path, tensors.stream().map(Part::of).toList(), metadata);
  }

  /**
   * A tensor that is written piece by piece.
   *
   * @param shape the extents, outermost first
   * @param content writes the bytes of the elements, as many as type and shape ask for
   */
  public record Part(String name, ElementType type, List<Long> shape, AtomicFile.Content content) {

    static Part of(NamedTensor tensor) {
      return new Part(
          tensor.name(),
          tensor.type(),
          Arrays.stream(tensor.shape()).boxed().toList(),
          channel -> AtomicFile.write(channel, tensor.data()));
    }

    /** A float32 tensor, whose values go from one file into the other. */
    public static Part of(StreamedTensor tensor) {
      return new Part(
          tensor.name(),
          ElementType.FLOAT32,
          tensor.shape(),
          channel ->
              tensor.forEachPiece(
                  (values, count) -> {
                    ByteBuffer piece =
                        ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                    piece.asFloatBuffer().put(values, 0, count);
                    AtomicFile.write(channel, piece);
                  }));
    }

    /** How many bytes the elements have. */
    public long bytes() {
      return shape.stream().mapToLong(Long::longValue).reduce(type.bytes(), Math::multiplyExact);
    }
  }

  /** Writes tensors as {@link #write} does, piece by piece. */
  public static void writeParts(Path path, List<Part> parts, Map<String, String> metadata)
      throws IOException {
    byte[] header = SafetensorsHeader.format(parts, metadata);
    ByteBuffer size = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    AtomicFile.replace(
        path,
        channel -> {
          AtomicFile.write(channel, size.putLong(0, header.length));
          AtomicFile.write(channel, ByteBuffer.wrap(header));
          for (Part part : parts) {
            long start = channel.position();
            part.content().writeTo(channel);
            if (channel.position() - start != part.bytes()) {
              throw new IllegalStateException(part.name() + " was written in another size");
            }
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
}
