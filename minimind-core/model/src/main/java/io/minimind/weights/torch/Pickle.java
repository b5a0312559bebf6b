package io.minimind.weights.torch;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a pickle, Python's program that builds objects, as far as models need it. Nothing that it
 * names is ever looked up or run: what it calls is a {@link Functions}' to know, and everything
 * else is refused. It costs no more memory than a small multiple of its size.
 *
 * <p>Dictionaries are {@link Map}s, lists and tuples {@link List}s, whole numbers {@link Long} or
 * {@link BigInteger}; what a pickle names is a {@link Name}.
 */
final class Pickle {

  /** Something of a module, by its name. */
  record Name(String module, String name) {

    @Override
    public String toString() {
      return module + "." + name;
    }
  }

  /** What a pickle may call. */
  interface Functions {

    /**
     * Calls a function or makes an object of a class.
     *
     * @throws IOException if that is not allowed
     */
    Object call(Name function, List<?> arguments) throws IOException;

    /** The object that the pickle refers to instead of holding it. */
    Object persistent(Object id) throws IOException;
  }

  /** A state dictionary of 20,000 tensors takes a quarter of this. */
  private static final int MOST_STEPS = 2_000_000;

  private static final Object MARK = new Object();

  private final ByteBuffer in;
  private final Functions functions;
  private final ArrayList<Object> stack = new ArrayList<>();
  private final Map<Long, Object> memo = new HashMap<>();

  private Pickle(ByteBuffer in, Functions functions) {
    this.in = in;
    this.functions = functions;
  }

  /**
   * Reads the pickle at the position of a buffer, and leaves the position behind it.
   *
   * @throws IOException with what is wrong with it
   */
  static Object read(ByteBuffer in, Functions functions) throws IOException {
    in.order(ByteOrder.LITTLE_ENDIAN);
    return new Pickle(in, functions).read();
  }

  private Object read() throws IOException {
    for (int step = 0; step < MOST_STEPS; step++) {
      int code = bytes(1).get() & 0xFF;
      if (code == '.') {
        return pop();
      }
      step(code);
    }
    throw new IOException("its pickle is longer than that of any model");
  }

  private void step(int code) throws IOException {
    switch (code) {
      case 0x80 -> bytes(1);
      case 0x95 -> bytes(8);
      case '(' -> stack.add(MARK);
      case '0' -> pop();
      case '1' -> fromMark();
      case '2' -> push(peek());
      case 'N' -> push(null);
      case 0x88 -> push(true);
      case 0x89 -> push(false);
      case 'K' -> push((long) (bytes(1).get() & 0xFF));
      case 'M' -> push((long) (bytes(2).getShort() & 0xFFFF));
      case 'J' -> push((long) bytes(4).getInt());
      case 0x8A -> push(whole(bytes(1).get() & 0xFF));
      case 0x8B -> push(whole(length(4)));
      case 'I' -> push(decimal(line()));
      case 'L' -> push(decimal(line().replaceFirst("L$", "")));
      case 'G' -> push(bytes(8).order(ByteOrder.BIG_ENDIAN).getDouble());
      case 'X' -> push(text(length(4)));
      case 0x8C -> push(text(bytes(1).get() & 0xFF));
      case 0x8D -> push(text(length(8)));
      case 'T' -> push(text(length(4)));
      case 'U' -> push(text(bytes(1).get() & 0xFF));
      case 'B' -> push(raw(length(4)));
      case 'C' -> push(raw(bytes(1).get() & 0xFF));
      case '}' -> push(new LinkedHashMap<Object, Object>());
      case ']' -> push(new ArrayList<>(0));
      case 0x8F -> push(new ArrayList<>(0));
      case ')' -> push(List.of());
      case 0x85 -> push(Arrays.asList(pop()));
      case 0x86 -> tuple(2);
      case 0x87 -> tuple(3);
      case 't' -> {
        List<Object> items = fromMark();
        push(items);
      }
      case 'l' -> {
        List<Object> items = fromMark();
        push(items);
      }
      case 'd' -> {
        List<Object> items = fromMark();
        Map<Object, Object> map = new LinkedHashMap<>();
        put(map, items);
        push(map);
      }
      case 'a' -> {
        Object item = pop();
        list().add(item);
      }
      case 'e', 0x90 -> {
        List<Object> items = fromMark();
        list().addAll(items);
      }
      case 's' -> {
        Object value = pop();
        Object key = pop();
        put(map(), Arrays.asList(key, value));
      }
      case 'u' -> {
        List<Object> items = fromMark();
        put(map(), items);
      }
      case 'q' -> memo.put((long) (bytes(1).get() & 0xFF), peek());
      case 'r' -> memo.put(bytes(4).getInt() & 0xFFFFFFFFL, peek());
      case 0x94 -> memo.put((long) memo.size(), peek());
      case 'p' -> memo.put(index(line()), peek());
      case 'h' -> push(remembered(bytes(1).get() & 0xFF));
      case 'j' -> push(remembered(bytes(4).getInt() & 0xFFFFFFFFL));
      case 'g' -> push(remembered(index(line())));
      case 'c' -> push(new Name(line(), line()));
      case 0x93 -> {
        String name = pop(String.class); // Lists within lists would be spelt for ever.
        push(new Name(pop(String.class), name));
      }
      case 'R', 0x81 -> {
        Object arguments = pop();
        Object function = pop();
        if (!(function instanceof Name name) || !(arguments instanceof List<?> list)) {
          throw damaged();
        }
        push(functions.call(name, list));
      }
      case 'Q' -> push(functions.persistent(pop()));
      case 'b' -> {
        // The state of an object; those that are allowed here need none of it.
        Object state = pop();
        if (peek() instanceof Name || !(state instanceof Map)) {
          throw damaged();
        }
      }
      default ->
          throw new IOException(
              "its pickle has the instruction 0x%02x, which no model needs".formatted(code));
    }
  }

