package io.minimind.runtime;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.bytedeco.javacpp.indexer.LongIndexer;

/** Numbers in native memory, by their addresses; nothing checks these. */
final class NativeFloats {

  private static final FloatIndexer ALL = FloatIndexer.create(new Everything());
  private static final LongIndexer INTEGERS = LongIndexer.create(new EveryInteger());

  private NativeFloats() {}

  private static final class Everything extends FloatPointer {
    private Everything() {
      super((Pointer) null);
      capacity = Long.MAX_VALUE / Float.BYTES;
      limit = capacity;
    }
  }

  private static final class EveryInteger extends LongPointer {
    private EveryInteger() {
      super((Pointer) null);
      capacity = Long.MAX_VALUE / Long.BYTES;
      limit = capacity;
    }
  }

  /** The int64 at a multiple of 8. */
  static long integer(long address) {
    return INTEGERS.get(address >> 3);
  }

  static void putInteger(long address, long number) {
    INTEGERS.put(address >> 3, number);
  }

  /** The number at a multiple of 4. */
  static float get(long address) {
    return ALL.get(address >> 2);
  }

  static void put(long address, float number) {
    ALL.put(address >> 2, number);
  }

  /** Makes numbers 0. */
  static void clear(long address, long count) {
    if (count > 0) {
      Pointer.memset(new KernelDomain.Handle(address), 0, Float.BYTES * count);
    }
  }

  static void fill(long address, long count, float number) {
    for (long i = 0; i < count; i++) {
      ALL.put((address >> 2) + i, number);
    }
  }

  /** {@code to = factor · from}. */
  static void copy(long from, long to, long count, float factor) {
    for (long i = 0; i < count; i++) {
      ALL.put((to >> 2) + i, factor * ALL.get((from >> 2) + i));
    }
  }

  /** Copies numbers to another place. */
  static void move(long from, long to, long count) {
    Pointer.memcpy(new KernelDomain.Handle(to), new KernelDomain.Handle(from), Float.BYTES * count);
  }

  static void add(long address, long count, float number) {
    for (long i = address >> 2; i < (address >> 2) + count; i++) {
      ALL.put(i, ALL.get(i) + number);
    }
  }

  /** The sum of products, added up in four parts. */
  static float product(long a, long b, long count) {
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    long i = 0;
    long first = a >> 2;
    long second = b >> 2;
    for (; i + 3 < count; i += 4) {
      sum0 += ALL.get(first + i) * ALL.get(second + i);
      sum1 += ALL.get(first + i + 1) * ALL.get(second + i + 1);
      sum2 += ALL.get(first + i + 2) * ALL.get(second + i + 2);
      sum3 += ALL.get(first + i + 3) * ALL.get(second + i + 3);
    }
    for (; i < count; i++) {
      sum0 += ALL.get(first + i) * ALL.get(second + i);
    }
    return (sum0 + sum1) + (sum2 + sum3);
  }

  /** The largest number, or one that is not a number if there is such. */
  static float largest(long address, long count) {
    float largest = Float.NEGATIVE_INFINITY;
    for (long i = 0; i < count; i++) {
      largest = Math.max(largest, ALL.get((address >> 2) + i));
    }
    return largest;
  }
}
