package io.minimind.verify;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.preference.PreferenceObjective;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** DPO steps of the original, repeated: log-probabilities of both models, losses, margins. */
final class PreferenceCases {

  private static final String NAME = "dpo";
  private static final double LIMIT = 2e-4;

  /**
   * @param beta of every step
   * @param optimizer a description such as {@code Adam betas=0.9,0.999 eps=1e-8, no clipping}
   */
  private record Reference(
      GoldenConfig config, float beta, float learningRate, String optimizer, List<Step> steps) {}

  /**
   * @param chosen ids, [pairs][length], as the others
   * @param chosenMask 1 on the answer's ids
   * @param policyChosenLogps one for each pair, before the step's update
   */
  private record Step(
      long[][] chosen,
      float[][] chosenMask,
      long[][] rejected,
      float[][] rejectedMask,
      double loss,
      double[] policyChosenLogps,
      double[] policyRejectedLogps,
      double[] referenceChosenLogps,
      double[] referenceRejectedLogps,
      double rewardMargin) {

    /** That of the largest log-probability, of whose differences the margin is made. */
    double size() {
      return Stream.of(policyChosenLogps, policyRejectedLogps)
          .flatMapToDouble(Arrays::stream)
          .map(Math::abs)
          .max()
          .orElse(0);
    }

    /** Chosen and rejected rows in turn. */
    Batch batch(float[] reference) throws IOException {
      List<Sample> rows = new ArrayList<>();
      for (int pair = 0; pair < chosen.length; pair++) {
        rows.add(sample(chosen[pair], chosenMask[pair], reference[2 * pair]));
        rows.add(sample(rejected[pair], rejectedMask[pair], reference[2 * pair + 1]));
      }
      Samples samples = Samples.of(rows, 2, List.of(PreferenceObjective.REFERENCE));
      return Batch.of(samples, LongStream.range(0, rows.size()).toArray());
    }

    private static Sample sample(long[] ids, float[] counts, float reference) {
      BitSet targets = new BitSet(ids.length);
      for (int i = 0; i < ids.length; i++) {
        targets.set(i, counts[i] != 0);
      }
      int[] tokens = LongStream.of(ids).mapToInt(Math::toIntExact).toArray();
      return new Sample(tokens, targets).with(PreferenceObjective.REFERENCE.name(), reference);
    }
  }

  private final Reference reference;
  private final List<NamedTensor> weights;
  private final Device device;
  private final TrainingArtifacts artifacts;
  private final Worst referenceLogProbabilities = new Worst();
  private final Worst policyLogProbabilities = new Worst();
  private final Worst losses = new Worst();
  private final Worst margins = new Worst();

  private PreferenceCases(GoldenFolder golden, Device device) throws IOException {
    this.device = device;
    reference = golden.read(NAME, Reference.class);
    ModelConfig config = reference.config().model();
    weights = golden.parameters(NAME, config);
    artifacts =
        new TrainingArtifacts(
                config,
                new PreferenceObjective(reference.beta(), 0, PreferenceObjective.Variant.SIGMOID))
            .with(TrainingPrecision.FLOAT32, device.target());
  }

  /**
   * @param device to train on
   * @throws IOException if the reference's files are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, Device device) throws IOException {
    PreferenceCases cases = new PreferenceCases(golden, device);
    cases.run();
    return List.of(
        cases.referenceLogProbabilities.against(
            NAME + " reference log-probabilities", LIMIT, device),
        cases.policyLogProbabilities.against(NAME + " policy log-probabilities", LIMIT, device),
        cases.losses.against(NAME + " losses", LIMIT, device),
        cases.margins.against(NAME + " reward margins", LIMIT, device));
  }

  private void run() throws IOException {
    List<Step> steps = reference.steps();
    float[][] references = new float[steps.size()][];
    try (ModelInTraining session = session()) {
      for (int i = 0; i < steps.size(); i++) {
        Step step = steps.get(i);
        references[i] = logProbabilities(session, step, new float[2 * step.chosen().length]);
        compare(
            referenceLogProbabilities,
            i,
            references[i],
            step.referenceChosenLogps(),
            step.referenceRejectedLogps());
      }
      for (int i = 0; i < steps.size(); i++) {
        train(session, i, references[i]);
      }
    }
  }

  private void train(ModelInTraining session, int number, float[] references) throws IOException {
    Step step = reference.steps().get(number);
    String place = "step " + number;
    compare(
        policyLogProbabilities,
        number,
        logProbabilities(session, step, references),
        step.policyChosenLogps(),
        step.policyRejectedLogps());
    session.resetGradients();
    try (Batch batch = step.batch(references)) {
      ModelInTraining.Step found = session.trainStep(batch, 1, Float.POSITIVE_INFINITY);
      double size = reference.beta() * step.size();
      losses.add(place, Worst.ofSums(size, step.loss(), found.loss()));
      float margin = found.metrics().get(PreferenceObjective.MARGIN);
      margins.add(place, Worst.ofSums(size, step.rewardMargin(), margin));
    }
    session.optimizerStep(reference.learningRate());
  }

  private static float[] logProbabilities(ModelInTraining session, Step step, float[] references)
      throws IOException {
    try (Batch batch = step.batch(references)) {
      return session.evaluate(batch, PreferenceObjective.LOG_PROBABILITIES);
    }
  }

  static void compare(Worst worst, int step, float[] found, double[] chosen, double[] rejected) {
    for (int row = 0; row < found.length; row++) {
      double expected = row % 2 == 0 ? chosen[row / 2] : rejected[row / 2];
      String answer = row % 2 == 0 ? "chosen" : "rejected";
      worst.add(
          "step %d, %s answer %d".formatted(step, answer, row / 2),
          Worst.ofSums(Math.abs(expected), expected, found[row]));
    }
  }

  private ModelInTraining session() throws IOException {
    return ModelInTraining.builder(artifacts)
        .weights(weights)
        .optimizer(Adam.of(reference.optimizer(), Float.POSITIVE_INFINITY))
        .device(device)
        .threads(1)
        .openOne();
  }
}
