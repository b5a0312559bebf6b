package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Target;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.model.Weights;
import io.minimind.preference.PreferenceObjective.Variant;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The loss over pairs: against its formulas in double, and against finite differences. */
class PreferenceObjectiveTest {

  private static final int PAIRS = 3;
  private static final int LENGTH = 7;
  private static final int VOCABULARY = 24;
  private static final ModelConfig CONFIG = ModelConfig.of(32, 1, 2, 1, VOCABULARY, 16);

  /** Ids and labels hold 0, the padding, also where the mask is 1: only the mask decides. */
  private final long[] ids = new long[2 * PAIRS * LENGTH];

  private final long[] labels = new long[ids.length];
  private final float[] mask = new float[ids.length];
  private final float[] reference = new float[2 * PAIRS];

  PreferenceObjectiveTest() {
    Random random = new Random(5);
    for (int row = 0; row < 2 * PAIRS; row++) {
      int answer = 1 + random.nextInt(4);
      int end = answer + 1 + random.nextInt(LENGTH - answer);
      for (int i = row * LENGTH; i < (row + 1) * LENGTH; i++) {
        ids[i] = random.nextInt(VOCABULARY);
        labels[i] = i == row * LENGTH + answer ? 0 : random.nextInt(VOCABULARY);
        mask[i] = i >= row * LENGTH + answer && i < row * LENGTH + end ? 1 : 0;
      }
    }
  }

  /** Log-probabilities near the model's own, so that margins have both signs and hinges bend. */
  private void referTo(double[] logProbabilities) {
    double[] offsets = {1.5, -2, 0.25, 3, 18, -20};
    for (int i = 0; i < reference.length; i++) {
      reference[i] = (float) (logProbabilities[i] + offsets[i]);
    }
  }

  private Map<String, NamedTensor> run(Objective objective, List<NamedTensor> weights) {
    try (ModelRunner model = ModelRunner.of(new TrainingArtifacts(CONFIG, objective).gradients())) {
      return model.run(inputs(objective, weights));
    }
  }

  private List<NamedTensor> inputs(Objective objective, List<NamedTensor> weights) {
    List<NamedTensor> inputs = new ArrayList<>(weights);
    inputs.add(ModelRunner.longs("input_ids", ids, 2 * PAIRS, LENGTH));
    inputs.add(ModelRunner.longs("labels", labels, 2 * PAIRS, LENGTH));
    inputs.add(NamedTensor.ofFloats("loss_mask", mask, 2 * PAIRS, LENGTH));
    if (!objective.inputs().isEmpty()) {
      inputs.add(NamedTensor.ofFloats("reference_log_probabilities", reference, 2 * PAIRS));
    }
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    return inputs;
  }

  private double[] logProbabilities() {
    return ModelRunner.doubles(
        run(PreferenceObjective.DEFAULT, Weights.of(CONFIG)).get("answer_log_probabilities"));
  }

