package io.minimind.tokenizer;

import io.minimind.files.ArgumentException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.IntConsumer;

/**
 * Learns byte-pair merges: again and again the pair of neighbouring symbols that occurs most often
 * becomes a symbol of its own; among equals a {@link Preference} decides. What is learnt depends
 * neither on the order of the words nor on anything else but their counts.
 *
 * <p>All words lie in one array, and no symbol is ever moved: a merged symbol occupies the slots of
 * its parts. Each candidate pair knows where it occurred when it arose. Other merges may have used
 * up some of these places since, so its count is an upper bound; it is counted again only when it
 * comes out of the queue as the best. A pair can arise in one step only, that in which the younger
 * of its symbols is made, so a count never grows.
 */
final class MergeLearner {

  /** Distinct words as sequences of symbols, and how often each occurs. */
  interface Words {

    /** The number of distinct words. */
    int size();

    /** How often a word occurs, at least 1. */
    long count(int word);

    /** The number of symbols of a word. */
    int length(int word);

    /**
     * Puts the symbols of a word, each less than the number of initial ones or {@link #BOUNDARY},
     * into an array.
     */
    void copySymbols(int word, int[] target, int at);
  }

  /** Two symbols that become one. The first merge makes the symbol after the initial ones. */
  record Merge(int left, int right) {}

  /** Which pairs may merge, and which of two that occur equally often merges first. */
  interface Preference {

    /**
     * All pairs may merge; among equals the pair of the lowest symbols is first, the left one
     * deciding. This is the rule of the Hugging Face library.
     */
    Preference LOWEST_SYMBOLS =
        (left, right, otherLeft, otherRight) ->
            left != otherLeft
                ? Integer.compare(left, otherLeft)
                : Integer.compare(right, otherRight);

    /** Less than 0 if the first pair merges before the other one, if both occur equally often. */
    int compare(int left, int right, int otherLeft, int otherRight);

    /** Whether a pair may merge: asked when it arises, and again when its turn has come. */
    default boolean allows(int left, int right) {
      return true;
    }

    /** Told that a pair has become the next symbol. */
    default void merged(int left, int right) {}
  }

  /** A pair, the places where it may occur, and an upper bound of how often it does. */
  private static final class Candidate {
    final int left;
    final int right;
    final int[] positions;
    final int from;
    int to;
    long count;

    Candidate(int left, int right, int[] positions, int from, int to, long count) {
      this.left = left;
      this.right = right;
      this.positions = positions;
      this.from = from;
      this.to = to;
      this.count = count;
    }
  }

  /** Stands between words, and in them for what has no symbol and merges with nothing. */
  static final int BOUNDARY = Integer.MIN_VALUE;

  /**
   * The words. The first slot of a symbol holds it, the last one its complement; what is between
   * them is negative too.
   */
  private final int[] slots;

  /** Words of equal count are neighbours: where each such range ends, and the count in it. */
  private final int[] rangeEnds;

  private final long[] rangeCounts;
  private int range;

  /** By symbol: how many initial symbols it is made of. */
  private final int[] lengths;

  private final long minimumCount;
  private final int maximumLength;
  private final Preference preference;
  private final PriorityQueue<Candidate> queue;
  private final Neighbours before;
  private final Neighbours after;

