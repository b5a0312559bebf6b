package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class BytePairMergerTest {

  private record Merge(int left, int right, int merged) {}

  @Property
  void mergesAsTheDefinitionSays(
      @ForAll long seed, @ForAll @Size(max = 200) List<@IntRange(max = 2) Integer> word) {
    List<Merge> merges = merges(new Random(seed));
    MergeTable table = new MergeTable(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      table.put(merges.get(rank).left, merges.get(rank).right, rank, merges.get(rank).merged);
    }
    BytePairMerger merger = new BytePairMerger(table);
    // What an earlier word leaves in the arrays must not matter.
    mergedBy(merger, List.of(0, 1, 2, 0, 1, 2, 0));
    assertEquals(mergedByDefinition(merges, word), mergedBy(merger, word));
  }

  /** Merges of random pairs of what exists so far, beginning with the symbols 0, 1 and 2. */
  private static List<Merge> merges(Random random) {
    List<Merge> merges = new ArrayList<>();
    Set<List<Integer>> pairs = new HashSet<>();
    for (int symbol = 3; symbol < 15; symbol++) {
      int left = random.nextInt(symbol);
      int right = random.nextInt(symbol);
      if (pairs.add(List.of(left, right))) {
        merges.add(new Merge(left, right, symbol));
      }
    }
    Collections.shuffle(merges, random);
    return merges;
  }

  private static List<Integer> mergedByDefinition(List<Merge> merges, List<Integer> word) {
    List<Integer> symbols = new ArrayList<>(word);
    for (int rank = 0; rank < merges.size(); ) {
      Merge merge = merges.get(rank);
      int at = 0;
      while (at + 1 < symbols.size()
          && !(symbols.get(at) == merge.left && symbols.get(at + 1) == merge.right)) {
        at++;
      }
      if (at + 1 < symbols.size()) {
        symbols.set(at, merge.merged);
        symbols.remove(at + 1);
        rank = 0;
      } else {
        rank++;
      }
    }
    return symbols;
  }

  private static List<Integer> mergedBy(BytePairMerger merger, List<Integer> word) {
    merger.begin();
    word.forEach(merger::add);
    merger.merge();
    return Arrays.stream(merger.symbols(), 0, merger.count()).boxed().collect(Collectors.toList());
  }
}
