package io.minimind.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.ModelInTraining.Evaluation;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The critic's loss against its formula in double. */
class ActorCriticObjectiveTest {

  private static final ModelConfig CONFIG = ModelConfig.of(32, 1, 2, 1, 40, 16);
  private static final int[][] LENGTHS = {{3, 5}, {2, 8}, {4, 1}};
  private static final ActorCriticObjective OBJECTIVE =
      new ActorCriticObjective(ActorCriticObjective.DEFAULT.policy(), 0.5, 0.2, 3);

  private final Random random = new Random(4);

  private float[] floats(int count, double mean, double deviation) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (mean + deviation * random.nextGaussian());
    }
    return values;
  }

  private List<Sample> samples(float learnt) {
    List<Sample> samples = new ArrayList<>();
    for (int[] length : LENGTHS) {
      int[] ids = random.ints(length[0] + length[1], 1, CONFIG.vocabularySize()).toArray();
      BitSet targets = new BitSet();
      targets.set(length[0], ids.length);
      samples.add(
          new Sample(ids, targets)
              .with(PolicyObjective.REWARDS.name(), 0)
              .with(PolicyObjective.ADVANTAGES.name(), floats(ids.length, 0, 1))
              .with(PolicyObjective.WRITTEN.name(), floats(ids.length, -3.7, 0.5))
              .with(PolicyObjective.REFERENCE.name(), floats(ids.length, -3.7, 0.5))
              .with(ActorCriticObjective.RETURNS.name(), floats(ids.length, 0, 1))
              .with(ActorCriticObjective.EXPECTED.name(), floats(ids.length, 0, 0.3))
              .with(ActorCriticObjective.LEARNT.name(), learnt));
    }
    return samples;
  }

  private static Batch batch(List<Sample> samples) throws IOException {
    return Batch.of(
        Samples.of(samples, 1, OBJECTIVE.inputs()), LongStream.range(0, samples.size()).toArray());
  }

  private static ModelInTraining session() throws IOException {
    List<NamedTensor> weights = new ArrayList<>(new Parameters(CONFIG).start(3));
    weights.addAll(OBJECTIVE.start(CONFIG, weights, 3));
    return ModelInTraining.builder(new TrainingArtifacts(CONFIG, OBJECTIVE))
        .weights(weights)
        .threads(1)
        .openOne();
  }

  @Test
  void valuesAreHeldNearWhatTheyWere() throws IOException {
    List<Sample> samples = samples(1);
    try (ModelInTraining session = session();
        Batch batch = batch(samples)) {
      float[] values = session.evaluate(batch, ActorCriticObjective.VALUES);
      double sum = 0;
      double tokens = 0;
      for (int row = 0; row < LENGTHS.length; row++) {
        Sample sample = samples.get(row);
        for (int i = LENGTHS[row][0]; i < sample.ids().length; i++) {
          double value = values[row * batch.length() + i - 1];
          double before = sample.columns().get(ActorCriticObjective.EXPECTED.name())[i];
          double wanted = sample.columns().get(ActorCriticObjective.RETURNS.name())[i];
          double held = before + Math.max(-0.2, Math.min(0.2, value - before));
          sum += Math.max(Math.pow(value - wanted, 2), Math.pow(held - wanted, 2)) / 2;
          tokens++;
        }
      }
      Evaluation found = session.evaluate(batch);
      assertEquals(sum / tokens, found.metrics().get(ActorCriticObjective.VALUE_LOSS), 1e-5);
    }
  }

  /** The critic begins as the model, learns with it, and is clipped apart from it. */
  @Test
  void bothBodiesLearn() throws IOException {
    List<Sample> samples = samples(1);
    try (ModelInTraining session = session();
        Batch batch = batch(samples)) {
      float first = session.evaluate(batch).metrics().get(ActorCriticObjective.VALUE_LOSS);
      float[] policy = session.evaluate(batch, PolicyObjective.LOG_PROBABILITIES);
      for (int i = 0; i < 20; i++) {
        session.resetGradients();
        ModelInTraining.Step step = session.trainStep(batch, 1, 1);
        assertTrue(step.gradientNorm() > 0);
        session.optimizerStep(1e-3f);
      }
      float last = session.evaluate(batch).metrics().get(ActorCriticObjective.VALUE_LOSS);
      assertTrue(last < 0.9 * first, first + " to " + last);
      float[] moved = session.evaluate(batch, PolicyObjective.LOG_PROBABILITIES);
      assertTrue(Math.abs(moved[4] - policy[4]) > 1e-4);
    }
  }

  /** Also where Adam's epsilon is not small beside the gradients, and where they are clipped. */
  @Test
  void theFactorOfTheCriticChangesItsRateAndNothingElse() throws IOException {
    List<Sample> samples = samples(1);
    try (Batch batch = batch(samples)) {
      float[] before = valuesAfter(0, batch, 1, 0);
      float[] apart = valuesAfter(5, batch, 8, 5e-4f);
      float[] alike = valuesAfter(5, batch, 1, 4e-3f);
      assertArrayEquals(alike, apart, 2e-5f);
      assertTrue(Math.abs(apart[4] - before[4]) > 1e-3, before[4] + " to " + apart[4]);
    }
  }

  private static float[] valuesAfter(int steps, Batch batch, double criticRate, float rate)
      throws IOException {
    ActorCriticObjective objective =
        new ActorCriticObjective(OBJECTIVE.policy(), 0.5, 0.2, criticRate);
    List<NamedTensor> weights = new ArrayList<>(new Parameters(CONFIG).start(3));
    weights.addAll(objective.start(CONFIG, weights, 3));
    try (ModelInTraining session =
        ModelInTraining.builder(new TrainingArtifacts(CONFIG, objective))
            .weights(weights)
            .optimizer(new OptimizerSettings(0.9f, 0.999f, 1e-2f, 0.1f, 0.5f))
            .threads(1)
            .openOne()) {
      for (int i = 0; i < steps; i++) {
        session.resetGradients();
        session.trainStep(batch, 1, 0.5f);
        session.optimizerStep(rate);
      }
      return session.evaluate(batch, ActorCriticObjective.VALUES);
    }
  }

  @Test
  void whatIsNotLearntFromChangesNothing() throws IOException {
    try (ModelInTraining session = session();
        Batch batch = batch(samples(0))) {
      ModelInTraining.Step step = session.trainStep(batch, 1, 1);
      assertEquals(0, step.loss());
      assertEquals(0, step.gradientNorm());
      assertTrue(step.metrics().get(ActorCriticObjective.VALUE_LOSS) > 0);
    }
  }

  /** By hand, with γ 0.5 and λ 0.5. */
  @Test
  void advantagesLookAhead() {
    float[] found = Advantages.ofTokens(2, new float[] {1, 0.5f}, 0.5, 0.5);
    assertEquals(1.5, found[1], 1e-6, "2 - 0.5");
    assertEquals(0.5 * 0.5 - 1 + 0.25 * 1.5, found[0], 1e-6);
    List<float[]> whitened = List.of(new float[] {1, 2}, new float[] {3});
    Advantages.whiten(whitened);
    assertEquals(0, whitened.get(0)[1], 1e-6);
    assertEquals(Math.sqrt(1.5), whitened.get(1)[0], 1e-4);
  }
}
