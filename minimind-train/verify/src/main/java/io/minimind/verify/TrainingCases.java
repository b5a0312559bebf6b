package io.minimind.verify;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** A training run of the original, repeated: logits and gradients of its first step, its curve. */
final class TrainingCases {

  private static final double LOGITS_LIMIT = 1e-4;
  private static final double LOSSES_LIMIT = 2e-4;
  private static final double GRADIENT_NORMS_LIMIT = 1e-3;

  private final String name;
  private final TrainingReference reference;
  private final SafetensorsFile firstStep;
  private final List<NamedTensor> weights;
  private final Device device;
  private final TrainingArtifacts artifacts;

  private TrainingCases(GoldenFolder golden, String name, Device device) throws IOException {
    this.name = name;
    this.device = device;
    reference = golden.read(name, TrainingReference.class);
    ModelConfig config = reference.config().model();
    firstStep = golden.tensors(name + ".step0");
    weights = golden.parameters(name, config);
    artifacts = new TrainingArtifacts(config).with(TrainingPrecision.FLOAT32, device.target());
  }

  /**
   * @param name of the run's files in the folder
   * @param device to train on
   * @throws IOException if they are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, String name, Device device) throws IOException {
    TrainingCases run = new TrainingCases(golden, name, device);
    List<Case> cases = new ArrayList<>();
    if (device.kind() == Device.Kind.CPU) {
      cases.addAll(run.firstStep());
    } else {
      // A plain session has no way to a GPU.
      cases.add(new Case.Skipped(name + " logits and gradients", "they are compared on the CPU"));
    }
    cases.addAll(run.curve());
    return cases;
  }

  private List<Case> firstStep() throws IOException {
    try (Batch batch = reference.batch(0)) {
      FirstStep step = FirstStep.of(artifacts, batch, weights);
      List<Parameter> parameters = new Parameters(reference.config().model()).all();
      return List.of(
          logits(step), step.gradients(name, parameters, firstStep, TensorNames.MINIMIND, ""));
    }
  }

  private Case logits(FirstStep step) throws IOException {
    FloatBuffer expected = GoldenFolder.tensor(firstStep, "__logits__").floats();
    Worst worst = new Worst();
    worst.add("the first batch", Worst.difference(expected, step.values("logits")));
    return worst.against(name + " logits", LOGITS_LIMIT);
  }

  private List<Case> curve() throws IOException {
    Worst losses = new Worst();
    Worst norms = new Worst();
    Worst after = new Worst();
    try (ModelInTraining session = session()) {
      int window = reference.accumulationSteps();
      for (int update = 0; update < reference.learningRates().length; update++) {
        double loss = 0;
        double norm = 0;
        session.resetGradients();
        for (int micro = update * window; micro < (update + 1) * window; micro++) {
          try (Batch batch = reference.batch(micro)) {
            boolean last = micro == (update + 1) * window - 1;
            float maxNorm = last ? reference.gradClip() : Float.POSITIVE_INFINITY;
            ModelInTraining.Step step = session.trainStep(batch, 1f / window, maxNorm);
            loss += step.loss() / window;
            norm = step.gradientNorm();
          }
        }
        session.optimizerStep(reference.learningRates()[update]);
        String place = "update " + update;
        losses.add(place, Math.abs(loss - reference.losses()[update]));
        double expectedNorm = reference.gradNormsBeforeClip()[update];
        // Relative below a norm of 1 and absolute above: the stricter of the two.
        norms.add(place, Math.abs(norm - expectedNorm) / Math.min(1, expectedNorm));
      }
      try (Batch batch = reference.batch(0)) {
        after.add(
            "the first batch", Math.abs(session.evaluate(batch).loss() - reference.lossAfter()));
      }
    }
    return List.of(
        losses.against(name + " losses", LOSSES_LIMIT, device),
        norms.against(name + " gradient norms", GRADIENT_NORMS_LIMIT, device),
        after.against(name + " loss after training", LOSSES_LIMIT, device));
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
