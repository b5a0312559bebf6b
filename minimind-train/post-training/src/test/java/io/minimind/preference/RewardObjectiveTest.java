package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.graph.ModelRunner;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Weights;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a head on the last tokens gives: against the formula, and against finite differences. */
class RewardObjectiveTest {

  private static final int PAIRS = 2;
  private static final int ROWS = 2 * PAIRS;
  private static final int LENGTH = 5;
  private static final int VOCABULARY = 24;
  private static final int WIDTH = 32;

  private static ModelConfig config(boolean ownHead) {
    ModelConfig tied = ModelConfig.of(WIDTH, 1, 2, 1, VOCABULARY, 16);
    return ownHead ? tied.toBuilder().part(Part.OWN_HEAD).build() : tied;
  }

  private static List<NamedTensor> weights(ModelConfig config) {
    List<NamedTensor> weights = new ArrayList<>(Weights.of(config));
    RewardObjective.HEAD.parameters(config).forEach(head -> weights.add(head.start(7)));
    return weights;
  }

  /** Each row ends at another position. */
  private static List<NamedTensor> inputs(List<NamedTensor> weights) {
    Random random = new Random(3);
    long[] ids = random.longs(ROWS * LENGTH, 0, VOCABULARY).toArray();
    float[] mask = new float[ids.length];
    for (int row = 0; row < ROWS; row++) {
      mask[row * LENGTH + 1 + row] = 1;
    }
    List<NamedTensor> inputs = new ArrayList<>(weights);
    inputs.add(ModelRunner.longs("input_ids", ids, ROWS, LENGTH));
    inputs.add(ModelRunner.longs("labels", ids, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("loss_mask", mask, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    return inputs;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theLossIsBradleyAndTerrysAndItsGradientItsChange(boolean ownHead) {
    ModelConfig config = config(ownHead);
    List<NamedTensor> weights = weights(config);
    double[] scores;
    try (ModelRunner model =
        ModelRunner.of(new TrainingArtifacts(config, new RewardObjective.Scores()).gradients())) {
      scores = ModelRunner.doubles(model.run(inputs(weights)).get(RewardObjective.Scores.OUTPUT));
    }
    assertEquals(ROWS, scores.length);
    try (ModelRunner model =
        ModelRunner.of(new TrainingArtifacts(config, new RewardObjective()).gradients())) {
      Map<String, NamedTensor> outputs = model.run(inputs(weights));
      double first = scores[0] - scores[1];
      double second = scores[2] - scores[3];
      double loss = (Math.log1p(Math.exp(-first)) + Math.log1p(Math.exp(-second))) / PAIRS;
      assertEquals(loss, scalar(outputs, "loss"), 1e-5);
      assertEquals((first + second) / PAIRS, scalar(outputs, RewardObjective.MARGIN), 1e-5);
      double won = ((first > 0 ? 1 : 0) + (second > 0 ? 1 : 0)) / (double) PAIRS;
      assertEquals(won, scalar(outputs, RewardObjective.ACCURACY), 1e-6);
      for (NamedTensor weight : weights) {
        double[] gradient = ModelRunner.doubles(outputs.get(weight.name() + ".gradient"));
        double norm = Math.sqrt(Arrays.stream(gradient).map(value -> value * value).sum());
        if (weight.name().startsWith("output")) {
          assertEquals(0, norm, "the head for tokens has no part in it");
          continue;
        }
        assertTrue(norm > 0, weight.name());
        double step = 0.01 / Math.max(1, norm);
        double up = lossAt(model, weights, weight, gradient, step / norm);
        double down = lossAt(model, weights, weight, gradient, -step / norm);
        assertEquals(norm, (up - down) / (2 * step), 0.02 * norm + 1e-4, weight.name());
      }
    }
  }

  private static double lossAt(
      ModelRunner model,
      List<NamedTensor> weights,
      NamedTensor which,
      double[] direction,
      double step) {
    List<NamedTensor> moved =
        weights.stream().map(each -> each == which ? moved(each, direction, step) : each).toList();
    return scalar(model.run(inputs(moved)), "loss");
  }

  private static NamedTensor moved(NamedTensor weight, double[] direction, double step) {
    double[] values = ModelRunner.doubles(weight);
    float[] sum = new float[values.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = (float) (values[i] + step * direction[i]);
    }
    return NamedTensor.ofFloats(weight.name(), sum, weight.shape());
  }

  private static double scalar(Map<String, NamedTensor> outputs, String name) {
    return ModelRunner.doubles(outputs.get(name))[0];
  }
}
