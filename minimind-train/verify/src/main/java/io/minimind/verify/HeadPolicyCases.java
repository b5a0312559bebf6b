package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.model.TrainingPrecision;
import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.PolicyObjective.Variant;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Policy optimization of MiniMind's third version on given answers, repeated. */
final class HeadPolicyCases {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double LIMIT = 2e-4;
  private static final double NORMS_LIMIT = 1e-3;

  /** Less is rounding: where all answers are worth the same and the model is its reference. */
  private static final double LEAST_NORM = 1e-6;

  /**
   * @param numGenerations answers to each prompt
   * @param promptLength of the padded prompts
   * @param outputIds [answers][prompt and completion]
   */
  private record Reference(
      JsonNode config,
      String weights,
      String lossType,
      double epsilon,
      double epsilonHigh,
      double beta,
      int numGenerations,
      String optimizer,
      float gradClip,
      int promptLength,
      long[][] outputIds,
      double[] rewards,
      Map<String, Rollouts> cases) {}

  /**
   * @param oldLogps [answers][completion], as the others
   * @param steps of which the first and the last have values of tokens
   */
  private record Rollouts(
      double[][] oldLogps,
      double[] advantages,
      double[][] completionMask,
      double[][] referenceLogps,
      Map<String, Double> weightNormsAfter,
      List<JsonNode> steps) {}

  private final String name;
  private final Reference reference;
  private final ModelConfig model;
  private final List<NamedTensor> weights;
  private final Device device;
  private final TrainingArtifacts artifacts;

  private HeadPolicyCases(GoldenFolder golden, String name, Device device) throws IOException {
    this.name = name;
    this.device = device;
    reference = golden.read(name, Reference.class);
    model = HeadConfig.of(reference.config());
    weights = HeadReference.parameters(golden, reference.weights(), model);
    PolicyObjective objective =
        new PolicyObjective(
            Variant.valueOf(reference.lossType().toUpperCase(Locale.ROOT)),
            reference.epsilon(),
            reference.epsilonHigh(),
            reference.beta(),
            false);
    artifacts =
        new TrainingArtifacts(model, objective).with(TrainingPrecision.FLOAT32, device.target());
  }

