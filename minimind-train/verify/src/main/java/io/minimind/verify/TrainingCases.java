package io.minimind.verify;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.model.Experts;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A training run of the original, repeated: logits and gradients of its first step, its curve. */
final class TrainingCases {

  private static final double LOGITS_LIMIT = 1e-4;
  private static final double LOSSES_LIMIT = 2e-4;
  private static final double GRADIENT_NORMS_LIMIT = 1e-3;

  private final String name;
  private final TrainingReference reference;
  private final List<NamedTensor> weights;
  private final Device device;
  private final TrainingArtifacts artifacts;

  private TrainingCases(
      String name, TrainingReference reference, List<NamedTensor> weights, Device device) {
    this.name = name;
    this.reference = reference;
    this.weights = weights;
    this.device = device;
    artifacts =
        new TrainingArtifacts(reference.model()).with(TrainingPrecision.FLOAT32, device.target());
  }

  /**
   * @param name of the run's files in the folder
   * @param type that of its version
   * @param device to train on
   * @throws IOException if they are missing or damaged
   */
  static List<Case> of(
      GoldenFolder golden, String name, Class<? extends TrainingReference> type, Device device)
      throws IOException {
    TrainingReference reference = golden.read(name, type);
    TrainingCases run = new TrainingCases(name, reference, reference.start(golden, name), device);
    List<Case> cases = new ArrayList<>();
    Optional<SafetensorsFile> firstStep = reference.firstStep(golden, name);
    if (firstStep.isPresent() && device.kind() == Device.Kind.CPU) {
      cases.addAll(run.firstStep(firstStep.get()));
    } else if (firstStep.isPresent()) {
      // A plain session has no way to a GPU.
      cases.add(new Case.Skipped(name + " logits and gradients", "they are compared on the CPU"));
    }
    if (run.hasIdleRouters()) {
      cases.add(new Case.Skipped(name + " curve", Worst.ONLY_ROUNDING));
    } else {
      cases.addAll(run.curve());
    }
    return cases;
  }

  /**
   * Whether routers choose, but their choice has no gradient: the weight of the one expert that is
   * chosen is divided by itself, and nothing balances.
   */
  private boolean hasIdleRouters() {
    Experts experts = reference.model().experts();
    return experts.routed() > 1
        && experts.perToken() == 1
        && experts.renormalised()
        && experts.balance().weight() == 0;
  }

  private List<Case> firstStep(SafetensorsFile expected) throws IOException {
    try (Batch batch = reference.batch(0)) {
      FirstStep found = FirstStep.of(artifacts, batch, weights);
      List<Parameter> parameters = new Parameters(reference.model()).all();
      return List.of(
          logits(expected, found, batch.rows()),
          found.gradients(name, parameters, expected, reference.names(), ""));
    }
  }

  /** Those of all rows, or of the first one where the reference has no others. */
  private Case logits(SafetensorsFile file, FirstStep step, int rows) throws IOException {
    FloatBuffer expected = GoldenFolder.tensor(file, "__logits__").floats();
    FloatBuffer found = step.values("logits");
    int row = found.limit() / rows;
    Worst worst = new Worst();
    worst.add(
        "the first batch",
        Worst.difference(expected, expected.limit() == row ? found.slice(0, row) : found));
    return worst.against(name + " logits", LOGITS_LIMIT);
  }

  private List<Case> curve() throws IOException {
    Worst norms = new Worst();
    Worst after = new Worst();
    List<Case> cases = new ArrayList<>();
    try (ModelInTraining session = session()) {
      int window = reference.accumulationSteps();
      int micros = reference.microBatches();
      List<Float> losses = new ArrayList<>();
      for (int update = 0; update * window < micros; update++) {
        int end = Math.min(micros, (update + 1) * window);
        double norm = 0;
        session.resetGradients();
        for (int micro = update * window; micro < end; micro++) {
          try (Batch batch = reference.batch(micro)) {
            float maxNorm = micro == end - 1 ? reference.gradClip() : Float.POSITIVE_INFINITY;
            ModelInTraining.Step step = session.trainStep(batch, 1f / window, maxNorm);
            losses.add(step.loss());
            norm = step.gradientNorm();
          }
        }
        session.optimizerStep(reference.learningRate(update));
        norms.add("update " + update, Worst.ofNorm(reference.gradNormsBeforeClip()[update], norm));
      }
      try (Batch batch = reference.batch(0)) {
        double loss = session.evaluate(batch).loss();
        after.add("the first batch", Math.abs(loss - reference.lossAfter()));
      }
      cases.add(losses(losses).against(name + " losses", LOSSES_LIMIT, device));
      cases.add(norms.against(name + " gradient norms", GRADIENT_NORMS_LIMIT, device));
      cases.add(after.against(name + " loss after training", LOSSES_LIMIT, device));
      if (!reference.weightNormsAfter().isEmpty()) {
        cases.add(
            WeightNorms.of(session, reference.model(), reference.weightNormsAfter())
                .against(name + " weight norms", WeightNorms.LIMIT, device));
      }
    }
    return cases;
  }

  /**
   * @param found one for each micro-batch
   */
  private Worst losses(List<Float> found) {
    double[] expected = reference.losses();
    int each = found.size() / expected.length;
    Worst worst = new Worst();
    for (int i = 0; i < expected.length; i++) {
      double mean =
          found.subList(i * each, (i + 1) * each).stream()
              .mapToDouble(loss -> loss)
              .average()
              .orElseThrow();
      worst.add((each == 1 ? "batch " : "update ") + i, Math.abs(mean - expected[i]));
    }
    return worst;
  }

  private ModelInTraining session() throws IOException {
    return ModelInTraining.builder(artifacts)
        .weights(weights)
        .optimizer(reference.optimizerSettings())
        .device(device)
        .threads(1)
        .openOne();
  }
}
