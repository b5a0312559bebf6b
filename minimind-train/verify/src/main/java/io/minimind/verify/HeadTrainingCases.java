package io.minimind.verify;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
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

/** A training run of MiniMind's third version, repeated. */
final class HeadTrainingCases {

  private static final double LOGITS_LIMIT = 1e-4;
  private static final double LOSSES_LIMIT = 2e-4;
  private static final double NORMS_LIMIT = 1e-3;

  private final String name;
  private final HeadReference reference;
  private final List<NamedTensor> weights;
  private final Device device;
  private final TrainingArtifacts artifacts;

  private HeadTrainingCases(GoldenFolder golden, String name, Device device) throws IOException {
    this.name = name;
    this.device = device;
    reference = golden.read(name, HeadReference.class);
    weights = golden.parameters(reference.start(), reference.model(), TensorNames.TRANSFORMERS);
    artifacts =
        new TrainingArtifacts(reference.model()).with(TrainingPrecision.FLOAT32, device.target());
  }

  /**
   * @param name of the run's files in the folder; there may be numbers of its first step
   * @param device to train on
   * @throws IOException if they are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, String name, Device device) throws IOException {
    HeadTrainingCases run = new HeadTrainingCases(golden, name, device);
    List<Case> cases = new ArrayList<>();
    if (golden.hasTensors(name + ".step0")) {
      if (device.kind() == Device.Kind.CPU) {
        cases.addAll(run.firstStep(golden.tensors(name + ".step0")));
      } else {
        // The inference API of the training build has no way to a GPU.
        cases.add(new Case.Skipped(name + " logits and gradients", "they are compared on the CPU"));
      }
    }
    cases.addAll(run.curve());
    return cases;
  }

  private List<Case> firstStep(SafetensorsFile expected) throws IOException {
    try (Batch batch = reference.batch(0)) {
      FirstStep found = FirstStep.of(artifacts, batch, weights);
      List<Parameter> parameters = new Parameters(reference.model()).all();
      return List.of(
          logits(expected, found),
          found.gradients(name, parameters, expected, TensorNames.TRANSFORMERS, ""));
    }
  }

  /** Those of the first row. */
  private Case logits(SafetensorsFile file, FirstStep step) throws IOException {
    FloatBuffer expected = GoldenFolder.tensor(file, "__logits__").floats();
    FloatBuffer found = step.values("logits");
    Worst worst = new Worst();
    worst.add(
        "the first row",
        Worst.difference(expected, found.slice(0, Math.min(found.limit(), expected.limit()))));
    return worst.against(name + " logits", LOGITS_LIMIT);
  }

  private List<Case> curve() throws IOException {
    Worst losses = new Worst();
    Worst norms = new Worst();
    Worst after = new Worst();
    Worst weightNorms;
    try (ModelInTraining session = session()) {
      int window = reference.accumulationSteps();
      int micros = reference.losses().length;
      for (int update = 0; update * window < micros; update++) {
        int end = Math.min(micros, (update + 1) * window);
        double norm = 0;
        session.resetGradients();
        for (int micro = update * window; micro < end; micro++) {
          try (Batch batch = reference.batch(micro)) {
            float limit = micro == end - 1 ? reference.gradClip() : Float.POSITIVE_INFINITY;
            ModelInTraining.Step step = session.trainStep(batch, 1f / window, limit);
            losses.add("batch " + micro, Math.abs(step.loss() - reference.losses()[micro]));
            norm = step.gradientNorm();
          }
        }
        session.optimizerStep(reference.learningRates()[end - 1]);
        double expected = reference.gradNormsBeforeClip()[update];
        norms.add("update " + update, Math.abs(norm - expected) / Math.min(1, expected));
      }
      try (Batch batch = reference.batch(0)) {
        double loss = session.evaluate(batch).loss();
        after.add("the first batch", Math.abs(loss - reference.lossAfter()));
      }
      weightNorms = WeightNorms.of(session, reference.model(), reference.weightNormsAfter());
    }
    return List.of(
        losses.against(name + " losses", LOSSES_LIMIT, device),
        norms.against(name + " gradient norms", NORMS_LIMIT, device),
        after.against(name + " loss after training", LOSSES_LIMIT, device),
        weightNorms.against(name + " weight norms", NORMS_LIMIT, device));
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
