package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.Sample;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.model.TrainingPrecision;
import io.minimind.policy.ActorCriticObjective;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.PolicyObjective.Variant;
import io.minimind.policy.ProximalPolicyOptimization.Estimates;
import io.minimind.policy.ProximalPolicyOptimization.Steps;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Proximal policy optimization of MiniMind's third version on given answers, repeated. */
final class HeadActorCriticCases {

  private static final String NAME = "head_ppo";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double LIMIT = 2e-4;
  private static final double NORMS_LIMIT = 1e-3;

  /**
   * @param outputIds [answers][prompt and completion]
   * @param refRespLogp [answers][completion], as the others
   * @param normOnce the critic without a second norm
   * @param earlyStop the same at a rate that stops it
   */
  private record Reference(
      JsonNode config,
      String weights,
      String optimizer,
      double gamma,
      double lam,
      double clipEpsilon,
      double vfCoef,
      double klCoef,
      double cliprangeValue,
      double earlyStopKl,
      int promptLength,
      long[][] outputIds,
      double[] rewards,
      double[][] refRespLogp,
      double[][] oldRespLogp,
      double[][] respPolicyMask,
      JsonNode normOnce,
      JsonNode earlyStop) {}

  private final Reference reference;
  private final ModelConfig model;
  private final List<NamedTensor> body;
  private final List<NamedTensor> head;
  private final Device device;
  private final List<CompletionRow> rows = new ArrayList<>();

  private HeadActorCriticCases(GoldenFolder golden, Device device) throws IOException {
    this.device = device;
    reference = golden.read(NAME, Reference.class);
    model = HeadConfig.of(reference.config());
    body = HeadReference.parameters(golden, reference.weights(), model);
    SafetensorsFile file = golden.tensors(NAME);
    NamedTensor bias = GoldenFolder.tensor(file, "value_head.bias");
    head =
        List.of(
            GoldenFolder.tensor(file, "value_head.weight"),
            new NamedTensor("value_head.bias.weight", bias.type(), bias.shape(), bias.data()));
    for (int row = 0; row < reference.outputIds().length; row++) {
      rows.add(
          CompletionRow.of(
              reference.outputIds()[row],
              reference.promptLength(),
              reference.respPolicyMask()[row]));
    }
  }

