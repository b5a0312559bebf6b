package io.minimind.verify;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.AtomicFile;
import io.minimind.files.TemporaryFolder;
import io.minimind.infer.Decoder;
import io.minimind.infer.GenerationOptions;
import io.minimind.model.ModelConfig;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What the original generates, and how likely it finds each token. */
final class GenerationCases {

  private static final String NAME = "generate";
  private static final double LOGITS_LIMIT = 1e-4;
  private static final double PROBABILITIES_LIMIT = 1e-5;

  /**
   * @param prompt to which logits and distributions belong
   * @param logits of the token after the prompt
   */
  private record Reference(
      GoldenConfig config,
      List<Continuation> greedy,
      int[] prompt,
      float[] logits,
      List<Distribution> distributions) {}

  /**
   * @param maxLen most tokens of prompt and continuation together
   */
  private record Continuation(
      int[] prompt, double repetitionPenalty, int eos, int maxLen, int[] newTokens) {

    int[] repeated(Decoder decoder) {
      GenerationOptions options =
          GenerationOptions.greedy().withMaxNewTokens(maxLen - prompt.length);
      List<Integer> ids = new ArrayList<>();
      decoder.generate(prompt, options, ids::add);
      return ids.stream().mapToInt(Integer::intValue).takeWhile(id -> id != eos).toArray();
    }
  }

  /**
   * @param probs by token id; those of all other ids are 0
   */
  private record Distribution(double temperature, int topK, Map<Integer, Double> probs) {}

  private final Reference reference;
  private final Decoder decoder;

  private GenerationCases(Reference reference, Decoder decoder) {
    this.reference = reference;
    this.decoder = decoder;
  }

  /**
   * @throws IOException if the reference's files are missing or damaged
   */
  static List<Case> of(GoldenFolder golden) throws IOException {
    Reference reference = golden.read(NAME, Reference.class);
    ModelConfig config = reference.config().model();
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      Path model = folder.path();
      ModelFolder.writeDecoder(model, config, golden.parameters(NAME, config));
      byte[] json = config.toJson().getBytes(StandardCharsets.UTF_8);
      AtomicFile.replace(model.resolve(ModelFolder.CONFIG), json);
      try (Decoder decoder = Decoder.load(model, 1)) {
        GenerationCases cases = new GenerationCases(reference, decoder);
        return List.of(
            cases.logits(),
            cases.distributions(),
            cases.greedy(),
            new Case.Skipped(
                NAME + " with repetition penalty",
                "the original rewards repeated negative logits"));
      }
    }
  }

  private Case logits() {
    float[] found = decoder.nextTokenLogits(reference.prompt());
    Worst worst = new Worst();
    worst.add(
        "the prompt",
        Worst.difference(FloatBuffer.wrap(reference.logits()), FloatBuffer.wrap(found)));
    return worst.against(NAME + " logits", LOGITS_LIMIT);
  }

  private Case distributions() {
    Worst worst = new Worst();
    for (Distribution expected : reference.distributions()) {
      GenerationOptions options =
          GenerationOptions.defaults()
              .withTemperature(expected.temperature())
              .withTopK(expected.topK());
      double[] found = decoder.nextTokenProbabilities(reference.prompt(), options);
      for (int id = 0; id < found.length; id++) {
        worst.add(
            "token " + id + " at temperature " + expected.temperature(),
            Math.abs(found[id] - expected.probs().getOrDefault(id, 0.0)));
      }
    }
    return worst.against(NAME + " distributions", PROBABILITIES_LIMIT);
  }

  /** Only those without a penalty. */
  private Case greedy() {
    Mismatches mismatches = new Mismatches();
    for (Continuation expected : reference.greedy()) {
      if (expected.repetitionPenalty() == 1) {
        boolean same = Arrays.equals(expected.newTokens(), expected.repeated(decoder));
        mismatches.add("the prompt " + Arrays.toString(expected.prompt()), same);
      }
    }
    return mismatches.as(NAME + " greedy");
  }
}
