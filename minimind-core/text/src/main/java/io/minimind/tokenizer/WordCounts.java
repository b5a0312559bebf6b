package io.minimind.tokenizer;

import io.minimind.files.ArgumentException;
import java.util.Arrays;

/**
 * Distinct words and how often each was added. A word is a sequence of bytes; all of them lie in
 * one array behind each other, beside an open-addressing hash table. One thread at a time.
 */
final class WordCounts {

  /** Of words: the hash table has at most four times as many slots. */
  private static final int MAXIMUM_SIZE = 1 << 28;

  private byte[] bytes = new byte[256];
  // By word: where it ends in the bytes, its hash code, how often it occurs.
  private int[] ends = new int[16];
  private int[] hashes = new int[16];
  private long[] counts = new long[16];
  private int size;

  /** Words plus one by hash code, 0 where there is none. */
  private int[] table = new int[32];

  /** The hash code that {@link #add} asks for. */
  static int hash(byte[] word) {
    long hash = 0;
    for (byte b : word) {
      hash = (hash + b) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 32;
    }
    return (int) hash;
  }

  /**
   * Counts a word.
   *
   * @throws IllegalArgumentException if there are too many distinct words: 2 billion bytes of them
   */
  void add(byte[] word, int hash) {
    int slot = hash & table.length - 1;
    for (; table[slot] != 0; slot = slot + 1 & table.length - 1) {
      int found = table[slot] - 1;
      if (hashes[found] == hash && isWord(found, word)) {
        counts[found]++;
        return;
      }
    }
    append(word, hash);
    table[slot] = size;
    if (2 * size > table.length) {
      rehash();
    }
  }

  int size() {
    return size;
  }

  long count(int word) {
    return counts[word];
  }

  int length(int word) {
    return ends[word] - start(word);
  }

  byte[] bytes(int word) {
    return Arrays.copyOfRange(bytes, start(word), ends[word]);
  }

  private int start(int word) {
    return word == 0 ? 0 : ends[word - 1];
  }

  private boolean isWord(int index, byte[] word) {
    int start = start(index);
    return Arrays.equals(bytes, start, ends[index], word, 0, word.length);
  }

  private void append(byte[] word, int hash) {
    int start = size == 0 ? 0 : ends[size - 1];
    long end = (long) start + word.length;
    if (end > Integer.MAX_VALUE - 8 || size == MAXIMUM_SIZE) {
      throw new ArgumentException(
          "There are too many distinct words to be counted: use less text.");
    }
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, grown(bytes.length, end));
    }
    if (size == ends.length) {
      int capacity = grown(size, size + 1L);
      ends = Arrays.copyOf(ends, capacity);
      hashes = Arrays.copyOf(hashes, capacity);
      counts = Arrays.copyOf(counts, capacity);
    }
    System.arraycopy(word, 0, bytes, start, word.length);
    ends[size] = (int) end;
    hashes[size] = hash;
    counts[size++] = 1;
  }

  private static int grown(int capacity, long needed) {
    return (int) Math.min(Integer.MAX_VALUE - 8, Math.max(needed, capacity + (capacity >> 1)));
  }

  private void rehash() {
    table = new int[2 * table.length];
    for (int word = 0; word < size; word++) {
      int slot = hashes[word] & table.length - 1;
      while (table[slot] != 0) {
        slot = slot + 1 & table.length - 1;
      }
      table[slot] = word + 1;
    }
  }
}
