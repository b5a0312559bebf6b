package io.minimind.tokenizer;

import java.util.Arrays;

/**
 * Merges the symbols of one word after another: always the pair of the lowest rank, the leftmost
 * first among equals. In long words, symbols stay in place in a linked list and possible merges
 * wait in a heap, so that a word of n symbols takes O(n log n). The arrays are reused and grow to
 * the longest word; one thread at a time.
 */
final class BytePairMerger {

  /** How many symbols a word has at most for which looking through all pairs is faster. */
  private static final int SHORT = 64;

  private final MergeTable merges;

  private int[] symbols = new int[64];
  private int count;

  /** By symbol that is left: the first of those it was merged from. */
  private int[] firsts = {};

  // By symbol: its neighbours, and its merge with the next one.
  private int[] previous = {};
  private int[] next = {};
  private long[] pairs = {};

  /** Possible merges as rank and index of the left symbol, in a binary heap. */
  private long[] heap = {};

  private int heapSize;

  BytePairMerger(MergeTable merges) {
    this.merges = merges;
  }

  /** Begins a word. */
  void begin() {
    count = 0;
  }

  /** Adds a symbol to the word. */
  void add(int symbol) {
    if (count == symbols.length) {
      symbols = Arrays.copyOf(symbols, 2 * count);
    }
    symbols[count++] = symbol;
  }

  /** Merges the word's symbols; those left are the first {@link #count} of {@link #symbols}. */
  void merge() {
    if (next.length < count) {
      firsts = new int[symbols.length + 1];
      previous = new int[symbols.length];
      next = new int[symbols.length];
      pairs = new long[symbols.length];
      // A merge takes one entry and leaves at most two, and there are fewer merges than symbols.
      heap = new long[2 * symbols.length];
    }
    if (count <= SHORT) {
      mergeShort();
    } else {
      mergeLong();
    }
  }

  /** Looks through all pairs for each merge, which for few symbols is faster than a heap. */
  private void mergeShort() {
    for (int i = 0; i < count; i++) {
      firsts[i] = i;
      pairs[i] = i + 1 < count ? merges.find(symbols[i], symbols[i + 1]) : MergeTable.NONE;
    }
    firsts[count] = count;
    while (true) {
      int best = 0;
      long lowest = MergeTable.NONE;
      for (int i = 0; i < count - 1; i++) {
        if (pairs[i] < lowest) {
          lowest = pairs[i];
          best = i;
        }
      }
      if (lowest == MergeTable.NONE) {
        return;
      }
      symbols[best] = MergeTable.merged(lowest);
      count--;
      for (int i = best + 1; i < count; i++) {
        symbols[i] = symbols[i + 1];
        firsts[i] = firsts[i + 1];
        pairs[i] = pairs[i + 1];
      }
      firsts[count] = firsts[count + 1];
      pairs[best] =
          best + 1 < count ? merges.find(symbols[best], symbols[best + 1]) : MergeTable.NONE;
      if (best > 0) {
        pairs[best - 1] = merges.find(symbols[best - 1], symbols[best]);
      }
    }
  }

  private void mergeLong() {
    heapSize = 0;
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
      pairWithNext(i);
    }
    while (heapSize > 0) {
      long top = pop();
      int left = (int) top;
      long merge = pairs[left];
      // Entries are not removed when their pair changes; they are passed over here.
      if (merge == MergeTable.NONE || MergeTable.rank(merge) != (int) (top >>> 32)) {
        continue;
      }
      int right = next[left];
      symbols[left] = MergeTable.merged(merge);
      pairs[right] = MergeTable.NONE;
      next[left] = next[right];
      if (next[left] < count) {
        previous[next[left]] = left;
      }
      pairWithNext(left);
      if (previous[left] >= 0) {
        pairWithNext(previous[left]);
      }
    }
    int kept = 0;
    for (int i = 0; i < count; i = next[i]) {
      firsts[kept] = i;
      symbols[kept++] = symbols[i];
    }
    firsts[kept] = count;
    count = kept;
  }

  int[] symbols() {
    return symbols;
  }

  int count() {
    return count;
  }

  /**
   * By symbol that is left, the index among the added symbols of the first of those that it was
   * merged from; behind the last, the number of added symbols.
   */
  int[] firsts() {
    return firsts;
  }

  private void pairWithNext(int left) {
    pairs[left] =
        next[left] < count ? merges.find(symbols[left], symbols[next[left]]) : MergeTable.NONE;
    if (pairs[left] != MergeTable.NONE) {
      push((long) MergeTable.rank(pairs[left]) << 32 | left);
    }
  }

  private void push(long entry) {
    int hole = heapSize++;
    while (hole > 0 && heap[(hole - 1) / 2] > entry) {
      heap[hole] = heap[(hole - 1) / 2];
      hole = (hole - 1) / 2;
    }
    heap[hole] = entry;
  }

  private long pop() {
    long top = heap[0];
    long last = heap[--heapSize];
    int hole = 0;
    for (int child = 1; child < heapSize; child = 2 * hole + 1) {
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= last) {
        break;
      }
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = last;
    return top;
  }
}
