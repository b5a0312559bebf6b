package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Scores and embeddings of given texts, by graphs that choose positions and by older ones. */
@ParameterizedClass
@ValueSource(booleans = {true, false})
class ReadingTest {
  private static final LetterTokenizer TOKENIZER = new LetterTokenizer(64);
  private static final LoadOptions ONE = LoadOptions.defaults().withThreads(1);

  @Parameter private boolean choosesPositions;

  @TempDir private Path folder;

  @BeforeEach
  void writeModel() throws IOException {
    TestModel.TINY.write(folder, choosesPositions, TestModel.random(1), -1);
  }

  private static int[] ids(int length) {
    return IntStream.range(0, length).map(i -> (3 + 7 * i * i) % 64).toArray();
  }

  @Test
  void aTokensScoreIsItsProbabilityAfterThoseBefore() throws IOException {
    // Longer than what is computed at once.
    int[] ids = ids(70);
    GenerationOptions plain = GenerationOptions.defaults().withTemperature(1);
    try (LanguageModel model = LanguageModel.load(folder, ONE, TOKENIZER);
        Decoder decoder = Decoder.load(folder, 1)) {
      List<TokenLogProbability> scores = model.score(TOKENIZER.decode(ids));
      assertEquals(69, scores.size());
      double sum = 0;
      for (int i = 1; i < 70; i++) {
        double expected =
            Math.log(decoder.nextTokenProbabilities(Arrays.copyOf(ids, i), plain)[ids[i]]);
        assertEquals(ids[i], scores.get(i - 1).tokenId());
        assertEquals(expected, scores.get(i - 1).logProbability(), 1e-4, "token " + i);
        sum += expected;
      }
      assertEquals(Math.exp(-sum / 69), model.perplexity(TOKENIZER.decode(ids)), 0.05);
    }
  }

  @Test
  void anEmbeddingIsTheMeanHiddenStateOfLengthOne() throws IOException {
    int[] ids = ids(70);
    try (LanguageModel model = LanguageModel.load(folder, ONE, TOKENIZER)) {
      float[] one = model.embed(TOKENIZER.decode(new int[] {5}));
      assertEquals(32, one.length);
      assertEquals(1, norm(one), 1e-5);
      // Of a single token the hidden state is known up to its length: it gives the logits.
      float[][] output = output();
      float[] logits = logits(new int[] {5});
      double scale = dot(logits, logits) / dot(logits, product(output, one));
      float[] computed = product(output, one);
      for (int id = 0; id < logits.length; id++) {
        assertEquals(logits[id], computed[id] * scale, 1e-3, "token " + id);
      }

      float[] all = model.embed(TOKENIZER.decode(ids));
      assertEquals(1, norm(all), 1e-5);
      double[] mean = new double[logits.length];
      for (int i = 1; i <= ids.length; i++) {
        float[] at = logits(Arrays.copyOf(ids, i));
        for (int id = 0; id < mean.length; id++) {
          mean[id] += at[id] / ids.length;
        }
      }
      float[] expected = new float[mean.length];
      for (int id = 0; id < mean.length; id++) {
        expected[id] = (float) mean[id];
      }
      // The head is linear, so the mean of the states gives the mean of the logits.
      float[] found = product(output, all);
      assertEquals(1, dot(expected, found) / norm(expected) / norm(found), 1e-4);
      assertArrayEquals(all, model.embed(TOKENIZER.decode(ids)));
    }
  }

  private float[] logits(int[] ids) throws IOException {
    try (Decoder decoder = Decoder.load(folder, 1)) {
      return decoder.nextTokenLogits(ids);
    }
  }

  /** The weights of the head, as the model was written with them. */
  private static float[][] output() {
    TestModel.Weights weights = TestModel.random(1);
    float[][] output = new float[64][];
    float[] flat = TestModel.TINY.weightsInOrder(weights).get("output.weight");
    for (int id = 0; id < 64; id++) {
      output[id] = Arrays.copyOfRange(flat, id * 32, (id + 1) * 32);
    }
    return output;
  }

  private static float[] product(float[][] matrix, float[] vector) {
    float[] product = new float[matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      product[i] = (float) dot(matrix[i], vector);
    }
    return product;
  }

  private static double dot(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> (double) a[i] * b[i]).sum();
  }

  private static double norm(float[] vector) {
    return Math.sqrt(dot(vector, vector));
  }

  @Test
  void aModelThatComputesNoNumbersGivesNoScoreAndNoEmbedding() throws IOException {
    TestModel.TINY.write(
        folder,
        choosesPositions,
        (name, shape) -> {
          float[] values = TestModel.random(1).get(name, shape);
          if (name.equals("norm.weight")) {
            Arrays.fill(values, Float.NaN);
          }
          return values;
        },
        -1);
    try (LanguageModel model = LanguageModel.load(folder, ONE, TOKENIZER)) {
      String text = TOKENIZER.decode(ids(3));
      assertThrows(IllegalStateException.class, () -> model.score(text));
      assertThrows(IllegalStateException.class, () -> model.perplexity(text));
      assertThrows(IllegalStateException.class, () -> model.embed(text));
    }
  }

  @Test
  void textsThatCannotBeReadAreRefused() throws IOException {
    try (LanguageModel model = LanguageModel.load(folder, ONE, TOKENIZER)) {
      String longest = TOKENIZER.decode(ids(200));
      assertEquals(199, model.score(longest).size());
      for (String wrong : List.of("", TOKENIZER.decode(ids(1)), longest + longest)) {
        assertThrows(IllegalArgumentException.class, () -> model.score(wrong));
      }
      assertThrows(IllegalArgumentException.class, () -> model.embed(""));
      String message =
          assertThrows(IllegalArgumentException.class, () -> model.embed(longest + longest))
              .getMessage();
      assertTrue(message.startsWith("The text has 400 tokens"), message);
    }
  }
}
