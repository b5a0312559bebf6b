package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.tokenizer.MergeLearner.Merge;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MergeLearnerTest {

  private record Word(List<Integer> symbols, long count) {}

  private record Corpus(List<Word> words) implements MergeLearner.Words {

    @Override
    public int size() {
      return words.size();
    }

    @Override
    public long count(int word) {
      return words.get(word).count();
    }

    @Override
    public int length(int word) {
      return words.get(word).symbols().size();
    }

    @Override
    public void copySymbols(int word, int[] target, int at) {
      for (int symbol : words.get(word).symbols()) {
        target[at++] = symbol;
      }
    }
  }

  private static List<Merge> learn(
      List<Word> words, int symbols, int merges, long minimumCount, int maximumLength) {
    return MergeLearner.learn(
        new Corpus(words),
        symbols,
        merges,
        minimumCount,
        maximumLength,
        MergeLearner.Preference.LOWEST_SYMBOLS,
        done -> {});
  }

  /** The definition: count all pairs, merge the best one everywhere, begin again. */
  private static List<Merge> define(
      List<Word> words, int symbols, int merges, long minimumCount, int maximumLength) {
    List<List<Integer>> texts = new ArrayList<>();
    words.forEach(word -> texts.add(new ArrayList<>(word.symbols())));
    Map<Integer, Integer> lengths = new HashMap<>();
    List<Merge> learnt = new ArrayList<>();
    while (learnt.size() < merges) {
      Map<Merge, Long> counts = new HashMap<>();
      for (int i = 0; i < texts.size(); i++) {
        List<Integer> text = texts.get(i);
        for (int j = 0; j + 1 < text.size(); j++) {
          counts.merge(new Merge(text.get(j), text.get(j + 1)), words.get(i).count(), Long::sum);
        }
      }
      Merge best = null;
      for (Map.Entry<Merge, Long> entry : counts.entrySet()) {
        Merge pair = entry.getKey();
        int length = lengths.getOrDefault(pair.left(), 1) + lengths.getOrDefault(pair.right(), 1);
        boolean better =
            best == null
                || entry.getValue() > counts.get(best)
                || entry.getValue().equals(counts.get(best))
                    && (pair.left() < best.left()
                        || pair.left() == best.left() && pair.right() < best.right());
        if (better && entry.getValue() >= minimumCount && length <= maximumLength) {
          best = pair;
        }
      }
      if (best == null) {
        break;
      }
      int merged = symbols + learnt.size();
      lengths.put(
          merged, lengths.getOrDefault(best.left(), 1) + lengths.getOrDefault(best.right(), 1));
      learnt.add(best);
      for (List<Integer> text : texts) {
        for (int j = 0; j + 1 < text.size(); j++) {
          if (text.get(j) == best.left() && text.get(j + 1) == best.right()) {
            text.set(j, merged);
            text.remove(j + 1);
          }
        }
      }
    }
    return learnt;
  }

  private static List<Word> randomWords(Random random, int symbols) {
    List<Word> words = new ArrayList<>();
    int size = random.nextInt(30);
    for (int i = 0; i < size; i++) {
      List<Integer> word = new ArrayList<>();
      int length = random.nextInt(20);
      for (int j = 0; j < length; j++) {
        // Runs of one symbol are where merges overlap.
        boolean run = j > 0 && random.nextInt(3) == 0;
        word.add(run ? word.get(j - 1) : random.nextInt(symbols));
      }
      words.add(new Word(word, 1 + random.nextInt(3)));
    }
    return words;
  }

  @Property(tries = 2000)
  void learnsWhatTheDefinitionSays(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 6) int symbols,
      @ForAll @IntRange(max = 60) int merges,
      @ForAll @IntRange(max = 4) int minimumCount,
      @ForAll @IntRange(min = 1, max = 12) int length) {
    List<Word> words = randomWords(new Random(seed), symbols);
    int maximumLength = length == 12 ? Integer.MAX_VALUE : length;
    List<Merge> expected = define(words, symbols, merges, Math.max(1, minimumCount), maximumLength);
    assertEquals(expected, learn(words, symbols, merges, minimumCount, maximumLength));
    Collections.shuffle(words, new Random(seed));
    assertEquals(expected, learn(words, symbols, merges, minimumCount, maximumLength));
  }

  @Test
  void countsBeyondIntegersAreExact() {
    List<Word> words =
        List.of(
            new Word(List.of(0, 1), 5_000_000_000L),
            new Word(List.of(1, 2), 5_000_000_001L),
            new Word(List.of(2, 0), 705_032_705L));
    assertEquals(
        List.of(new Merge(1, 2), new Merge(0, 1), new Merge(2, 0)),
        learn(words, 3, 9, 0, Integer.MAX_VALUE));
  }

  @Test
  void aLongRunIsNoSlowerThanItsLength() {
    // A word of a million equal symbols halves with each merge.
    List<Word> words = List.of(new Word(Collections.nCopies(1 << 20, 0), 1));
    List<Merge> merges = learn(words, 1, 20, 0, Integer.MAX_VALUE);
    assertEquals(20, merges.size());
    for (int i = 0; i < 20; i++) {
      assertEquals(new Merge(i, i), merges.get(i));
    }
  }

  @Test
  void moreMergesThanThereCanBeTakeNoMemory() {
    List<Word> words = List.of(new Word(List.of(0, 1, 2), 1));
    assertEquals(2, learn(words, 3, Integer.MAX_VALUE, 0, Integer.MAX_VALUE).size());
  }

  @Test
  void reportsEachMerge() {
    List<Integer> reported = new ArrayList<>();
    MergeLearner.learn(
        new Corpus(List.of(new Word(List.of(0, 1, 2), 1))),
        3,
        9,
        0,
        Integer.MAX_VALUE,
        MergeLearner.Preference.LOWEST_SYMBOLS,
        reported::add);
    assertEquals(List.of(1, 2), reported);
    assertTrue(learn(List.of(), 3, 9, 0, Integer.MAX_VALUE).isEmpty());
  }
}