  private MergeLearner(
      Words words,
      int initialSymbols,
      int maximumMerges,
      long minimumCount,
      int maximumLength,
      Preference preference) {
    this.minimumCount = Math.max(1, minimumCount);
    this.maximumLength = maximumLength;
    this.preference = preference;
    queue =
        new PriorityQueue<>(
            Comparator.comparingLong((Candidate pair) -> -pair.count)
                .thenComparing((a, b) -> preference.compare(a.left, a.right, b.left, b.right)));
    long size = 1;
    // Sorted by count; counts too large for the key only make for more ranges.
    long[] order = new long[words.size()];
    for (int word = 0; word < order.length; word++) {
      size += words.length(word) + 1L;
      order[word] = Math.min(words.count(word), 0xFFFF_FFFFL) << 31 | word;
    }
    if (size > Integer.MAX_VALUE - 8) {
      throw new ArgumentException(
          "The distinct words have %,d symbols in all, more than can be learnt from: use less text."
              .formatted(size));
    }
    // Each merge leaves fewer symbols in the words, so there are no more merges than these.
    lengths = new int[initialSymbols + (int) Math.min(maximumMerges, size)];
    Arrays.fill(lengths, 0, initialSymbols, 1);
    before = new Neighbours(lengths.length);
    after = new Neighbours(lengths.length);
    Arrays.sort(order);
    slots = new int[(int) size];
    int[] ends = new int[16];
    long[] counts = new long[16];
    int ranges = 0;
    int at = 0;
    slots[at++] = BOUNDARY;
    for (int i = order.length - 1; i >= 0; i--) {
      int word = (int) order[i] & Integer.MAX_VALUE;
      words.copySymbols(word, slots, at);
      at += words.length(word);
      slots[at++] = BOUNDARY;
      if (ranges == 0 || counts[ranges - 1] != words.count(word)) {
        if (ranges == ends.length) {
          ends = Arrays.copyOf(ends, 2 * ranges);
          counts = Arrays.copyOf(counts, 2 * ranges);
        }
        counts[ranges++] = words.count(word);
      }
      ends[ranges - 1] = at;
    }
    rangeEnds = Arrays.copyOf(ends, ranges);
    rangeCounts = Arrays.copyOf(counts, ranges);
  }

  /**
   * Learns merges until there are enough of them, or no pair is left.
   *
   * @param initialSymbols how many symbols there are at first; the words consist of them
   * @param maximumMerges how many merges to learn, from 0
   * @param minimumCount how often a pair must occur to be merged; 0 means the same as 1
   * @param maximumLength of how many initial symbols a merged one may consist
   * @param preference which pairs may merge, and which of two equals comes first
   * @param progress told the number of merges after each of them, on this thread
   * @return the merges in their order; the one at index i makes the symbol {@code initialSymbols +
   *     i}
   * @throws IllegalArgumentException if the words are too long all together: 2 billion symbols
   */
  static List<Merge> learn(
      Words words,
      int initialSymbols,
      int maximumMerges,
      long minimumCount,
      int maximumLength,
      Preference preference,
      IntConsumer progress) {
    MergeLearner learner =
        new MergeLearner(
            words, initialSymbols, maximumMerges, minimumCount, maximumLength, preference);
    learner.findInitialPairs(initialSymbols);
    List<Merge> merges = new ArrayList<>();
    while (merges.size() < maximumMerges && !learner.queue.isEmpty()) {
      Candidate best = learner.queue.poll();
      if (!preference.allows(best.left, best.right)) {
        continue;
      }
      if (learner.recount(best)) {
        preference.merged(best.left, best.right);
        learner.merge(best, initialSymbols + merges.size());
        merges.add(new Merge(best.left, best.right));
        progress.accept(merges.size());
      } else if (best.count >= learner.minimumCount) {
        learner.queue.add(best);
      }
    }
    return merges;
  }

  private void findInitialPairs(int initialSymbols) {
    // Positions by symbol, so that the pairs of one left symbol are grouped at a time.
    int[] starts = new int[initialSymbols + 1];
    for (int slot : slots) {
      if (slot >= 0) {
        starts[slot + 1]++;
      }
    }
    for (int symbol = 0; symbol < initialSymbols; symbol++) {
      starts[symbol + 1] += starts[symbol];
    }
    int[] positions = new int[starts[initialSymbols]];
    int[] next = starts.clone();
    for (int at = 0; at < slots.length; at++) {
      if (slots[at] >= 0) {
        positions[next[slots[at]]++] = at;
      }
    }
    for (int left = 0; left < initialSymbols; left++) {
      for (int i = starts[left]; i < starts[left + 1]; i++) {
        int right = slots[positions[i] + 1];
        if (right >= 0) {
          after.add(right, positions[i], weight(positions[i]));
        }
      }
      after.enqueue(left, true);
    }
  }