  @Test
  void anAnswersLogProbabilityIsTheSumOverItsUnmaskedTokens() {
    Map<String, NamedTensor> outputs = run(PreferenceObjective.DEFAULT, Weights.of(CONFIG));
    double[] logits = ModelRunner.doubles(outputs.get("logits"));
    double[] found = ModelRunner.doubles(outputs.get("answer_log_probabilities"));
    for (int row = 0; row < 2 * PAIRS; row++) {
      double expected = 0;
      for (int i = row * LENGTH; i < (row + 1) * LENGTH; i++) {
        int start = i * VOCABULARY;
        double sum =
            IntStream.range(start, start + VOCABULARY).mapToDouble(j -> Math.exp(logits[j])).sum();
        expected += mask[i] * (logits[start + (int) labels[i]] - Math.log(sum));
      }
      assertEquals(expected, found[row], 1e-4, "row " + row);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0.1, 0, SIGMOID",
    "0.5, 0.2, SIGMOID",
    "0.1, 0, IPO",
    "0.7, 0, IPO",
    "0.1, 0, HINGE",
    "0.7, 0, HINGE",
    "2, 0, SIMPO",
    "0.1, 0, ORPO",
    "0.7, 0, ORPO"
  })
  void lossAndMetricsFollowTheirFormulas(double beta, double smoothing, Variant variant) {
    referTo(logProbabilities());
    Map<String, NamedTensor> outputs =
        run(new PreferenceObjective(beta, smoothing, variant), Weights.of(CONFIG));
    double[] policy = ModelRunner.doubles(outputs.get("answer_log_probabilities"));
    double loss = 0;
    double margins = 0;
    double accuracy = 0;
    double chosen = 0;
    double rejected = 0;
    for (int pair = 0; pair < PAIRS; pair++) {
      double chosenRatio = policy[2 * pair] - reference[2 * pair];
      double rejectedRatio = policy[2 * pair + 1] - reference[2 * pair + 1];
      double chosenMean = policy[2 * pair] / tokens(2 * pair);
      double rejectedMean = policy[2 * pair + 1] / tokens(2 * pair + 1);
      double margin =
          switch (variant) {
            case SIMPO -> beta * (chosenMean - rejectedMean);
            case ORPO -> beta * (logOdds(chosenMean) - logOdds(rejectedMean));
            default -> beta * (chosenRatio - rejectedRatio);
          };
      double normalized = chosenRatio / tokens(2 * pair) - rejectedRatio / tokens(2 * pair + 1);
      loss +=
          switch (variant) {
            case SIGMOID ->
                -(1 - smoothing) * Math.log(1 / (1 + Math.exp(-margin)))
                    - smoothing * Math.log(1 / (1 + Math.exp(margin)));
            case IPO -> Math.pow(normalized - 1 / (2 * beta), 2);
            case HINGE -> Math.max(0, 1 - margin);
            case SIMPO -> Math.log(1 + Math.exp(beta / 2 - margin));
            case ORPO -> -chosenMean + beta * Math.log(1 + Math.exp(-margin / beta));
          };
      margins += margin;
      accuracy += margin > 0 ? 1 : 0;
      chosen += policy[2 * pair];
      rejected += policy[2 * pair + 1];
    }
    assertEquals(loss / PAIRS, scalar(outputs, "loss"), 1e-4 * Math.max(1, loss));
    assertEquals(margins / PAIRS, scalar(outputs, "reward_margin"), 1e-4);
    assertEquals(accuracy / PAIRS, scalar(outputs, "reward_accuracy"), 1e-6);
    assertEquals(chosen / PAIRS, scalar(outputs, "chosen_log_probability"), 1e-4);
    assertEquals(rejected / PAIRS, scalar(outputs, "rejected_log_probability"), 1e-4);
  }

  private static double logOdds(double logProbability) {
    return logProbability - Math.log(1 - Math.exp(logProbability));
  }

  private double tokens(int row) {
    return IntStream.range(row * LENGTH, (row + 1) * LENGTH).mapToDouble(i -> mask[i]).sum();
  }

  @Test
  void anExtremeMarginGivesAFiniteLoss() {
    referTo(logProbabilities());
    reference[0] += 5000;
    assertEquals(
        5000 * 0.5 / PAIRS,
        scalar(run(new PreferenceObjective(0.5, 0, Variant.SIGMOID), Weights.of(CONFIG)), "loss"),
        10);
  }

