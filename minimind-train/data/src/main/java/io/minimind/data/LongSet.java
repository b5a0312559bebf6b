package io.minimind.data;

/** Numbers without their boxes, of which there may be very many: eight to sixteen bytes each. */
final class LongSet {

  private long[] slots = new long[64];
  private int size;
  private boolean hasZero;

  void add(long number) {
    if (number == 0) {
      hasZero = true;
      return;
    }
    int slot = slot(number);
    if (slots[slot] == 0) {
      slots[slot] = number;
      if (++size > slots.length / 4 * 3) {
        grow();
      }
    }
  }

  boolean contains(long number) {
    return number == 0 ? hasZero : slots[slot(number)] == number;
  }

  /** Where a number is, or would be. */
  private int slot(long number) {
    long mixed = number * 0x9E3779B97F4A7C15L;
    int slot = (int) (mixed >>> 32) & slots.length - 1;
    while (slots[slot] != 0 && slots[slot] != number) {
      slot = slot + 1 & slots.length - 1;
    }
    return slot;
  }

  private void grow() {
    long[] old = slots;
    slots = new long[Math.multiplyExact(old.length, 2)];
    for (long number : old) {
      if (number != 0) {
        slots[slot(number)] = number;
      }
    }
  }
}