  /**
   * @param device to train on
   * @throws IOException if the reference's files are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, Device device) throws IOException {
    HeadActorCriticCases cases = new HeadActorCriticCases(golden, device);
    List<Case> all = new ArrayList<>();
    all.addAll(cases.new Run("norm_once", cases.reference.normOnce()).cases());
    all.addAll(cases.new Run("early_stop", cases.reference.earlyStop()).cases());
    if (golden.hasTensors(NAME + ".step0") && device.kind() == Device.Kind.CPU) {
      all.addAll(cases.gradients(golden.tensors(NAME + ".step0")));
    }
    return all;
  }

  private ActorCriticObjective objective(double criticRate) {
    PolicyObjective policy =
        new PolicyObjective(Variant.PPO, reference.clipEpsilon(), 1, reference.klCoef(), false);
    return new ActorCriticObjective(
        policy, reference.vfCoef(), reference.cliprangeValue(), criticRate);
  }

  private TrainingArtifacts artifacts(ActorCriticObjective objective) {
    return new TrainingArtifacts(model, objective).with(TrainingPrecision.FLOAT32, device.target());
  }

  private List<NamedTensor> weights(ActorCriticObjective objective) {
    List<NamedTensor> all = new ArrayList<>(body);
    all.addAll(objective.start(model, body, head));
    return all;
  }

  private List<Case> gradients(SafetensorsFile file) throws IOException {
    JsonNode first = reference.normOnce().required("mini_batches").get(0);
    Run run = new Run("norm_once", reference.normOnce());
    try (ModelInTraining session = session(run.objective);
        Batch batch = run.batch(session, rows(first), 1)) {
      FirstStep step = FirstStep.of(artifacts(run.objective), batch, weights(run.objective));
      List<Parameter> actor = new Parameters(model).all();
      Map<String, FloatBuffer> critic = new HashMap<>();
      step.outputs()
          .forEach(
              (name, values) -> {
                if (name.startsWith("critic.")) {
                  critic.put(name.substring("critic.".length()), values);
                }
              });
      Worst ofHead = new Worst();
      for (String part : List.of("weight", "bias")) {
        String ours = "value_head" + (part.equals("bias") ? ".bias" : "") + ".weight.gradient";
        ofHead.add(
            part,
            Worst.difference(
                GoldenFolder.tensor(file, "critic.value_head." + part).floats(), critic.get(ours)));
      }
      return List.of(
          step.gradients(NAME + " actor", actor, file, TensorNames.TRANSFORMERS, "actor."),
          new FirstStep(critic)
              .gradients(NAME + " critic", actor, file, TensorNames.TRANSFORMERS, "critic."),
          ofHead.against(NAME + " value head gradients", NORMS_LIMIT));
    }
  }

  private ModelInTraining session(ActorCriticObjective objective) throws IOException {
    return ModelInTraining.builder(artifacts(objective))
        .weights(weights(objective))
        .optimizer(HeadReference.optimizerSettings(reference.optimizer(), 1))
        .device(device)
        .threads(1)
        .openOne();
  }

  private static int[] rows(JsonNode step) throws IOException {
    return JSON.treeToValue(step.required("rows"), int[].class);
  }

  private static double value(JsonNode step, String field) {
    return step.required(field).doubleValue();
  }

  /** Updates with the answers of one step. */
  private final class Run {
    private final String title;
    private final JsonNode expected;
    private final ActorCriticObjective objective;
    private final Worst values = new Worst();
    private final Worst advantages = new Worst();
    private final Worst losses = new Worst();
    private final Worst norms = new Worst();
    private final Mismatches stops = new Mismatches();

    Run(String name, JsonNode expected) {
      title = NAME + " " + name;
      this.expected = expected;
      objective =
          objective(
              value(expected, "critic_base_learning_rate") / value(expected, "base_learning_rate"));
    }

    List<Case> cases() throws IOException {
      Worst weightNorms;
      try (ModelInTraining session = session(objective)) {
        // What was expected and found when the answers were written stays.
        List<float[]> before = valuesBefore(session);
        boolean stopped = false;
        int number = 0;
        for (JsonNode step : expected.required("mini_batches")) {
          stopped = update(session, before, step, "mini-batch " + number++, stopped);
        }
        weightNorms =
            WeightNorms.of(
                session,
                model,
                JSON.convertValue(
                    expected.required("actor_weight_norms_after"),
                    JSON.getTypeFactory().constructMapType(Map.class, String.class, Double.class)));
      }
      return List.of(
          values.against(title + " values", LIMIT, device),
          advantages.against(title + " advantages", LIMIT, device),
          losses.against(title + " losses", LIMIT, device),
          norms.against(title + " gradient norms", NORMS_LIMIT, device),
          stops.as(title + " stops"),
          weightNorms.against(title + " weight norms", WeightNorms.LIMIT, device));
    }

