package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.files.TemporaryFolder;
import io.minimind.infer.Decoder;
import io.minimind.infer.GenerationOptions;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What MiniMind's third version generates, and its logits far beyond what it was trained on. */
final class HeadGenerationCases {

  private static final String GENERATE = "head_generate";
  private static final String YARN = "head_yarn";
  private static final double LOGITS_LIMIT = 1e-4;
  private static final double PROBABILITIES_LIMIT = 1e-5;

  private record Generation(
      JsonNode config,
      String weights,
      List<Continuation> greedy,
      Padded leftPaddedBatch,
      List<Distribution> distributions) {}

  private record Continuation(int[] promptIds, double repetitionPenalty, int[] newTokens) {}

  /**
   * @param eosTokenId ends a row, which is filled with it
   * @param inputIds [rows][length]
   * @param attentionMask 0 where a row is padded on the left
   */
  private record Padded(
      int eosTokenId, int[][] inputIds, int[][] attentionMask, int[][] newTokens) {}

  /**
   * @param probs by token id; those of all other ids are 0
   */
  private record Distribution(
      int[] promptIds,
      double temperature,
      double topP,
      int topK,
      double repetitionPenalty,
      Map<Integer, Double> probs) {}

  /**
   * @param cases of one model with several scalings
   */
  private record Scaled(String weights, List<ScaledCase> cases) {}

  /**
   * @param positions whose logits are known
   */
  private record ScaledCase(String name, JsonNode config, int[] inputIds, int[] positions) {}

  private HeadGenerationCases() {}

  private interface Comparison {
    List<Case> with(Decoder decoder);
  }

  private static List<Case> compare(
      GoldenFolder golden, String weights, ModelConfig config, Comparison comparison)
      throws IOException {
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      Path model = folder.path();
      ModelFolder.writeDecoder(model, config, HeadReference.parameters(golden, weights, config));
      ModelFolder.writeConfig(model, config, Precision.FLOAT32);
      try (Decoder decoder = Decoder.load(model, 1)) {
        return comparison.with(decoder);
      }
    }
  }

  /**
   * @throws IOException if the reference's files are missing or damaged
   */
  static List<Case> generated(GoldenFolder golden) throws IOException {
    Generation reference = golden.read(GENERATE, Generation.class);
    return compare(
        golden,
        reference.weights,
        HeadConfig.of(reference.config),
        decoder ->
            List.of(
                greedy(reference, decoder),
                padded(reference.leftPaddedBatch, decoder),
                distributions(reference, decoder)));
  }

  private static int[] continued(
      Decoder decoder, int[] prompt, int tokens, double penalty, int end) {
    GenerationOptions options =
        GenerationOptions.greedy().withMaxNewTokens(tokens).withRepetitionPenalty(penalty);
    List<Integer> ids = new ArrayList<>();
    decoder.generate(
        prompt,
        options,
        id -> {
          if (ids.isEmpty() || ids.get(ids.size() - 1) != end) {
            ids.add(id);
          }
        });
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  private static Case greedy(Generation reference, Decoder decoder) {
    Mismatches mismatches = new Mismatches();
    for (Continuation expected : reference.greedy) {
      int[] found =
          continued(
              decoder,
              expected.promptIds,
              expected.newTokens.length,
              expected.repetitionPenalty,
              -1);
      mismatches.add(
          "the prompt %s with the penalty %s"
              .formatted(Arrays.toString(expected.promptIds), expected.repetitionPenalty),
          Arrays.equals(expected.newTokens, found));
    }
    return mismatches.as(GENERATE + " greedy");
  }

  /** A row's padding changes nothing, so each row is continued without. */
  private static Case padded(Padded batch, Decoder decoder) {
    Mismatches mismatches = new Mismatches();
    for (int row = 0; row < batch.inputIds.length; row++) {
      int padding = (int) Arrays.stream(batch.attentionMask[row]).filter(mask -> mask == 0).count();
      int[] prompt = Arrays.copyOfRange(batch.inputIds[row], padding, batch.inputIds[row].length);
      int[] expected = batch.newTokens[row];
      int[] found = continued(decoder, prompt, expected.length, 1, batch.eosTokenId);
      int[] filled = Arrays.copyOf(found, expected.length);
      Arrays.fill(filled, found.length, filled.length, batch.eosTokenId);
      mismatches.add("row " + row, Arrays.equals(expected, filled));
    }
    return mismatches.as(GENERATE + " left-padded batch");
  }

  private static Case distributions(Generation reference, Decoder decoder) {
    Worst worst = new Worst();
    for (Distribution expected : reference.distributions) {
      GenerationOptions options =
          GenerationOptions.defaults()
              .withTemperature(expected.temperature)
              // The likeliest token is kept in any case, so 0 is as good as next to it.
              .withTopP(Math.max(expected.topP, Double.MIN_VALUE))
              .withTopK(expected.topK)
              .withRepetitionPenalty(expected.repetitionPenalty);
      double[] found = decoder.nextTokenProbabilities(expected.promptIds, options);
      for (int id = 0; id < found.length; id++) {
        worst.add(
            "token %d at temperature %s".formatted(id, expected.temperature),
            Math.abs(found[id] - expected.probs.getOrDefault(id, 0.0)));
      }
    }
    return worst.against(GENERATE + " distributions", PROBABILITIES_LIMIT);
  }

  /**
   * @throws IOException if the reference's files are missing or damaged
   */
  static List<Case> scaled(GoldenFolder golden) throws IOException {
    Scaled reference = golden.read(YARN, Scaled.class);
    SafetensorsFile logits = golden.tensors(YARN);
    List<Case> cases = new ArrayList<>();
    for (ScaledCase one : reference.cases) {
      FloatBuffer expected = GoldenFolder.tensor(logits, one.name + ".logits").floats();
      cases.addAll(
          compare(
              golden,
              reference.weights,
              HeadConfig.of(one.config),
              decoder -> List.of(logits(one, expected, decoder))));
    }
    return cases;
  }

  private static Case logits(ScaledCase one, FloatBuffer expected, Decoder decoder) {
    Worst worst = new Worst();
    int vocabulary = decoder.vocabularySize();
    for (int i = 0; i < one.positions.length; i++) {
      int position = one.positions[i];
      float[] found = decoder.nextTokenLogits(Arrays.copyOf(one.inputIds, position + 1));
      worst.add(
          "position " + position,
          Worst.difference(expected.slice(i * vocabulary, vocabulary), FloatBuffer.wrap(found)));
    }
    return worst.against(YARN + " " + one.name, LOGITS_LIMIT);
  }
}
