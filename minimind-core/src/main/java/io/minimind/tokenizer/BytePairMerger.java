package io.minimind.tokenizer;

/**
 * Merges the symbols of one word after another. Always the pair of the lowest rank is merged, the
 * leftmost first among equals. The arrays are reused and grow to the longest word; one thread at a
 * time.
 */
final class BytePairMerger {

  /** Up to this many symbols, searching all pairs for the best costs less than keeping a heap. */
  private static final int SHORT_WORD = 128;

  private final MergeTable merges;

  private int[] symbols = new int[SHORT_WORD];
  private int count;

  /** The merge of each symbol with the next one, {@link MergeTable#NONE} for the last. */
  private long[] pairs = new long[SHORT_WORD];

  // Of long words only: neighbours by index, and pending merges as rank and index.
  private int[] previous = {};
  private int[] next = {};
  private long[] heap = {};
  private int heapSize;

  BytePairMerger(MergeTable merges) {
    this.merges = merges;
  }

  /** Begins a word of at most {@code length} symbols. */
  void begin(int length) {
    count = 0;
    if (symbols.length < length) {
      symbols = new int[Math.max(length, symbols.length * 2)];
      pairs = new long[symbols.length];
    }
  }

  /** Adds a symbol to the word. */
  void add(int symbol) {
    symbols[count++] = symbol;
  }

  /**
   * Merges the word's symbols; afterwards they are the first {@link #count} of {@link #symbols}.
   */
  void merge() {
    if (count <= 1) {
      return;
    }
    for (int i = 0; i + 1 < count; i++) {
      pairs[i] = merges.find(symbols[i], symbols[i + 1]);
    }
    pairs[count - 1] = MergeTable.NONE;
    if (count <= SHORT_WORD) {
      mergeShort();
    } else {
      mergeLong();
    }
  }

  int[] symbols() {
    return symbols;
  }

  int count() {
    return count;
  }

  private void mergeShort() {
    while (true) {
      int best = 0;
      long merge = pairs[0];
      for (int i = 1; i < count; i++) {
        // Equal merges differ in nothing, so strictly less keeps the leftmost.
        if (pairs[i] < merge) {
          merge = pairs[i];
          best = i;
        }
      }
      if (merge == MergeTable.NONE) {
        return;
      }
      symbols[best] = MergeTable.merged(merge);
      count--;
      System.arraycopy(symbols, best + 2, symbols, best + 1, count - best - 1);
      System.arraycopy(pairs, best + 1, pairs, best, count - best);
      if (best > 0) {
        pairs[best - 1] = merges.find(symbols[best - 1], symbols[best]);
      }
      if (best + 1 < count) {
        pairs[best] = merges.find(symbols[best], symbols[best + 1]);
      }
    }
  }

  /** The same in O(n log n): symbols stay in place in a linked list, merges wait in a heap. */
  private void mergeLong() {
    if (next.length < count) {
      next = new int[symbols.length];
      previous = new int[symbols.length];
      // A merge takes one entry and leaves at most two, and there are fewer merges than symbols.
      heap = new long[2 * symbols.length];
    }
    heapSize = 0;
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
      push(i);
    }
    while (heapSize > 0) {
      long top = pop();
      int at = (int) top;
      long merge = pairs[at];
      // Entries are not removed when their pair changes; they are passed over here.
      if (merge == MergeTable.NONE || MergeTable.rank(merge) != (int) (top >>> 32)) {
        continue;
      }
      int right = next[at];
      int after = next[right];
      symbols[at] = MergeTable.merged(merge);
      pairs[right] = MergeTable.NONE;
      next[at] = after;
      if (after < count) {
        previous[after] = at;
        pairs[at] = merges.find(symbols[at], symbols[after]);
        push(at);
      } else {
        pairs[at] = MergeTable.NONE;
      }
      int before = previous[at];
      if (before >= 0) {
        pairs[before] = merges.find(symbols[before], symbols[at]);
        push(before);
      }
    }
    int kept = 0;
    for (int i = 0; i < count; i = next[i]) {
      symbols[kept++] = symbols[i];
    }
    count = kept;
  }

  private void push(int at) {
    if (pairs[at] == MergeTable.NONE) {
      return;
    }
    long entry = (long) MergeTable.rank(pairs[at]) << 32 | at;
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
    while (2 * hole + 1 < heapSize) {
      int child = 2 * hole + 1;
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