  /**
   * @param name of the files in the folder
   * @param device to train on
   * @throws IOException if they are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, String name, Device device) throws IOException {
    HeadPolicyCases cases = new HeadPolicyCases(golden, name, device);
    List<Case> all = new ArrayList<>();
    for (Map.Entry<String, Rollouts> rollouts : cases.reference.cases().entrySet()) {
      all.addAll(cases.run(name + " " + rollouts.getKey(), rollouts.getValue()));
    }
    Rollouts stale = cases.reference.cases().get("stale");
    if (stale != null && golden.hasTensors(name + ".step0") && device.kind() == Device.Kind.CPU) {
      try (Batch batch = cases.batch(stale)) {
        all.add(
            FirstStep.of(cases.artifacts, batch, cases.weights)
                .gradients(
                    name + " stale",
                    new Parameters(cases.model).all(),
                    golden.tensors(name + ".step0"),
                    TensorNames.TRANSFORMERS,
                    ""));
      }
    }
    return all;
  }

  private List<CompletionRow> rows(Rollouts rollouts) {
    List<CompletionRow> rows = new ArrayList<>();
    for (int row = 0; row < reference.outputIds().length; row++) {
      rows.add(
          CompletionRow.of(
              reference.outputIds()[row],
              reference.promptLength(),
              rollouts.completionMask()[row]));
    }
    return rows;
  }

  private Batch batch(Rollouts rollouts) throws IOException {
    float[] advantages =
        GroupPolicyOptimization.advantages(reference.rewards(), reference.numGenerations());
    List<CompletionRow> rows = rows(rollouts);
    List<Sample> samples = new ArrayList<>();
    for (int row = 0; row < rows.size(); row++) {
      CompletionRow tokens = rows.get(row);
      samples.add(
          tokens
              .sample()
              // The reward is no part of the loss that is compared.
              .with(PolicyObjective.REWARDS.name(), 0)
              .with(PolicyObjective.ADVANTAGES.name(), tokens.column(advantages[row]))
              .with(PolicyObjective.WRITTEN.name(), tokens.column(rollouts.oldLogps()[row]))
              .with(
                  PolicyObjective.REFERENCE.name(), tokens.column(rollouts.referenceLogps()[row])));
    }
    return CompletionRow.batch(
        samples,
        List.of(
            PolicyObjective.REWARDS,
            PolicyObjective.ADVANTAGES,
            PolicyObjective.WRITTEN,
            PolicyObjective.REFERENCE));
  }

  private List<Case> run(String title, Rollouts rollouts) throws IOException {
    Worst advantages = new Worst();
    Worst tokens = new Worst();
    Worst losses = new Worst();
    Worst kl = new Worst();
    Worst norms = new Worst();
    Worst weightNorms;
    float[] found =
        GroupPolicyOptimization.advantages(reference.rewards(), reference.numGenerations());
    for (int row = 0; row < found.length; row++) {
      advantages.add("answer " + row, Math.abs(found[row] - rollouts.advantages()[row]));
    }
    Case ofAdvantages = advantages.against(title + " advantages", LIMIT);
    if (value(rollouts.steps().get(0), "grad_norm_before_clip") < LEAST_NORM) {
      return List.of(ofAdvantages, new Case.Skipped(title + " steps", Worst.ONLY_ROUNDING));
    }
    try (ModelInTraining session = session();
        Batch batch = batch(rollouts)) {
      for (int number = 0; number < rollouts.steps().size(); number++) {
        String place = "step " + number;
        JsonNode step = rollouts.steps().get(number);
        compareTokens(tokens, place, step, session, batch, rows(rollouts));
        session.resetGradients();
        ModelInTraining.Step made = session.trainStep(batch, 1, reference.gradClip());
        losses.add(place, Math.abs(made.loss() - value(step, "loss")));
        if (hasReference()) {
          double expectedKl = value(step, "mean_kl");
          double foundKl = made.metrics().get(PolicyObjective.KL);
          kl.add(place, Math.abs(foundKl - expectedKl) / Math.max(1, expectedKl));
        }
        double norm = value(step, "grad_norm_before_clip");
        norms.add(place, Worst.ofNorm(norm, made.gradientNorm()));
        session.optimizerStep((float) value(step, "learning_rate"));
      }
      weightNorms = WeightNorms.of(session, model, rollouts.weightNormsAfter());
    }
    return List.of(
        ofAdvantages,
        tokens.against(title + " tokens", LIMIT, device),
        losses.against(title + " losses", LIMIT, device),
        hasReference()
            ? kl.against(title + " KL", LIMIT, device)
            : new Case.Skipped(title + " KL", "a loss without it has no reference"),
        norms.against(title + " gradient norms", NORMS_LIMIT, device),
        weightNorms.against(title + " weight norms", WeightNorms.LIMIT, device));
  }

  /** Whether there is a reference, and a KL. */
  private boolean hasReference() {
    return reference.beta() > 0;
  }

  /** Log-probabilities, ratios, KL and losses, where the step has them. */
  private void compareTokens(
      Worst worst,
      String place,
      JsonNode step,
      ModelInTraining session,
      Batch batch,
      List<CompletionRow> rows)
      throws IOException {
    Map<String, String> outputs =
        new HashMap<>(
            Map.of(
                "logps", PolicyObjective.LOG_PROBABILITIES,
                "ratio", PolicyObjective.RATIOS,
                "token_loss", PolicyObjective.TOKEN_LOSSES));
    if (hasReference()) {
      outputs.put("kl", PolicyObjective.TOKEN_KL);
    }
    for (Map.Entry<String, String> output : outputs.entrySet()) {
      if (step.has(output.getKey())) {
        double[][] expected = JSON.treeToValue(step.get(output.getKey()), double[][].class);
        float[] found = session.evaluate(batch, output.getValue());
        for (int row = 0; row < expected.length; row++) {
          rows.get(row)
              .compare(
                  worst,
                  place + ", " + output.getKey(),
                  expected[row],
                  found,
                  row,
                  batch.length(),
                  true);
        }
      }
    }
  }

  private static double value(JsonNode step, String field) {
    return step.required(field).doubleValue();
  }

  private ModelInTraining session() throws IOException {
    return ModelInTraining.builder(artifacts)
        .weights(weights)
        .optimizer(HeadReference.optimizerSettings(reference.optimizer(), reference.gradClip()))
        .device(device)
        .threads(1)
        .openOne();
  }
}