  /** Along each parameter's gradient the loss changes by the gradient's norm. */
  @ParameterizedTest
  @CsvSource({
    "0.1, 0, SIGMOID",
    "0.5, 0.2, SIGMOID",
    "0.3, 0, IPO",
    "0.1, 0, HINGE",
    "2, 0, SIMPO",
    "0.5, 0, ORPO"
  })
  void gradientsAreTheChangeOfTheLoss(double beta, double smoothing, Variant variant) {
    referTo(logProbabilities());
    PreferenceObjective objective = new PreferenceObjective(beta, smoothing, variant);
    List<NamedTensor> weights = Weights.of(CONFIG);
    try (ModelRunner model = ModelRunner.of(new TrainingArtifacts(CONFIG, objective).gradients())) {
      Map<String, NamedTensor> outputs = model.run(inputs(objective, weights));
      for (NamedTensor weight : weights) {
        double[] gradient = ModelRunner.doubles(outputs.get(weight.name() + ".gradient"));
        double norm = norm(gradient);
        double step = 0.01 / Math.max(1, norm);
        double up =
            scalar(
                model.run(inputs(objective, moved(weights, weight, gradient, step / norm))),
                "loss");
        double down =
            scalar(
                model.run(inputs(objective, moved(weights, weight, gradient, -step / norm))),
                "loss");
        assertEquals(norm, (up - down) / (2 * step), 0.02 * norm + 1e-4, weight.name());
      }
    }
  }

  private static List<NamedTensor> moved(
      List<NamedTensor> weights, NamedTensor which, double[] direction, double step) {
    return weights.stream()
        .map(
            weight -> {
              if (weight != which) {
                return weight;
              }
              double[] values = ModelRunner.doubles(weight);
              float[] sum = new float[values.length];
              for (int i = 0; i < sum.length; i++) {
                sum[i] = (float) (values[i] + step * direction[i]);
              }
              return NamedTensor.ofFloats(weight.name(), sum, weight.shape());
            })
        .toList();
  }

  /** Its loss is of sums over whole answers, float32 as all that comes after the products. */
  @ParameterizedTest
  @CsvSource({"BFLOAT16, 8", "FLOAT16, 11"})
  void preferencesAreLearntInHalfPrecisionToo(TrainingPrecision precision, int bits) {
    List<NamedTensor> weights = Weights.of(CONFIG);
    TrainingArtifacts artifacts = new TrainingArtifacts(CONFIG, PreferenceObjective.DEFAULT);
    List<NamedTensor> inputs = inputs(PreferenceObjective.DEFAULT, weights);
    Map<String, NamedTensor> exact;
    try (ModelRunner model = ModelRunner.of(artifacts.gradients())) {
      exact = model.run(inputs);
    }
    if (precision.scalesLoss()) {
      inputs.add(NamedTensor.ofFloats(TrainingArtifacts.LOSS_SCALE, new float[] {1024}));
    }
    try (ModelRunner model = ModelRunner.of(artifacts.with(precision, Target.CPU).gradients())) {
      Map<String, NamedTensor> found = model.run(inputs);
      for (NamedTensor weight : weights) {
        String name = weight.name() + TrainingArtifacts.GRADIENT;
        double[] wanted = ModelRunner.doubles(exact.get(name));
        double[] got = ModelRunner.doubles(found.get(name));
        double[] difference =
            IntStream.range(0, wanted.length).mapToDouble(i -> got[i] - wanted[i]).toArray();
        double relative = norm(difference) / norm(wanted);
        assertTrue(relative < Math.pow(2, 4 - bits), name + " differs by " + relative);
      }
    }
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(value -> value * value).sum());
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> new PreferenceObjective(0, 0, Variant.SIGMOID));
    assertThrows(
        IllegalArgumentException.class,
        () -> new PreferenceObjective(Double.NaN, 0, Variant.SIGMOID));
    assertThrows(
        IllegalArgumentException.class, () -> new PreferenceObjective(0.1, 0.5, Variant.SIGMOID));
    assertThrows(
        IllegalArgumentException.class, () -> new PreferenceObjective(0.1, 0.1, Variant.HINGE));
  }

  private static double scalar(Map<String, NamedTensor> outputs, String name) {
    return ModelRunner.doubles(outputs.get(name))[0];
  }
}
