package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.infer.constraint.TokenConstraint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeptTextsTest {
  private static final LetterTokenizer TOKENIZER = new LetterTokenizer(64);
  private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxNewTokens(9);

  @TempDir private Path folder;

  @BeforeEach
  void writeModel() throws IOException {
    new TestModel(32, 2, 2, 1, 48, 64, 1200).write(folder, TestModel.random(1), -1);
  }

  private LanguageModel load(int batch, int kept) throws IOException {
    LoadOptions options =
        LoadOptions.defaults().withThreads(1).withBatchSize(batch).withKeptTexts(kept);
    return LanguageModel.load(folder, options, TOKENIZER);
  }

  private static int[] text(int length, int kind) {
    return IntStream.range(0, length).map(i -> (3 + 7 * i * i + kind) % 64).toArray();
  }

  private static int[] join(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }

  private static void assertReuses(
      int tokens, LanguageModel model, LanguageModel alone, int[] ids) {
    Generation answer = model.generate(ids, GREEDY);
    assertArrayEquals(alone.generate(ids, GREEDY).tokenIds(), answer.tokenIds());
    assertEquals(tokens, answer.reusedTokens());
    assertEquals(ids.length, answer.promptTokens());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aLaterTextComputesOnlyWhatIsNew(int batch) throws IOException {
    int[] instructions = text(40, 0);
    int[] one = join(instructions, text(30, 1));
    int[] other = join(instructions, text(50, 2));
    try (LanguageModel model = load(batch, 2);
        LanguageModel alone = load(1, 0)) {
      assertReuses(0, model, alone, one);
      int[] answer = model.generate(one, GREEDY).tokenIds();
      // All but the last token of the answer, which the model has not seen.
      int[] turn = join(one, answer, text(4, 3));
      assertReuses(one.length + 8, model, alone, turn);
      // Asked again as it was: all but the last token, whose logits are needed.
      assertReuses(turn.length - 1, model, alone, turn);
      // The instructions are shared, and the first conversation is still there afterwards.
      assertReuses(40, model, alone, other);
      assertReuses(turn.length - 1, model, alone, turn);
      assertReuses(other.length - 1, model, alone, other);
      // Grows beyond the buffers of 256 tokens.
      assertReuses(turn.length, model, alone, join(turn, text(900, 4)));
    }
  }

  @Test
  void theOldestGoesFirst() throws IOException {
    int[] first = text(30, 1);
    int[] second = text(30, 9);
    int[] third = text(30, 17);
    try (LanguageModel model = load(1, 2);
        LanguageModel alone = load(1, 0)) {
      assertReuses(0, model, alone, first);
      assertReuses(0, model, alone, second);
      assertReuses(0, model, alone, third);
      assertReuses(0, model, alone, first);
      assertReuses(29, model, alone, third);
      assertReuses(0, model, alone, second);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aTextThatFailedIsNotKept(int batch) throws IOException {
    TokenConstraint dead =
        budget ->
            new TokenConstraint.State() {
              private int length;

              @Override
              public void allow(BitSet allowed) {
                allowed.set(0, length < 3 ? 64 : 0);
              }

              @Override
              public boolean mayEnd() {
                return false;
              }

              @Override
              public void advance(int tokenId) {
                length++;
              }
            };
    try (LanguageModel model = load(batch, 2);
        LanguageModel alone = load(1, 0)) {
      int[] ids = text(30, 1);
      assertThrows(
          IllegalStateException.class, () -> model.generate(ids, GREEDY.withConstraint(dead)));
      assertReuses(0, model, alone, ids);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void piecesBringTheLogProbabilitiesOfTheirTokens(int batch) throws IOException {
    GenerationOptions options = GREEDY.withLogProbabilities(2);
    try (LanguageModel model = load(batch, 0);
        TextStream pieces = model.stream(text(5, 0), options)) {
      List<TokenLogProbability> all = new ArrayList<>();
      for (String piece : pieces) {
        assertEquals(piece.length(), pieces.logProbabilities().size());
        all.addAll(pieces.logProbabilities());
      }
      assertEquals(pieces.result().logProbabilities(), all);
      assertEquals(9, all.size());
      assertTrue(all.get(0).alternatives().get(0).logProbability() <= 0);
    }
  }
}