  /** Drops the places that are used up; whether the count was exact. */
  private boolean recount(Candidate pair) {
    int kept = pair.from;
    long count = 0;
    for (int i = pair.from; i < pair.to; i++) {
      int at = pair.positions[i];
      if (occurs(pair, at)) {
        pair.positions[kept++] = at;
        count += weight(at);
      }
    }
    pair.to = kept;
    boolean exact = count == pair.count;
    pair.count = count;
    return exact;
  }

  private boolean occurs(Candidate pair, int at) {
    return slots[at] == pair.left && slots[at + lengths[pair.left]] == pair.right;
  }

  private void merge(Candidate pair, int merged) {
    int leftLength = lengths[pair.left];
    int length = leftLength + lengths[pair.right];
    lengths[merged] = length;
    // The places are in ascending order: in a run of equal symbols the leftmost two merge first.
    for (int i = pair.from; i < pair.to; i++) {
      int at = pair.positions[i];
      if (!occurs(pair, at)) {
        continue;
      }
      slots[at] = merged;
      slots[at + leftLength] = ~merged;
      slots[at + length - 1] = ~merged;
      long weight = weight(at);
      int previous = slots[at - 1];
      if (previous != BOUNDARY) {
        int symbol = previous < 0 ? ~previous : previous;
        before.add(symbol, at - lengths[symbol], weight);
      }
      int next = slots[at + length];
      if (next >= 0) {
        after.add(next, at, weight);
      }
    }
    before.enqueue(merged, false);
    after.enqueue(merged, true);
  }

  /** The count of the word at a position. */
  private long weight(int at) {
    if (at >= rangeEnds[range] || range > 0 && at < rangeEnds[range - 1]) {
      int found = Arrays.binarySearch(rangeEnds, at);
      range = found < 0 ? ~found : found + 1;
    }
    return rangeCounts[range];
  }

  /** Collects the neighbours of a symbol on one side, with the places of the pairs they make. */
  private final class Neighbours {
    private int[] symbols = new int[64];
    private int[] positions = new int[64];
    private int size;

    /** The different neighbours, and by symbol how many places and occurrences each has. */
    private final int[] different;

    private int differentSize;
    private final int[] places;
    private final long[] counts;

    Neighbours(int symbolLimit) {
      different = new int[symbolLimit];
      places = new int[symbolLimit];
      counts = new long[symbolLimit];
    }

    void add(int symbol, int position, long weight) {
      if (size == symbols.length) {
        symbols = Arrays.copyOf(symbols, 2 * size);
        positions = Arrays.copyOf(positions, 2 * size);
      }
      symbols[size] = symbol;
      positions[size++] = position;
      if (places[symbol]++ == 0) {
        different[differentSize++] = symbol;
      }
      counts[symbol] += weight;
    }

    /** Makes candidates of the neighbours of a symbol and forgets them. */
    void enqueue(int symbol, boolean areAfter) {
      int total = 0;
      for (int i = 0; i < differentSize; i++) {
        int other = different[i];
        int left = areAfter ? symbol : other;
        int right = areAfter ? other : symbol;
        if (isEligible(symbol, other) && preference.allows(left, right)) {
          int from = total;
          total += places[other];
          places[other] = from;
        } else {
          places[other] = -1;
        }
      }
      int[] grouped = new int[total];
      for (int i = 0; i < size; i++) {
        if (places[symbols[i]] >= 0) {
          grouped[places[symbols[i]]++] = positions[i];
        }
      }
      int from = 0;
      for (int i = 0; i < differentSize; i++) {
        int other = different[i];
        if (places[other] >= 0) {
          int left = areAfter ? symbol : other;
          int right = areAfter ? other : symbol;
          queue.add(new Candidate(left, right, grouped, from, places[other], counts[other]));
          from = places[other];
        }
        places[other] = 0;
        counts[other] = 0;
      }
      size = 0;
      differentSize = 0;
    }

    private boolean isEligible(int symbol, int other) {
      return counts[other] >= minimumCount && lengths[symbol] + lengths[other] <= maximumLength;
    }
  }
}
