package io.minimind.verify;

import io.minimind.artifact.Objective.Preference;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.files.TemporaryFolder;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.TrainingSession;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** DPO steps of the original, repeated: log-probabilities of both models, losses, margins. */
public final class PreferenceCases {

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

    /** Chosen and rejected rows in turn; the ids that follow are the labels. */
    Batch batch(float[] reference) {
      int rows = 2 * chosen.length;
      int length = Math.max(chosen[0].length, rejected[0].length) - 1;
      long[] ids = new long[rows * length];
      long[] labels = new long[ids.length];
      float[] mask = new float[ids.length];
      for (int row = 0; row < rows; row++) {
        long[] tokens = row % 2 == 0 ? chosen[row / 2] : rejected[row / 2];
        float[] counts = row % 2 == 0 ? chosenMask[row / 2] : rejectedMask[row / 2];
        for (int i = 0; i < tokens.length - 1; i++) {
          ids[row * length + i] = tokens[i];
          labels[row * length + i] = tokens[i + 1];
          mask[row * length + i] = counts[i + 1];
        }
      }
      return Batch.ofPairs(rows, length, ids, labels, mask, reference);
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
                config, new Preference(reference.beta(), 0, Preference.Variant.SIGMOID))
            .with(TrainingPrecision.FLOAT32, device.kind().target());
  }

  /**
   * @param device to train on
   * @throws IOException if the reference's files are missing or damaged
   */
  public static List<Case> of(GoldenFolder golden, Device device) throws IOException {
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
    try (TemporaryFolder folder = TemporaryFolder.create();
        TrainingSession session = TrainingSession.open(files(folder.path()), device, 1)) {
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

  private void train(TrainingSession session, int number, float[] references) {
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
      TrainingSession.Step found = session.trainStep(batch, 1, Float.POSITIVE_INFINITY);
      losses.add(place, Math.abs(found.loss() - step.loss()));
      margins.add(place, Math.abs(found.metrics().get(Preference.MARGIN) - step.rewardMargin()));
    }
    session.optimizerStep(reference.learningRate());
  }

  private static float[] logProbabilities(TrainingSession session, Step step, float[] references) {
    try (Batch batch = step.batch(references)) {
      return session.logProbabilities(batch);
    }
  }

  private static void compare(
      Worst worst, int step, float[] found, double[] chosen, double[] rejected) {
    for (int row = 0; row < found.length; row++) {
      double expected = row % 2 == 0 ? chosen[row / 2] : rejected[row / 2];
      String answer = row % 2 == 0 ? "chosen" : "rejected";
      worst.add(
          "step %d, %s answer %d".formatted(step, answer, row / 2),
          Math.abs(found[row] - expected));
    }
  }

  private ModelInTraining.Files files(Path folder) throws IOException {
    Path checkpoint = folder.resolve("checkpoint");
    TrainingCheckpoint.of(weights).write(checkpoint);
    artifacts.write(folder, Adam.of(reference.optimizer(), Float.POSITIVE_INFINITY));
    return new ModelInTraining.Files(checkpoint, folder);
  }
}