  private void tuple(int size) throws IOException {
    Object[] items = new Object[size];
    for (int i = size - 1; i >= 0; i--) {
      items[i] = pop();
    }
    push(Arrays.asList(items));
  }

  private void push(Object object) {
    stack.add(object);
  }

  private Object pop() throws IOException {
    if (stack.isEmpty() || stack.get(stack.size() - 1) == MARK) {
      throw damaged();
    }
    return stack.remove(stack.size() - 1);
  }

  private <T> T pop(Class<T> type) throws IOException {
    Object object = pop();
    if (!type.isInstance(object)) {
      throw damaged();
    }
    return type.cast(object);
  }

  private Object peek() throws IOException {
    Object top = pop();
    push(top);
    return top;
  }

  private List<Object> fromMark() throws IOException {
    int mark = stack.lastIndexOf(MARK);
    if (mark < 0) {
      throw damaged();
    }
    List<Object> above = stack.subList(mark + 1, stack.size());
    List<Object> items = new ArrayList<>(above);
    above.clear();
    stack.remove(mark);
    return items;
  }

  @SuppressWarnings("unchecked")
  private List<Object> list() throws IOException {
    if (peek() instanceof ArrayList<?> list) {
      return (List<Object>) list;
    }
    throw damaged();
  }

  @SuppressWarnings("unchecked")
  private Map<Object, Object> map() throws IOException {
    if (peek() instanceof Map<?, ?> map) {
      return (Map<Object, Object>) map;
    }
    throw damaged();
  }

  /** Only what is compared by itself or quickly is a key: a tuple of tuples could hash for ever. */
  private static void put(Map<Object, Object> map, List<Object> items) throws IOException {
    if (items.size() % 2 != 0) {
      throw damaged();
    }
    for (int i = 0; i < items.size(); i += 2) {
      Object key = items.get(i);
      if (!(key instanceof String || key instanceof Long)) {
        throw new IOException("its pickle has a dictionary with a key that is no name or number");
      }
      map.put(key, items.get(i + 1));
    }
  }

  private Object remembered(long index) throws IOException {
    if (!memo.containsKey(index)) {
      throw damaged();
    }
    return memo.get(index);
  }

  private ByteBuffer bytes(int count) throws IOException {
    if (count > in.remaining()) {
      throw new IOException("its pickle is cut short");
    }
    ByteBuffer bytes = in.slice(in.position(), count).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + count);
    return bytes;
  }

  private int length(int size) throws IOException {
    long length = size == 8 ? bytes(8).getLong() : bytes(4).getInt() & 0xFFFFFFFFL;
    if (length < 0 || length > in.remaining()) {
      throw new IOException("its pickle is cut short");
    }
    return (int) length;
  }

  private String text(int length) throws IOException {
    return new String(raw(length), StandardCharsets.UTF_8);
  }

  private byte[] raw(int length) throws IOException {
    byte[] raw = new byte[length];
    bytes(length).get(raw);
    return raw;
  }

  private String line() throws IOException {
    int start = in.position();
    int end = start;
    while (end < in.limit() && in.get(end) != '\n') {
      end++;
    }
    String line = text(Math.min(end, in.limit()) - start);
    bytes(1);
    return line;
  }

  private Object whole(int length) throws IOException {
    byte[] little = raw(length);
    byte[] big = new byte[length + 1];
    for (int i = 0; i < length; i++) {
      big[length - i] = little[i];
    }
    big[0] = (byte) (length > 0 && little[length - 1] < 0 ? -1 : 0);
    BigInteger whole = new BigInteger(big);
    return whole.bitLength() < Long.SIZE ? (Object) whole.longValue() : whole;
  }

  private static Object decimal(String line) throws IOException {
    try {
      return switch (line) {
        case "00" -> false;
        case "01" -> true;
        default -> Long.parseLong(line);
      };
    } catch (NumberFormatException e) {
      throw damaged();
    }
  }

  private static long index(String line) throws IOException {
    try {
      return Long.parseLong(line);
    } catch (NumberFormatException e) {
      throw damaged();
    }
  }

  private static IOException damaged() {
    return new IOException("its pickle is damaged");
  }
}