    /** The next mini-batch; whether it and what follows in its pass are not learnt from. */
    private boolean update(
        ModelInTraining session,
        List<float[]> before,
        JsonNode step,
        String place,
        boolean stoppedBefore)
        throws IOException {
      int[] some = rows(step);
      boolean stopped = stoppedBefore;
      try (Batch learnt = batch(before, some, 1)) {
        Map<String, Float> metrics = session.evaluate(learnt).metrics();
        if (reference.klCoef() > 0) {
          losses.add(
              place + ", KL",
              Math.abs(metrics.get(PolicyObjective.KL) - value(step, "kl_reference")));
        }
        losses.add(
            place + ", moved",
            Math.abs(metrics.get(ActorCriticObjective.MOVED) - value(step, "approx_kl")));
        losses.add(
            place + ", clipped",
            Math.abs(metrics.get(PolicyObjective.CLIPPED) - value(step, "clip_fraction")));
        losses.add(
            place + ", values",
            Math.abs(metrics.get(ActorCriticObjective.VALUE_LOSS) - value(step, "value_loss")));
        stopped |= metrics.get(ActorCriticObjective.MOVED) > reference.earlyStopKl();
        float[] found = session.evaluate(learnt, ActorCriticObjective.VALUES);
        double[][] theirs = JSON.treeToValue(step.required("values"), double[][].class);
        for (int i = 0; i < some.length; i++) {
          rows.get(some[i]).compare(values, place, theirs[i], found, i, learnt.length(), true);
        }
      }
      stops.add(place, stopped == step.required("stopped").booleanValue());
      session.resetGradients();
      try (Batch batch = batch(before, some, stopped ? 0 : 1)) {
        ModelInTraining.Step made = session.trainStep(batch, 1, 1);
        losses.add(place, Math.abs(made.loss() - value(step, "loss")));
        double norm =
            Math.hypot(
                value(step, "actor_grad_norm_before_clip"),
                value(step, "critic_grad_norm_before_clip"));
        norms.add(place, Math.abs(made.gradientNorm() - norm) / Math.max(1, norm));
      }
      session.optimizerStep((float) value(step, "actor_learning_rate"));
      return stopped;
    }

    /** What the critic thinks of each token that was written. */
    private List<float[]> valuesBefore(ModelInTraining session) throws IOException {
      List<float[]> zeros = rows.stream().map(row -> new float[row.tokens()]).toList();
      int[] all = new int[rows.size()];
      Arrays.setAll(all, i -> i);
      List<float[]> before = new ArrayList<>();
      try (Batch batch = batch(zeros, all, 1)) {
        float[] found = session.evaluate(batch, ActorCriticObjective.VALUES);
        for (int row = 0; row < all.length; row++) {
          int tokens = rows.get(row).tokens();
          int end = row * batch.length() + rows.get(row).ids().length - 1;
          before.add(Arrays.copyOfRange(found, end - tokens, end));
        }
      }
      Estimates found = estimated(before);
      double[][] theirs = JSON.treeToValue(expected.required("advantages"), double[][].class);
      double[][] returns = JSON.treeToValue(expected.required("returns"), double[][].class);
      for (int row = 0; row < all.length; row++) {
        for (int i = 0; i < before.get(row).length; i++) {
          String token = "row %d, token %d".formatted(row, i);
          advantages.add(token, Math.abs(found.advantages().get(row)[i] - theirs[row][i]));
          advantages.add(
              token + ", return", Math.abs(found.returns().get(row)[i] - returns[row][i]));
        }
      }
      return before;
    }

    private Estimates estimated(List<float[]> before) {
      return new Steps(1, 1, reference.gamma(), reference.lam(), 1)
          .estimates(reference.rewards(), before);
    }

    Batch batch(ModelInTraining session, int[] some, float learnt) throws IOException {
      return batch(valuesBefore(session), some, learnt);
    }

    private Batch batch(List<float[]> before, int[] some, float learnt) throws IOException {
      Estimates estimated = estimated(before);
      List<Sample> samples = new ArrayList<>();
      for (int row : some) {
        CompletionRow tokens = rows.get(row);
        samples.add(
            tokens
                .sample()
                // The reward is no part of the loss that is compared.
                .with(PolicyObjective.REWARDS.name(), 0)
                .with(
                    PolicyObjective.ADVANTAGES.name(),
                    tokens.column(estimated.advantages().get(row)))
                .with(PolicyObjective.WRITTEN.name(), tokens.column(reference.oldRespLogp()[row]))
                .with(PolicyObjective.REFERENCE.name(), tokens.column(reference.refRespLogp()[row]))
                .with(
                    ActorCriticObjective.RETURNS.name(),
                    tokens.column(estimated.returns().get(row)))
                .with(ActorCriticObjective.EXPECTED.name(), tokens.column(before.get(row)))
                .with(ActorCriticObjective.LEARNT.name(), learnt));
      }
      return CompletionRow.batch(samples, objective.inputs());
    }
  }
}
