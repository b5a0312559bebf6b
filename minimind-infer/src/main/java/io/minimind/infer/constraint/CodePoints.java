package io.minimind.infer.constraint;

import java.util.BitSet;

/** Sets of characters, as bits by code point; surrogates, which are no characters, are in none. */
final class CodePoints {
  private static final int COUNT = Character.MAX_CODE_POINT + 1;

  private CodePoints() {}

  static BitSet of(String characters) {
    BitSet set = new BitSet();
    characters.codePoints().forEach(set::set);
    return set;
  }

  /** The characters from one to another, both included. */
  static BitSet range(int first, int last) {
    BitSet set = new BitSet();
    set.set(first, last + 1);
    set.clear(Character.MIN_SURROGATE, Character.MAX_SURROGATE + 1);
    return set;
  }

  static BitSet union(BitSet one, BitSet other) {
    BitSet set = (BitSet) one.clone();
    set.or(other);
    return set;
  }

  static BitSet minus(BitSet one, BitSet other) {
    BitSet set = (BitSet) one.clone();
    set.andNot(other);
    return set;
  }

  static BitSet complement(BitSet set) {
    return minus(range(0, COUNT - 1), set);
  }
}
