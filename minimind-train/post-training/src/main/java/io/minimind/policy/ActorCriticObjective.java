package io.minimind.policy;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.artifact.ScalarHead;
import io.minimind.files.ArgumentException;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.SecondBody;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Proximal policy optimization with a critic (Schulman et al. 2017): beside the policy, a second
 * body with a head of one number learns what an answer will be worth at each of its tokens. It
 * begins as the model that the policy begins as, and ends with it: it is no part of the model.
 *
 * <p>The loss is that of the policy, and {@code value weight · ½ · max((V - R)², (clip(V, V_old ±
 * clip) - R)²)}, a mean over the tokens that were written; 0 for a batch that is not learnt from.
 *
 * @param policy of the variant PPO, not fresh
 * @param valueWeight of the critic's loss, at least 0
 * @param valueClip how far a value may move from what it was, above 0
 * @param criticRate the critic's learning rate over the policy's, above 0
 */
public record ActorCriticObjective(
    PolicyObjective policy, double valueWeight, double valueClip, double criticRate)
    implements Objective {

  /** As MiniMind has it. */
  public static final ActorCriticObjective DEFAULT =
      new ActorCriticObjective(
          new PolicyObjective(PolicyObjective.Variant.PPO, 0.2, 5, 0.02, false), 0.5, 0.2, 5.0 / 3);

  /** What each token's answer turned out to be worth from there on. */
  public static final BatchInput RETURNS = BatchInput.floats("returns", Extent.TOKEN);

  /** What the critic thought when the answer was written. */
  public static final BatchInput EXPECTED = BatchInput.floats("expected_values", Extent.TOKEN);

  /** 1 for the rows of a batch that is learnt from, else 0. */
  public static final BatchInput LEARNT = BatchInput.floats("learnt", Extent.ROW);

  /** The output that gives what the critic thinks, [tokens]. */
  public static final String VALUES = "values";

  public static final String VALUE_LOSS = "value_loss";

  /** The mean of {@code ½ log² ρ}: how far the policy has moved from that which wrote. */
  public static final String MOVED = "moved_kl";

  private static final String PREFIX = "critic.";

  private static final ScalarHead HEAD = new ScalarHead(PREFIX + "value_head", true);

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public ActorCriticObjective {
    if (policy.variant() != PolicyObjective.Variant.PPO || policy.fresh()) {
      throw new ArgumentException("A critic goes with the variant ppo, of answers that are kept.");
    }
    if (!(valueWeight >= 0 && valueClip > 0 && criticRate > 0)) {
      throw new ArgumentException(
          "The weight of the value loss must be at least 0, its clip and the critic's rate above"
              + " 0.");
    }
  }

  private SecondBody critic() {
    return new SecondBody(PREFIX, (float) criticRate);
  }

  @Override
  public List<Parameter> parameters(ModelConfig model) {
    List<Parameter> parameters = new ArrayList<>(critic().parameters(model));
    parameters.addAll(HEAD.parameters(model));
    return parameters;
  }

  @Override
  public float ownFactor() {
    return critic().factor();
  }

  @Override
  public List<NamedTensor> start(ModelConfig model, List<NamedTensor> weights, long seed) {
    List<NamedTensor> head = new ArrayList<>();
    for (Parameter parameter : HEAD.parameters(model)) {
      NamedTensor drawn = parameter.start(seed);
      String name = drawn.name().substring(PREFIX.length());
      head.add(new NamedTensor(name, drawn.type(), drawn.shape(), drawn.data()));
    }
    return start(model, weights, head);
  }

  /**
   * Start values of the critic from a body and a head.
   *
   * @param body every parameter of a model
   * @param head {@code value_head.weight} [1, width] and {@code value_head.bias.weight} [1]
   */
  public List<NamedTensor> start(
      ModelConfig model, List<NamedTensor> body, List<NamedTensor> head) {
    List<String> names = parameters(model).stream().map(Parameter::name).toList();
    List<NamedTensor> all = new ArrayList<>(body);
    all.addAll(head);
    return all.stream()
        .filter(weight -> names.contains(PREFIX + weight.name()))
        .map(critic()::start)
        .toList();
  }

  @Override
  public List<BatchInput> inputs() {
    List<BatchInput> inputs = new ArrayList<>(policy.inputs());
    inputs.addAll(List.of(RETURNS, EXPECTED, LEARNT));
    return inputs;
  }

  @Override
  public List<Metric> metrics() {
    List<Metric> metrics = new ArrayList<>(policy.metrics());
    metrics.add(new Metric(VALUE_LOSS, Extent.TOKEN));
    metrics.add(new Metric(MOVED, Extent.TOKEN));
    return metrics;
  }

  @Override
  public Extent lossOver() {
    return Extent.ROW;
  }

  @Override
  public Tensor loss(ForwardPass pass) {
    Operators op = pass.operators();
    PolicyLoss policyLoss = new PolicyLoss(pass, policy);
    Tensor ofPolicy = policyLoss.of();
    Tensor ofValues = policyLoss.meanOfTokens(valueLosses(pass));
    pass.metric(VALUE_LOSS, ofValues);
    pass.metric(MOVED, policyLoss.moved());
    Tensor weight = op.graph().constant("value_weight", Shape.SCALAR, (float) valueWeight);
    Tensor both = op.add(ofPolicy, op.multiply(ofValues, weight));
    return op.multiply(both, policyLoss.meanOfRows(pass.input(LEARNT.name())));
  }

  private Tensor valueLosses(ForwardPass pass) {
    Operators op = pass.operators();
    Tensor values = values(pass);
    pass.output(VALUES, values);
    Tensor returns = pass.input(RETURNS.name());
    Tensor expected = pass.input(EXPECTED.name());
    Tensor moved = op.clip(op.subtract(values, expected), (float) -valueClip, (float) valueClip);
    Tensor losses =
        op.maximum(
            squared(op, op.subtract(values, returns)),
            squared(op, op.subtract(op.add(expected, moved), returns)));
    return op.multiply(losses, op.graph().constant("half", Shape.SCALAR, 0.5f));
  }

  private Tensor values(ForwardPass pass) {
    Operators op = pass.operators();
    SecondBody critic = critic();
    return HEAD.of(pass, pass.hiddenStates(critic), tensor -> critic.used(op, tensor));
  }

  private static Tensor squared(Operators op, Tensor x) {
    return op.multiply(x, x);
  }
}
