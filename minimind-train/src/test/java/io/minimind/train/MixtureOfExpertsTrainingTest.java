package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.model.Experts;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.ModelInTraining.Evaluation;
import io.minimind.runtime.ModelInTraining.Step;
import io.minimind.runtime.TinyModel;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MixtureOfExpertsTrainingTest {

  private static final int LENGTH = 12;
  private static final float UNCLIPPED = Float.POSITIVE_INFINITY;
  private static final Pattern EXPERT =
      Pattern.compile("(layers\\.\\d+)\\..*experts\\.(\\d+)\\..*");

  @TempDir Path folder;

  private ModelInTraining.Files write(Experts experts) throws IOException {
    return TinyModel.write(
        folder.resolve("model" + experts.balance()),
        TinyModel.CONFIG.with(experts),
        OptimizerSettings.DEFAULT);
  }

  /** A single token meets two experts of four in each layer; the others stay as they were. */
  @Test
  void expertsThatNoTokenChoseDoNotChange() throws IOException {
    ModelInTraining.Files files = write(Experts.of(4).withBalance(0));
    Path after = folder.resolve("after");
    try (ModelInTraining session = files.open(List.of(Device.CPU), 1)) {
      Step step = session.trainStep(TinyModel.batch(1, 1, 1), 1, UNCLIPPED);
      assertTrue(Float.isFinite(step.gradientNorm()), "norm " + step.gradientNorm());
      session.optimizerStep(0.01f);
      session.saveCheckpoint(after);
    }
    List<NamedTensor> before = TrainingCheckpoint.read(files.checkpoint()).trainable();
    List<NamedTensor> trained = TrainingCheckpoint.read(after).trainable();
    Set<String> changed = new HashSet<>();
    for (int i = 0; i < before.size(); i++) {
      assertEquals(before.get(i).name(), trained.get(i).name());
      Matcher expert = EXPERT.matcher(before.get(i).name());
      boolean same = before.get(i).equals(trained.get(i));
      if (expert.matches() && !same) {
        changed.add(expert.group(1) + ", expert " + expert.group(2));
      }
    }
    assertEquals(2 * TinyModel.CONFIG.layers(), changed.size(), changed::toString);
  }

  /** Where balance is nearly all that is learnt, the gates come closer to it. */
  @Test
  void theBalanceLossIsLearnt() throws IOException {
    Batch batch = TinyModel.batch(3, 6, LENGTH);
    double alpha = 1000;
    try (ModelInTraining session =
        write(Experts.of(4).withBalance(alpha)).open(List.of(Device.CPU), 1)) {
      double first = balance(session.evaluate(batch));
      // What a layer has whose experts are all chosen equally often.
      double perfect = alpha * TinyModel.CONFIG.layers();
      assertTrue(first > 1.001 * perfect, "at first " + first);
      for (int i = 0; i < 60; i++) {
        session.resetGradients();
        session.trainStep(batch, 1, 1);
        session.optimizerStep(0.03f);
      }
      double last = balance(session.evaluate(batch));
      assertTrue(last - perfect < 0.5 * (first - perfect), "from " + first + " to " + last);
    }
  }

  private static double balance(Evaluation evaluation) {
    return evaluation.metrics().get(TrainingArtifacts.BALANCE_LOSS);
  }

  @Test
  void theLossIsThatOfTheTokensAlone() throws IOException {
    Batch batch = TinyModel.batch(1, 4, LENGTH);
    try (ModelInTraining balanced =
            write(Experts.of(4).withBalance(0.5)).open(List.of(Device.CPU), 1);
        ModelInTraining unbalanced =
            write(Experts.of(4).withBalance(0)).open(List.of(Device.CPU), 1)) {
      Step one = balanced.trainStep(batch, 1, UNCLIPPED);
      Step other = unbalanced.trainStep(batch, 1, UNCLIPPED);
      assertEquals(other.loss(), one.loss());
      assertNotEquals(other.gradientNorm(), one.gradientNorm());
      assertEquals(Set.of(TrainingArtifacts.BALANCE_LOSS), one.metrics().keySet());
      assertEquals(Set.of(), other.metrics().keySet());
    }
  }

  @Test
  void replicasLearnWhatOneModelLearnsFromTheJointBatch() throws IOException {
    ModelInTraining.Files files = write(Experts.of(4).withBalance(0.1));
    try (ModelInTraining replicas = files.open(List.of(Device.CPU, Device.CPU), 2);
        ModelInTraining one = files.open(List.of(Device.CPU), 1)) {
      Batch joint = TinyModel.batch(5, 6, LENGTH);
      double first = 0;
      double last = 0;
      for (int update = 0; update < 12; update++) {
        replicas.resetGradients();
        Step found = replicas.lastTrainStep(List.of(half(joint, 0), half(joint, 1)), 1, UNCLIPPED);
        one.resetGradients();
        Step expected = one.trainStep(joint, 1, UNCLIPPED);
        assertEquals(expected.loss(), found.loss(), 1e-4, "update " + update);
        assertEquals(expected.gradientNorm(), found.gradientNorm(), 1e-3, "update " + update);
        replicas.optimizerStep(3e-3f);
        one.optimizerStep(3e-3f);
        first = update == 0 ? expected.loss() : first;
        last = expected.loss();
      }
      assertTrue(last < first - 0.3, "from " + first + " to " + last);
    }
  }

  private static Batch half(Batch joint, int which) {
    int rows = joint.rows() / 2;
    int size = rows * joint.length();
    long[] ids = new long[size];
    long[] labels = new long[size];
    float[] mask = new float[size];
    joint.inputIds().get(which * size, ids);
    joint.labels().get(which * size, labels);
    joint.lossMask().get(which * size, mask);
    return Batch.of(rows, joint.length(), ids, labels, mask);
  }
}
