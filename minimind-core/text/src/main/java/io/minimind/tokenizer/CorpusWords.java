package io.minimind.tokenizer;

import io.minimind.files.ArgumentException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * The distinct words of a corpus, as bytes, and how often each occurs. They are counted on several
 * threads; what is kept are the words, never the texts.
 */
final class CorpusWords {

  /** Cuts a text into words. */
  @FunctionalInterface
  interface Splitter {
    void split(String text, Consumer<byte[]> words);
  }

  /** Texts of so many characters are taken at once. */
  private static final int BATCH = 1 << 16;

  /** A power of two, and many more than there are threads, so that these seldom wait. */
  private static final int SHARDS = 64;

  /** Words by hash code. */
  private final WordCounts[] shards = new WordCounts[SHARDS];

  /** The index of the first word of each shard, and after them the number of words. */
  private final int[] starts = new int[SHARDS + 1];

  private long texts;

  /** Whether a thread has failed, so that the others need not go on. */
  private volatile boolean failed;

  private CorpusWords() {
    for (int i = 0; i < SHARDS; i++) {
      shards[i] = new WordCounts();
    }
  }

  /** A number of threads that is at least 1. */
  static int requireThreads(int count) {
    if (count < 1) {
      throw new ArgumentException("The number of threads is " + count + " but must be at least 1.");
    }
    return count;
  }

  /**
   * Counts the words of texts.
   *
   * @param texts asked for the next by one thread at a time; what it throws is thrown here
   * @param threads how many threads to count on, at least 1
   * @param progress told how many texts were taken, by one thread at a time
   */
  static CorpusWords count(
      Iterator<String> texts, int threads, Splitter splitter, LongConsumer progress) {
    CorpusWords words = new CorpusWords();
    Callable<Void> task = () -> words.countAll(texts, splitter, progress);
    ExecutorService workers = Executors.newFixedThreadPool(threads);
    try {
      for (Future<Void> worker : workers.invokeAll(Collections.nCopies(threads, task))) {
        worker.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("The counting of words was interrupted.", e);
    } finally {
      workers.shutdown();
    }
    words.seal();
    return words;
  }

  private Void countAll(Iterator<String> source, Splitter splitter, LongConsumer progress) {
    boolean finished = false;
    try {
      for (List<String> batch = take(source, progress);
          !batch.isEmpty();
          batch = take(source, progress)) {
        for (String text : batch) {
          splitter.split(text, this::add);
        }
      }
      finished = true;
    } finally {
      failed |= !finished;
    }
    return null;
  }

  private synchronized List<String> take(Iterator<String> source, LongConsumer progress) {
    List<String> batch = new ArrayList<>();
    int characters = 0;
    boolean taken = false;
    try {
      while (characters < BATCH && !failed && source.hasNext()) {
        String text = source.next();
        batch.add(text);
        characters += text.length() + 1;
      }
      taken = true;
    } finally {
      // Before another thread asks: the first text that cannot be read is the one to be named.
      failed |= !taken;
    }
    texts += batch.size();
    progress.accept(texts);
    return batch;
  }

  private void add(byte[] word) {
    int hash = WordCounts.hash(word);
    WordCounts shard = shards[hash >>> 26];
    synchronized (shard) {
      shard.add(word, hash);
    }
  }

  private void seal() {
    long size = 0;
    for (int i = 0; i < SHARDS; i++) {
      size += shards[i].size();
      if (size > Integer.MAX_VALUE) {
        throw new ArgumentException(
            "There are too many distinct words to be counted: use less text.");
      }
      starts[i + 1] = (int) size;
    }
  }

  /** The number of distinct words. */
  int size() {
    return starts[SHARDS];
  }

  /** How often a word occurs. */
  long count(int word) {
    int shard = shardOf(word);
    return shards[shard].count(word - starts[shard]);
  }

  /** The number of bytes of a word. */
  int length(int word) {
    int shard = shardOf(word);
    return shards[shard].length(word - starts[shard]);
  }

  /** The bytes of a word. */
  byte[] bytes(int word) {
    int shard = shardOf(word);
    return shards[shard].bytes(word - starts[shard]);
  }

  private int shardOf(int word) {
    int shard = 0;
    while (starts[shard + 1] <= word) {
      shard++;
    }
    return shard;
  }
}
