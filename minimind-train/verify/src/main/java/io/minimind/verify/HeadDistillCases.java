package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.distillation.DistillationObjective;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A student of MiniMind's third version that learns from a teacher, repeated. */
final class HeadDistillCases {

  private static final double LIMIT = 2e-4;
  private static final double NO_DIFFERENCE = 0;

  /**
   * @param inputIds [steps][rows][length]
   * @param labels alike, -100 where they do not count
   * @param ce the cross entropy of each step
   * @param aux the balance loss of each step, 0 where the student is no mixture
   * @param kd the divergence of each step
   * @param total {@code alpha · (ce + aux) + (1 - alpha) · kd}
   */
  private record Reference(
      JsonNode studentConfig,
      String studentWeights,
      JsonNode teacherConfig,
      String teacherWeights,
      double alpha,
      double temperature,
      String optimizer,
      float gradClip,
      float[] learningRates,
      long[][][] inputIds,
      long[][][] labels,
      double[] ce,
      double[] aux,
      double[] kd,
      double[] total,
      double[] gradNormsBeforeClip,
      Map<String, Double> weightNormsAfter) {}

  private HeadDistillCases() {}

  /**
   * @param name of the run's files in the folder; there may be gradients of its first step
   * @param device to train on
   * @throws IOException if they are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, String name, Device device) throws IOException {
    Reference reference = golden.read(name, Reference.class);
    ModelConfig student = HeadConfig.of(reference.studentConfig());
    ModelConfig teacher = HeadConfig.of(reference.teacherConfig());
    DistillationObjective objective =
        new DistillationObjective(teacher, 0, reference.alpha(), reference.temperature());
    TrainingArtifacts artifacts =
        new TrainingArtifacts(student, objective).with(TrainingPrecision.FLOAT32, device.target());
    List<NamedTensor> weights =
        new ArrayList<>(HeadReference.parameters(golden, reference.studentWeights(), student));
    for (NamedTensor weight :
        HeadReference.parameters(golden, reference.teacherWeights(), teacher)) {
      weights.add(
          new NamedTensor(
              DistillationObjective.TEACHER + "." + weight.name(),
              weight.type(),
              weight.shape(),
              weight.data()));
    }
    List<Case> cases = new ArrayList<>();
    if (golden.hasTensors(name + ".step0") && device.kind() == Device.Kind.CPU) {
      try (Batch batch = HeadReference.batch(reference.inputIds()[0], reference.labels()[0])) {
        FirstStep found = FirstStep.of(artifacts, batch, weights);
        List<Parameter> parameters = new Parameters(student).all();
        cases.add(
            found.gradients(
                name, parameters, golden.tensors(name + ".step0"), TensorNames.TRANSFORMERS, ""));
      }
    }
    try (ModelInTraining session =
        ModelInTraining.builder(artifacts)
            .weights(weights)
            .optimizer(HeadReference.optimizerSettings(reference.optimizer(), reference.gradClip()))
            .device(device)
            .threads(1)
            .openOne()) {
      cases.addAll(steps(name, reference, student, session, device));
    }
    return cases;
  }

  private static List<Case> steps(
      String name, Reference reference, ModelConfig student, ModelInTraining session, Device device)
      throws IOException {
    Worst crossEntropies = new Worst();
    Worst balances = new Worst();
    Worst divergences = new Worst();
    Worst totals = new Worst();
    Worst norms = new Worst();
    for (int i = 0; i < reference.total().length; i++) {
      String step = "step " + i;
      session.resetGradients();
      try (Batch batch = HeadReference.batch(reference.inputIds()[i], reference.labels()[i])) {
        ModelInTraining.Step found = session.trainStep(batch, 1, reference.gradClip());
        Map<String, Float> metrics = found.metrics();
        float balance = metrics.getOrDefault(TrainingArtifacts.BALANCE_LOSS, 0f);
        double total = found.loss() + reference.alpha() * balance;
        crossEntropies.add(
            step, Math.abs(metrics.get(DistillationObjective.CROSS_ENTROPY) - reference.ce()[i]));
        balances.add(step, Math.abs(balance - reference.aux()[i]));
        divergences.add(
            step, Math.abs(metrics.get(DistillationObjective.DIVERGENCE) - reference.kd()[i]));
        totals.add(step, Math.abs(total - reference.total()[i]));
        double norm = reference.gradNormsBeforeClip()[i];
        norms.add(step, Worst.ofNorm(norm, found.gradientNorm()));
      }
      session.optimizerStep(reference.learningRates()[i]);
    }
    boolean mixture = student.experts().isMixture();
    return List.of(
        crossEntropies.against(name + " cross entropies", LIMIT, device),
        balances.against(name + " balance losses", mixture ? LIMIT : NO_DIFFERENCE, device),
        divergences.against(name + " divergences", LIMIT, device),
        totals.against(name + " losses", LIMIT, device),
        norms.against(name + " gradient norms", WeightNorms.LIMIT, device),
        WeightNorms.of(session, student, reference.weightNormsAfter())
            .against(name + " weight norms", WeightNorms.LIMIT, device));
  }
}
