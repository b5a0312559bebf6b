package io.minimind.weights.torch;

import io.minimind.files.AtomicFile;
import io.minimind.weights.NumberType;
import io.minimind.weights.StreamedTensor;
import io.minimind.weights.torch.Pickle.Name;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A file that {@code torch.save} wrote: {@code .pth}, {@code .pt} or {@code .bin}. It holds a
 * pickle and the storages that the tensors in it are views of; since PyTorch 1.6 in a zip archive,
 * before one after the other. The pickle is read, never executed, and the storages are mapped.
 */
public final class TorchFile {

  /** The pickle of a model is a small list of names and shapes. */
  private static final int LARGEST_PICKLE = 1 << 26;

  private static final BigInteger LEGACY_MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);

  /** What the names of all tensors begin with when a wrapped model was saved. */
  private static final List<String> WRAPPERS = List.of("module.", "_orig_mod.");

  /** Where training scripts put the state dictionary beside other things. */
  private static final List<String> NESTED = List.of("model", "state_dict", "model_state_dict");

  private final Path path;
  private final Map<String, StreamedTensor> tensors;

  private TorchFile(Path path, Map<String, StreamedTensor> tensors) {
    this.path = path;
    this.tensors = tensors;
  }

  /** Whether a file begins as one of PyTorch's does. */
  public static boolean isTorch(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(2);
      return start.length == 2
          && (start[0] == 'P' && start[1] == 'K'
              || start[0] == (byte) 0x80 && start[1] <= 5 && start[1] >= 2)
          && !(start[0] == (byte) 0x80 && looksLikeHeader(file));
    } catch (IOException e) {
      throw new IOException("Cannot read " + file + ": " + AtomicFile.reason(e) + ".", e);
    }
  }

  /** A safetensors header of 128 and some bytes begins with the same byte, and six zeros. */
  private static boolean looksLikeHeader(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(9);
      return start.length == 9 && start[6] == 0 && start[7] == 0 && start[8] == '{';
    }
  }

  /**
   * Opens a file.
   *
   * @throws IOException with one sentence that names the file and what is wrong with it
   */
  public static TorchFile open(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      ByteBuffer start = ByteBuffer.allocate(2);
      channel.read(start, 0);
      Object root = start.get(0) == 'P' ? zipped(channel) : new LegacyFile(channel).root();
      return new TorchFile(path, stateDictionary(root));
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new IOException("Cannot read " + path + ": " + AtomicFile.reason(e) + ".", e);
    }
  }

  /** Where the file lies. */
  public Path path() {
    return path;
  }

  /**
   * The tensors of the state dictionary in its order, without what a wrapper put before all their
   * names.
   */
  public Map<String, StreamedTensor> tensors() {
    return tensors;
  }

  private static Object zipped(FileChannel channel) throws IOException {
    Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(channel);
    List<String> pickles =
        entries.keySet().stream().filter(n -> n.matches("[^/]+/data\\.pkl")).toList();
    if (pickles.size() != 1) {
      throw new IOException(
          entries.keySet().stream().anyMatch(name -> name.matches("[^/]+/constants\\.pkl"))
              ? "it is a compiled model: save model.state_dict() instead"
              : "it is a zip archive that torch.save did not write");
    }
    String folder = pickles.get(0).substring(0, pickles.get(0).indexOf('/') + 1);
    ZipDirectory.Entry order = entries.get(folder + "byteorder");
    if (order != null && !text(channel, order).equals("little")) {
      throw new IOException("it was saved on a machine with the other byte order");
    }
    Tensors functions =
        new Tensors() {
          @Override
          ByteBuffer storage(String key, long bytes) throws IOException {
            ZipDirectory.Entry entry = entries.get(folder + "data/" + key);
            if (entry == null) {
              throw new IOException("it lacks the storage " + Names.quoted(key));
            }
            if (entry.size() < bytes) {
              throw new IOException(
                  "its storage %s has %d bytes where %d are announced"
                      .formatted(Names.quoted(key), entry.size(), bytes));
            }
            return map(channel, entry.begin(), bytes);
          }
        };
    ZipDirectory.Entry pickle = entries.get(pickles.get(0));
    if (pickle.size() > LARGEST_PICKLE) {
      throw new IOException("its pickle is longer than that of any model");
    }
    Object root = Pickle.read(map(channel, pickle.begin(), pickle.size()), functions);
    return functions.resolved(root);
  }

  private static String text(FileChannel channel, ZipDirectory.Entry entry) throws IOException {
    byte[] bytes = new byte[(int) Math.min(16, entry.size())];
    map(channel, entry.begin(), bytes.length).get(bytes);
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  private static ByteBuffer map(FileChannel channel, long begin, long size) throws IOException {
    if (size > Integer.MAX_VALUE) {
      throw new IOException(
          "a storage has %d bytes; one tensor may have at most %d"
              .formatted(size, Integer.MAX_VALUE));
    }
    return channel.map(FileChannel.MapMode.READ_ONLY, begin, size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The format before zip: magic number, version, machine, the pickle, then storages in a row. */
  private static final class LegacyFile {
    private final FileChannel channel;

    LegacyFile(FileChannel channel) {
      this.channel = channel;
    }

    Object root() throws IOException {
      ByteBuffer in = map(channel, 0, Math.min(channel.size(), LARGEST_PICKLE));
      Map<String, Long> places = new HashMap<>();
      Map<String, Long> announced = new HashMap<>();
      Tensors functions =
          new Tensors() {
            @Override
            ByteBuffer storage(String key, long bytes) throws IOException {
              Long place = places.get(key);
              if (place == null) {
                throw new IOException("it lacks the storage " + Names.quoted(key));
              }
              return map(channel, place, bytes);
            }

            @Override
            void announce(String key, long elements, int elementBytes) {
              announced.put(key, elements * elementBytes);
            }
          };
      if (!LEGACY_MAGIC.equals(Pickle.read(in, functions))) {
        throw new IOException("it is a pickle that torch.save did not write");
      }
      Pickle.read(in, functions);
      if (Pickle.read(in, functions) instanceof Map<?, ?> machine
          && Boolean.FALSE.equals(machine.get("little_endian"))) {
        throw new IOException("it was saved on a machine with the other byte order");
      }
      Object root = Pickle.read(in, functions);
      if (!(Pickle.read(in, functions) instanceof List<?> keys)) {
        throw new IOException("its pickle is damaged");
      }
      long position = in.position();
      for (Object name : keys) {
        if (!(name instanceof String key)) {
          throw new IOException("its pickle is damaged");
        }
        long bytes = announced.getOrDefault(key, 0L);
        position += Long.BYTES;
        if (bytes < 0 || position > channel.size() - bytes) {
          throw new IOException("it ends within the storage " + Names.quoted(key));
        }
        places.put(key, position);
        position += bytes;
      }
      return functions.resolved(root);
    }
  }

  private static Map<String, StreamedTensor> stateDictionary(Object root) throws IOException {
    Map<?, ?> dictionary = dictionary(root);
    for (String key : NESTED) {
      if (dictionary.get(key) instanceof Map<?, ?> nested) {
        dictionary = nested;
        break;
      }
    }
    Map<String, StreamedTensor> tensors = new LinkedHashMap<>();
    String wrapper = wrapper(dictionary);
    for (Map.Entry<?, ?> entry : dictionary.entrySet()) {
      if (entry.getValue() instanceof StreamedTensor tensor
          && entry.getKey() instanceof String key) {
        String name = key.substring(wrapper.length());
        tensors.put(name, tensor.named(name));
      } else if (!(entry.getKey() instanceof String)) {
        throw noStateDictionary();
      }
    }
    if (tensors.isEmpty() && !dictionary.isEmpty()) {
      throw noStateDictionary();
    }
    return Collections.unmodifiableMap(tensors);
  }

  private static Map<?, ?> dictionary(Object root) throws IOException {
    return Optional.ofNullable(root)
        .filter(Map.class::isInstance)
        .<Map<?, ?>>map(Map.class::cast)
        .orElseThrow(TorchFile::noStateDictionary);
  }

  private static IOException noStateDictionary() {
    return new IOException("it holds no state dictionary: save model.state_dict()");
  }

  /** What stands before all names, several wrappers included. */
  private static String wrapper(Map<?, ?> dictionary) {
    String before = "";
    boolean more = !dictionary.isEmpty();
    while (more) {
      more = false;
      for (String wrapper : WRAPPERS) {
        String longer = before + wrapper;
        if (dictionary.keySet().stream()
            .allMatch(key -> key instanceof String name && name.startsWith(longer))) {
          before = longer;
          more = true;
        }
      }
    }
    return before;
  }

  /** Makes tensors of what a pickle calls for that. */
  private abstract static class Tensors implements Pickle.Functions {

    private static final Map<String, NumberType> TYPES =
        Map.ofEntries(
            Map.entry("FloatStorage", NumberType.FLOAT32),
            Map.entry("HalfStorage", NumberType.FLOAT16),
            Map.entry("BFloat16Storage", NumberType.BFLOAT16),
            Map.entry("DoubleStorage", NumberType.FLOAT64),
            Map.entry("LongStorage", NumberType.INT64),
            Map.entry("IntStorage", NumberType.INT32),
            Map.entry("ShortStorage", NumberType.INT16),
            Map.entry("CharStorage", NumberType.INT8),
            Map.entry("ByteStorage", NumberType.UINT8),
            Map.entry("BoolStorage", NumberType.UINT8));

    private record Storage(String key, NumberType type, long elements) {}

    /** A tensor before it is known where its storage lies. */
    private record View(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

    /** By key; several tensors may be views of one storage. */
    private final Map<String, ByteBuffer> mapped = new HashMap<>();

    /** The bytes of a storage. */
    abstract ByteBuffer storage(String key, long bytes) throws IOException;

    /** Tells how long a storage is, before any is asked for. */
    void announce(String key, long elements, int elementBytes) {}

    @Override
    public Object call(Name function, List<?> arguments) throws IOException {
      return switch (function.toString()) {
        case "collections.OrderedDict", "collections.defaultdict" -> new LinkedHashMap<>();
        case "torch.Size", "builtins.set", "__builtin__.set" ->
            arguments.size() == 1 && arguments.get(0) instanceof List<?> list ? list : List.of();
        case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor" -> view(arguments);
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" ->
            arguments.isEmpty() ? null : arguments.get(0);
        case "torch.device" -> "device";
        default -> throw refusal(function);
      };
    }

    private static IOException refusal(Name function) {
      String name = function.toString();
      String shown = Names.quoted(name);
      boolean module = name.matches("torch\\.nn\\..*|transformers\\..*|__main__\\..*|model\\..*");
      return new IOException(
          module
              ? "it holds a whole model of the class %s, which is code: save model.state_dict() instead"
                  .formatted(shown)
              : "its pickle calls %s, which no state dictionary needs; nothing of it was run"
                  .formatted(shown));
    }

    @Override
    public Object persistent(Object id) throws IOException {
      if (id instanceof List<?> parts
          && parts.size() >= 5
          && "storage".equals(parts.get(0))
          && parts.get(1) instanceof Name type
          && parts.get(2) instanceof String key
          && parts.get(4) instanceof Long elements
          && elements >= 0) {
        NumberType known = TYPES.get(type.name());
        if (known == null || !type.module().equals("torch")) {
          throw new IOException(
              "it has a storage of the type %s, which cannot be read"
                  .formatted(Names.quoted(type.toString())));
        }
        announce(key, elements, known.bytes());
        return new Storage(key, known, elements);
      }
      throw new IOException("its pickle refers to something that is no storage");
    }

    private static View view(List<?> arguments) throws IOException {
      if (arguments.size() < 4
          || !(arguments.get(0) instanceof Storage storage)
          || !(arguments.get(1) instanceof Long offset)) {
        throw new IOException("its pickle has a tensor that is none");
      }
      List<Long> shape = extents(arguments.get(2));
      List<Long> strides = extents(arguments.get(3));
      long elements = 1;
      long last = offset;
      for (int i = 0; i < shape.size() && strides.size() == shape.size(); i++) {
        elements = Math.multiplyExact(elements, shape.get(i));
        last =
            Math.addExact(last, Math.multiplyExact(Math.max(0, shape.get(i) - 1), strides.get(i)));
      }
      if (strides.size() != shape.size()
          || offset < 0
          || elements > 0 && last >= storage.elements()
          || elements > storage.elements()) {
        throw new IOException(
            "it has a tensor of the shape %s that reaches beyond its storage of %d elements"
                .formatted(shape, storage.elements()));
      }
      return new View(storage, offset, shape, strides);
    }

    private static List<Long> extents(Object tuple) throws IOException {
      if (tuple instanceof List<?> list
          && list.size() <= 8
          && list.stream().allMatch(n -> n instanceof Long extent && extent >= 0)) {
        return list.stream().map(Long.class::cast).toList();
      }
      throw new IOException("its pickle has a tensor that is none");
    }

    /** The tensors that an object holds in the place of views, dictionaries in it included. */
    Object resolved(Object root) throws IOException {
      return resolved(root, 2);
    }

    private Object resolved(Object object, int depth) throws IOException {
      if (object instanceof View view) {
        return tensor(view);
      }
      if (!(object instanceof Map<?, ?> map) || depth == 0) {
        return object;
      }
      Map<Object, Object> resolved = new LinkedHashMap<>();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        resolved.put(entry.getKey(), resolved(entry.getValue(), depth - 1));
      }
      return resolved;
    }

    private StreamedTensor tensor(View view) throws IOException {
      Storage storage = view.storage();
      NumberType type = storage.type();
      long bytes = Math.multiplyExact(storage.elements(), type.bytes());
      ByteBuffer data = mapped.get(storage.key());
      if (data == null) {
        data = storage(storage.key(), bytes);
        mapped.put(storage.key(), data);
      }
      return tensor(view, type, data);
    }

    private static StreamedTensor tensor(View view, NumberType type, ByteBuffer data) {
      StreamedTensor.Values values = type.values(data);
      StreamedTensor.Values placed =
          isContiguous(view)
              ? (first, into, offset, count) ->
                  values.read(view.offset() + first, into, offset, count)
              : (first, into, offset, count) -> {
                for (int i = 0; i < count; i++) {
                  int at = Math.toIntExact(place(view, first + i) * type.bytes());
                  into[offset + i] = type.get(data, at);
                }
              };
      return new StreamedTensor("", view.shape(), type.name(), placed);
    }

    private static boolean isContiguous(View view) {
      long stride = 1;
      for (int i = view.shape().size() - 1; i >= 0; i--) {
        if (view.shape().get(i) > 1 && view.strides().get(i) != stride) {
          return false;
        }
        stride *= view.shape().get(i);
      }
      return true;
    }

    /** Where in its storage an element of a view is. */
    private static long place(View view, long element) {
      long place = view.offset();
      for (int i = view.shape().size() - 1; i >= 0; i--) {
        long extent = view.shape().get(i);
        place += element % extent * view.strides().get(i);
        element /= extent;
      }
      return place;
    }
  }
}
