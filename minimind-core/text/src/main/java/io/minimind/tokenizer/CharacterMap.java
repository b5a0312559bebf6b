package io.minimind.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Which characters a SentencePiece model replaces, and by what: a double array over the bytes of
 * UTF-8, as the Darts library lays it out, and after it the replacements, each ended by a zero.
 *
 * <p>SentencePiece reads the array without looking where it ends. {@link #read} therefore walks all
 * of it once and refuses what would lead out of it.
 */
final class CharacterMap {

  /** No character is replaced. */
  static final CharacterMap IDENTITY = new CharacterMap(new byte[0], new int[0], 0);

  /** How many rules, each longer than the one before, SentencePiece has room for at one place. */
  private static final int MAXIMUM_NESTING = 32;

  private static final int MAXIMUM_LENGTH = 255;

  private final byte[] bytes;
  private final int[] units;

  /** Where the replacements begin in {@code bytes}. */
  private final int replacements;

  private CharacterMap(byte[] bytes, int[] units, int replacements) {
    this.bytes = bytes;
    this.units = units;
    this.replacements = replacements;
  }

  /**
   * Reads a map.
   *
   * @param bytes the size of the array in bytes, the array, and the replacements; none at all is
   *     the identity
   * @throws IOException if the map is damaged; the message says how, in half a sentence
   */
  static CharacterMap read(byte[] bytes) throws IOException {
    if (bytes.length == 0) {
      return IDENTITY;
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int size = bytes.length < Integer.BYTES ? -1 : buffer.getInt();
    if (size < 0 || size % Integer.BYTES != 0 || size >= bytes.length - Integer.BYTES) {
      throw new IOException("the size of its table does not fit the data");
    }
    if (bytes[bytes.length - 1] != 0) {
      throw new IOException("its last replacement has no end");
    }
    int[] units = new int[size / Integer.BYTES];
    buffer.asIntBuffer().get(units);
    CharacterMap map = new CharacterMap(bytes, units, Integer.BYTES + size);
    byte[] nesting = new byte[units.length];
    Arrays.fill(nesting, (byte) -1);
    map.verify(0, 0, nesting);
    return map;
  }

  byte[] toBytes() {
    return bytes;
  }

  /**
   * The longest rule that applies at a place.
   *
   * @return the length of what is replaced, 0 if nothing is, in the upper half; in the lower half
   *     where in {@link #toBytes} the replacement begins, which a zero ends
   */
  long longestRule(byte[] text, int at, int end) {
    long longest = 0;
    if (units.length == 0) {
      return longest;
    }
    int node = offset(units[0]);
    for (int i = at; i < end; i++) {
      int label = text[i] & 0xFF;
      node ^= label;
      int unit = units[node];
      if (!hasLabel(unit, label)) {
        break;
      }
      node ^= offset(unit);
      if (hasLeaf(unit)) {
        longest = (long) (i + 1 - at) << 32 | replacements + value(units[node]);
      }
    }
    return longest;
  }

  /** Makes sure of all that can be reached from a node; gives how many rules nest below it. */
  private int verify(int node, int depth, byte[] nesting) throws IOException {
    if (depth > MAXIMUM_LENGTH) {
      throw new IOException("it has a circle or a rule of more than " + MAXIMUM_LENGTH + " bytes");
    }
    if (node >= units.length) {
      throw new IOException("its table leads out of itself");
    }
    if (nesting[node] >= 0) {
      return nesting[node];
    }
    int children = node ^ offset(units[node]);
    if (children < 0 || (children | 0xFF) >= units.length) {
      throw new IOException("its table leads out of itself");
    }
    if (hasLeaf(units[node]) && replacements + (long) value(units[children]) >= bytes.length) {
      throw new IOException("a replacement lies outside of it");
    }
    int deepest = 0;
    for (int label = 0; label <= 0xFF; label++) {
      if (hasLabel(units[children ^ label], label)) {
        deepest = Math.max(deepest, verify(children ^ label, depth + 1, nesting));
      }
    }
    deepest += hasLeaf(units[node]) ? 1 : 0;
    if (deepest > MAXIMUM_NESTING) {
      throw new IOException("more than " + MAXIMUM_NESTING + " rules begin alike");
    }
    nesting[node] = (byte) deepest;
    return deepest;
  }

  private static boolean hasLabel(int unit, int label) {
    return (unit & 0x800000FF) == label;
  }

  private static boolean hasLeaf(int unit) {
    return (unit >>> 8 & 1) == 1;
  }

  private static int value(int unit) {
    return unit & 0x7FFFFFFF;
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }
}
