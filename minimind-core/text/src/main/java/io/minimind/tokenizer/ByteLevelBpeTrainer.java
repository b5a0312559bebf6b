package io.minimind.tokenizer;

import io.minimind.files.ArgumentException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/**
 * Trains a byte-level BPE tokenizer of MiniMind's kind: what the Hugging Face library's {@code
 * BpeTrainer} learns with a {@code ByteLevel} pre-tokenizer without a prefix space and the whole
 * byte alphabet.
 *
 * <p>The ids are those of the declared tokens, {@code <unk>}, {@code <s>} and {@code </s>} unless
 * others are given, then the 256 bytes, then the merges in the order in which they were learnt.
 * Texts are cut into words by the pattern of GPT-2; merges never cross a word's border.
 *
 * <pre>{@code
 * TrainedTokenizer tokenizer = ByteLevelBpeTrainer.ofSize(6400).train(texts.iterator());
 * tokenizer.save(Path.of("tokenizer"));
 * }</pre>
 */
public final class ByteLevelBpeTrainer {

  private static final int BYTES = 256;

  private final DeclaredTokens tokens;
  private final int vocabularySize;
  private final long minimumFrequency;
  private final int threads;

  private ByteLevelBpeTrainer(
      DeclaredTokens tokens, int vocabularySize, long minimumFrequency, int threads) {
    this.tokens = tokens;
    this.vocabularySize = vocabularySize;
    this.minimumFrequency = minimumFrequency;
    this.threads = threads;
  }

  /**
   * A trainer that uses all processors and merges pairs however rare they are.
   *
   * @param vocabularySize the number of ids, from 259: three special tokens and 256 bytes
   * @throws IllegalArgumentException if it is smaller
   */
  public static ByteLevelBpeTrainer ofSize(int vocabularySize) {
    return ofSize(vocabularySize, DeclaredTokens.MINIMIND);
  }

  /**
   * A trainer of a tokenizer with other tokens besides those that it learns.
   *
   * @param vocabularySize the number of ids, at least one for each of these tokens and 256 bytes
   * @throws IllegalArgumentException if it is smaller
   */
  public static ByteLevelBpeTrainer ofSize(int vocabularySize, DeclaredTokens tokens) {
    int least = tokens.all().size() + BYTES;
    if (vocabularySize < least) {
      throw new ArgumentException(
          "A vocabulary of %d is too small: the special tokens %s and the %d bytes take %d."
              .formatted(vocabularySize, String.join(", ", tokens.all()), BYTES, least));
    }
    int threads = Runtime.getRuntime().availableProcessors();
    return new ByteLevelBpeTrainer(tokens, vocabularySize, 0, threads);
  }

  /** With pairs left alone that occur less often. */
  public ByteLevelBpeTrainer withMinimumFrequency(long frequency) {
    return new ByteLevelBpeTrainer(tokens, vocabularySize, frequency, threads);
  }

  /**
   * With so many threads. What is learnt does not depend on it.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public ByteLevelBpeTrainer withThreads(int count) {
    return new ByteLevelBpeTrainer(
        tokens, vocabularySize, minimumFrequency, CorpusWords.requireThreads(count));
  }

  /** Learns a vocabulary and reports nothing meanwhile. */
  public TrainedTokenizer train(Iterator<String> texts) {
    return train(texts, BpeTrainingProgress.NONE);
  }

  /**
   * Learns a vocabulary. It is smaller than was asked for where the texts have too few pairs.
   *
   * @param texts read once; they are not kept, so that memory grows with the number of distinct
   *     words alone. The iterator is used by one thread at a time. Unpaired surrogates count as
   *     U+FFFD.
   * @throws IllegalArgumentException if the texts are all empty, or their distinct words too many:
   *     2 billion bytes of them
   */
  public TrainedTokenizer train(Iterator<String> texts, BpeTrainingProgress progress) {
    CorpusWords words =
        CorpusWords.count(texts, threads, ByteLevelBpeTrainer::split, progress::counted);
    if (words.size() == 0) {
      throw new ArgumentException("There is no text to learn a vocabulary from.");
    }
    int wanted = vocabularySize - tokens.all().size() - BYTES;
    char[] alphabet = alphabet();
    List<MergeLearner.Merge> merges =
        MergeLearner.learn(
            new ByteWords(words, alphabet),
            BYTES,
            wanted,
            minimumFrequency,
            Integer.MAX_VALUE,
            MergeLearner.Preference.LOWEST_SYMBOLS,
            done -> progress.merged(done, wanted));
    return TrainedTokenizer.of(tokens, alphabet, merges);
  }

  private static void split(String text, Consumer<byte[]> words) {
    char[] chars = AlignedText.of(text).chars();
    WordPattern pattern = WordPattern.gpt2();
    for (int at = 0; at < chars.length; ) {
      int end = pattern.wordEnd(chars, at, chars.length);
      words.accept(new String(chars, at, end - at).getBytes(StandardCharsets.UTF_8));
      at = end;
    }
  }

  /** The characters of all bytes, in ascending order, as the reference gives them ids. */
  private static char[] alphabet() {
    StringBuilder characters = new StringBuilder();
    for (int b = 0; b < BYTES; b++) {
      characters.append(ByteAlphabet.character(b));
    }
    char[] sorted = characters.toString().toCharArray();
    Arrays.sort(sorted);
    return sorted;
  }

  /** Words whose symbols are places in the alphabet. */
  private static final class ByteWords implements MergeLearner.Words {

    private final CorpusWords words;
    private final int[] symbols = new int[BYTES];

    ByteWords(CorpusWords words, char[] alphabet) {
      this.words = words;
      for (int b = 0; b < BYTES; b++) {
        symbols[b] = Arrays.binarySearch(alphabet, ByteAlphabet.character(b));
      }
    }

    @Override
    public int size() {
      return words.size();
    }

    @Override
    public long count(int word) {
      return words.count(word);
    }

    @Override
    public int length(int word) {
      return words.length(word);
    }

    @Override
    public void copySymbols(int word, int[] target, int at) {
      for (byte b : words.bytes(word)) {
        target[at++] = symbols[b & 0xFF];
      }
    }
  }
}
