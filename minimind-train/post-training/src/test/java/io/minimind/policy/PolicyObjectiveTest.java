package io.minimind.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.policy.PolicyObjective.Variant;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.ModelInTraining.Evaluation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The losses against their formulas in double. */
class PolicyObjectiveTest {

  private static final ModelConfig CONFIG = ModelConfig.of(32, 1, 2, 1, 40, 16);
  private static final double BETA = 0.3;

  /** Rows of several lengths, of which the last has no token that counts. */
  private static final int[][] LENGTHS = {{3, 5}, {2, 8}, {4, 1}, {6, 0}};

  private final Random random = new Random(4);
  private final List<Sample> samples = new ArrayList<>();

  PolicyObjectiveTest() {
    for (int[] length : LENGTHS) {
      int[] ids = random.ints(length[0] + length[1], 1, CONFIG.vocabularySize()).toArray();
      BitSet targets = new BitSet();
      targets.set(length[0], ids.length);
      samples.add(
          new Sample(ids, targets)
              .with(PolicyObjective.REWARDS.name(), random.nextFloat())
              .with(PolicyObjective.ADVANTAGES.name(), floats(ids.length, 0, 1))
              .with(PolicyObjective.WRITTEN.name(), floats(ids.length, -3.7, 0.5))
              .with(PolicyObjective.REFERENCE.name(), floats(ids.length, -3.7, 0.5)));
    }
  }

  private float[] floats(int count, double mean, double deviation) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (mean + deviation * random.nextGaussian());
    }
    return values;
  }

  private static ModelInTraining session(PolicyObjective objective) throws IOException {
    return ModelInTraining.builder(new TrainingArtifacts(CONFIG, objective))
        .weights(new Parameters(CONFIG).start(3))
        .threads(1)
        .openOne();
  }

  private Batch batch(PolicyObjective objective) throws IOException {
    return Batch.of(
        Samples.of(samples, 1, objective.inputs()), LongStream.range(0, samples.size()).toArray());
  }

  private static PolicyObjective objective(Variant variant, boolean fresh) {
    return new PolicyObjective(variant, 0.2, 1.5, BETA, fresh);
  }

  @ParameterizedTest
  @EnumSource
  void theLossIsThatOfTheFormula(Variant variant) throws IOException {
    PolicyObjective objective = objective(variant, false);
    try (ModelInTraining session = session(objective);
        Batch batch = batch(objective)) {
      float[] found = session.evaluate(batch, PolicyObjective.LOG_PROBABILITIES);
      double rows = 0;
      double tokens = 0;
      double all = 0;
      double kls = 0;
      double clipped = 0;
      double reward = 0;
      for (int row = 0; row < LENGTHS.length; row++) {
        Sample sample = samples.get(row);
        double sum = 0;
        for (int i = LENGTHS[row][0]; i < sample.ids().length; i++) {
          double log = found[row * batch.length() + i - 1];
          double ratio = Math.exp(log - column(sample, PolicyObjective.WRITTEN.name(), i));
          double advantage = column(sample, PolicyObjective.ADVANTAGES.name(), i);
          double d = column(sample, PolicyObjective.REFERENCE.name(), i) - log;
          double kl = Math.exp(d) - d - 1;
          double within = Math.max(0.8, Math.min(1.2, ratio));
          double gain =
              variant == Variant.CISPO
                  ? Math.min(ratio, 1.5) * advantage * log
                  : Math.min(ratio * advantage, within * advantage);
          sum += BETA * kl - gain;
          kls += kl;
          clipped += within == ratio ? 0 : 1;
          tokens++;
        }
        all += sum;
        rows += LENGTHS[row][1] == 0 ? 0 : sum / LENGTHS[row][1] / 3;
        reward += column(sample, PolicyObjective.REWARDS.name(), 0) / LENGTHS.length;
      }
      double loss = variant == Variant.PPO ? all / tokens : rows;
      Evaluation evaluation = session.evaluate(batch);
      assertEquals(loss - reward, evaluation.loss(), 1e-4);
      assertEquals(kls / tokens, evaluation.metrics().get(PolicyObjective.KL), 1e-4);
      assertEquals(clipped / tokens, evaluation.metrics().get(PolicyObjective.CLIPPED), 1e-6);
      assertEquals(reward, evaluation.metrics().get(PolicyObjective.REWARD), 1e-6);
      assertEquals(14.0 / 4, evaluation.metrics().get(PolicyObjective.LENGTH), 1e-6);
    }
  }

  private static double column(Sample sample, String name, int index) {
    return sample.columns().get(name)[index];
  }

  /** Where ratios are 1, the two are the same, and so are their gradients. */
  @Test
  void freshAnswersAreThoseWrittenByThePresentWeights() throws IOException {
    PolicyObjective fresh = objective(Variant.GRPO, true);
    PolicyObjective stale = objective(Variant.GRPO, false);
    float[] norms = new float[2];
    float[] losses = new float[2];
    try (ModelInTraining session = session(fresh);
        Batch batch = batch(fresh)) {
      float[] written = session.evaluate(batch, PolicyObjective.LOG_PROBABILITIES);
      for (int row = 0; row < samples.size(); row++) {
        float[] values = new float[samples.get(row).ids().length];
        System.arraycopy(written, row * batch.length(), values, 1, values.length - 1);
        samples.set(row, samples.get(row).with(PolicyObjective.WRITTEN.name(), values));
      }
      ModelInTraining.Step step = session.trainStep(batch, 1, Float.POSITIVE_INFINITY);
      norms[0] = step.gradientNorm();
      losses[0] = step.loss();
    }
    try (ModelInTraining session = session(stale);
        Batch batch = batch(stale)) {
      ModelInTraining.Step step = session.trainStep(batch, 1, Float.POSITIVE_INFINITY);
      norms[1] = step.gradientNorm();
      losses[1] = step.loss();
      assertEquals(0, step.metrics().get(PolicyObjective.CLIPPED));
    }
    assertEquals(losses[0], losses[1], 1e-5);
    assertEquals(norms[0], norms[1], 1e-4 * norms[0]);
    assertTrue(norms[0] > 0.01);
  }

  @Test
  void rowsWithoutTokensTeachNothing() throws IOException {
    samples.subList(0, 3).clear();
    PolicyObjective objective = objective(Variant.GRPO, true);
    try (ModelInTraining session = session(objective);
        Batch batch = batch(objective)) {
      ModelInTraining.Step step = session.trainStep(batch, 1, Float.POSITIVE_INFINITY);
      assertEquals(0, step.gradientNorm());
      assertEquals(0, step.metrics().get(PolicyObjective.KL));
      assertEquals(-step.metrics().get(PolicyObjective.REWARD), step.loss(), 1e-6);
    }
  }

  @Test
  void advantagesAreDeviationsWithinAGroup() {
    double[] rewards = {1, 3, 2, 2, 2, 2};
    float[] found = Advantages.ofGroups(rewards, 2);
    assertEquals(-1 / 1.0001, found[0], 1e-6);
    assertEquals(1 / 1.0001, found[1], 1e-6);
    for (int i = 2; i < 6; i++) {
      assertEquals(0, found[i], "all the same");
    }
  }
}
