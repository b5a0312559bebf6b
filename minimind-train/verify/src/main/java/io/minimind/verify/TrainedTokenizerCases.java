package io.minimind.verify;

import io.minimind.data.CorpusTexts;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.tokenizer.TrainedTokenizer;
import io.minimind.tokenizer.TrainedTokenizer.Merge;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The vocabulary and merges that the tokenizers library learns from a corpus. */
final class TrainedTokenizerCases {

  private record Reference(Model model) {}

  private record Model(Map<String, Integer> vocab, List<List<String>> merges) {}

  private TrainedTokenizerCases() {}

  /**
   * @param data the folder that holds {@code tokenizer_train.jsonl}
   * @throws IOException if the reference's file or the corpus is missing or damaged
   */
  static List<Case> of(GoldenFolder golden, Path data) throws IOException {
    Model reference = golden.read("trained_tokenizer/tokenizer", Reference.class).model();
    TrainedTokenizer trained;
    try (CorpusTexts texts = CorpusTexts.open(List.of(data.resolve("tokenizer_train.jsonl")))) {
      trained = ByteLevelBpeTrainer.ofSize(reference.vocab().size()).train(texts);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return List.of(
        vocabulary(reference.vocab(), trained.vocabulary()),
        merges(reference.merges(), trained.merges()));
  }

  private static Case vocabulary(Map<String, Integer> expected, List<String> tokens) {
    Mismatches mismatches = new Mismatches();
    for (int id = 0; id < Math.max(expected.size(), tokens.size()); id++) {
      boolean same = id < tokens.size() && Integer.valueOf(id).equals(expected.get(tokens.get(id)));
      mismatches.add("id " + id, same);
    }
    return mismatches.as("trained_tokenizer vocabulary");
  }

  private static Case merges(List<List<String>> expected, List<Merge> merges) {
    Mismatches mismatches = new Mismatches();
    for (int rank = 0; rank < Math.max(expected.size(), merges.size()); rank++) {
      boolean same =
          rank < Math.min(expected.size(), merges.size())
              && expected
                  .get(rank)
                  .equals(List.of(merges.get(rank).left(), merges.get(rank).right()));
      mismatches.add("merge " + rank, same);
    }
    return mismatches.as("trained_tokenizer merges");
  }
}
