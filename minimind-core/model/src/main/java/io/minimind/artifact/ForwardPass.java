package io.minimind.artifact;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.SecondBody;
import io.minimind.model.Transformer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an objective builds its loss from: the model's forward pass over a batch, and the inputs of
 * the batch. Tokens are rows times length, in the order of rows.
 */
public final class ForwardPass {

  private final Operators op;
  private final Objective objective;
  private final Transformer transformer;
  private final Map<String, Transformer> frozen;
  private final boolean withOutputs;
  private final Dimension groups;
  private final Dimension rows;
  private final Dimension length = Dimension.symbol("length");
  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final Map<String, Tensor> flat = new HashMap<>();
  private final Map<String, Tensor> frozenLogits = new HashMap<>();
  private final List<String> metrics = new ArrayList<>();
  private Optional<Tensor> hiddenStates = Optional.empty();
  private Optional<Tensor> logits = Optional.empty();

  private ForwardPass(
      Operators op,
      Objective objective,
      Transformer transformer,
      Map<String, Transformer> frozen,
      boolean withOutputs) {
    this.op = op;
    this.objective = objective;
    this.transformer = transformer;
    this.frozen = frozen;
    this.withOutputs = withOutputs;
    int size = objective.groupSize();
    this.groups = Dimension.symbol(size == 1 ? "batch" : "groups");
    this.rows = groups.times(Dimension.of(size));
  }

  /**
   * Declares the inputs of the graph.
   *
   * @param frozen the models of {@link Objective#frozenModels}
   * @param withOutputs whether the graph gives what {@link #output} names
   */
  static ForwardPass begin(
      Operators op,
      Objective objective,
      Transformer transformer,
      Map<String, Transformer> frozen,
      boolean withOutputs) {
    ForwardPass pass = new ForwardPass(op, objective, transformer, frozen, withOutputs);
    BatchInput.ALWAYS.forEach(pass::declare);
    objective.inputs().forEach(pass::declare);
    return pass;
  }

  private void declare(BatchInput input) {
    Shape shape = input.shape(rows, groups, length);
    inputs.put(input.name(), op.graph().input(input.name(), input.type(), shape));
  }

  /** The operators of the graph. */
  public Operators operators() {
    return op;
  }

  /** The architecture of the model. */
  public ModelConfig model() {
    return transformer.config();
  }

  /** What the head sees, float32 [tokens, width]. */
  public Tensor hiddenStates() {
    if (hiddenStates.isEmpty()) {
      hiddenStates = Optional.of(transformer.hiddenStates(ids(), inSample()));
    }
    return hiddenStates.get();
  }

  /** The scores of the vocabulary for the token that follows each, float32 [tokens, vocabulary]. */
  public Tensor logits() {
    if (logits.isEmpty()) {
      logits = Optional.of(transformer.head(hiddenStates()));
    }
    return logits.get();
  }

  /**
   * What a head sees of a second body, whose parameters are the objective's own, float32 [tokens,
   * width].
   */
  public Tensor hiddenStates(SecondBody body) {
    declareParameters();
    return transformer.beside(body).hiddenStates(ids(), inSample());
  }

  /**
   * The scores of one of {@link Objective#frozenModels} for the same tokens; no gradient flows into
   * it.
   *
   * @return float32 [tokens, vocabulary of that model]
   * @throws IllegalArgumentException if the objective has none of this name
   */
  public Tensor logits(String model) {
    if (!frozen.containsKey(model)) {
      throw new IllegalArgumentException(
          "The objective asks for the model %s, and declares only %s."
              .formatted(model, frozen.keySet()));
    }
    declareParameters();
    return frozenLogits.get(model);
  }

  /** Those of the model first and then those of frozen ones, as in the list of all parameters. */
  private void declareParameters() {
    logits();
    if (frozenLogits.isEmpty()) {
      frozen.forEach(
          (name, other) -> {
            frozenLogits.put(name, other.head(other.hiddenStates(ids(), inSample())));
          });
    }
  }

  private Tensor ids() {
    return inputs.get(BatchInput.INPUT_IDS.name());
  }

  private Tensor inSample() {
    return objective.takesPackedRows()
        ? inputs.get(BatchInput.POSITION_IN_SAMPLE.name())
        : Tensor.ABSENT;
  }

  /**
   * An input that the objective declares.
   *
   * @return [tokens], [rows] or [groups], and an axis more where each has several values
   * @throws IllegalArgumentException if it declares none of this name
   */
  public Tensor input(String name) {
    Tensor input = inputs.get(name);
    if (input == null) {
      throw new IllegalArgumentException(
          "The objective asks for the input %s, and declares only %s."
              .formatted(name, inputs.keySet()));
    }
    return flat.computeIfAbsent(name, unused -> flattened(input));
  }

  private Tensor flattened(Tensor input) {
    Shape shape = input.shape();
    if (shape.rank() == 1 || !shape.dimension(1).equals(length)) {
      return input;
    }
    List<Dimension> flat = new ArrayList<>(List.of(tokens()));
    flat.addAll(shape.dimensions().subList(2, shape.rank()));
    return op.reshape(input, new Shape(flat));
  }

  /**
   * A parameter of the objective's own, one of {@link Objective#parameters}.
   *
   * @return float32, of its shape
   */
  public Tensor parameter(Parameter parameter) {
    declareParameters();
    return op.graph().parameter(parameter.name(), parameter.shape().extents());
  }

  /** The token that follows each, int64 [tokens]; ids of the vocabulary, also in the padding. */
  public Tensor labels() {
    return input(BatchInput.LABELS.name());
  }

  /** 1 where the label counts, else 0, float32 [tokens]. */
  public Tensor lossMask() {
    return input(BatchInput.LOSS_MASK.name());
  }

  /** The logarithm of each label's probability, float32 [tokens]. */
  public Tensor logProbabilities() {
    return op.negate(op.crossEntropy(logits(), labels(), Objective.PerToken.NO_LABEL));
  }

  public Dimension tokens() {
    return rows.times(length);
  }

  public Dimension rows() {
    return rows;
  }

  public Dimension groups() {
    return groups;
  }

  /** The mean of [tokens] over those that count. */
  public Tensor mean(Tensor values) {
    Tensor mask = lossMask();
    return op.divide(op.sum(op.multiply(values, mask)), op.sum(mask));
  }

  /** The sums of [tokens] over those of each row that count, [rows]. */
  public Tensor sumOfRows(Tensor values) {
    Tensor counted = op.multiply(values, lossMask());
    Tensor sums = op.sum(op.reshape(counted, Shape.of(rows, length)), 1);
    return op.reshape(sums, Shape.of(rows));
  }

  /**
   * The means of [tokens] over those of each row that count, and of these the mean over the rows
   * that have any; 0 if none has.
   */
  public Tensor meanOfRows(Tensor values) {
    Tensor one = op.graph().constant("one", Shape.SCALAR, 1f);
    Tensor counts = sumOfRows(lossMask()); // The mask is 0 or 1, and so is its square.
    Tensor means = op.divide(sumOfRows(values), op.maximum(counts, one));
    Tensor rows = op.sum(op.minimum(counts, one));
    return op.divide(op.sum(means), op.maximum(rows, one));
  }

  /** The value of its row for each token: [rows] to [tokens]. */
  public Tensor toTokens(Tensor values) {
    Tensor column = op.reshape(values, Shape.of(rows, Dimension.of(1)));
    return op.reshape(op.expand(column, Shape.of(rows, length)), Shape.of(tokens()));
  }

  /**
   * Reports a scalar of each step.
   *
   * @param name of one of {@link Objective#metrics}
   * @throws IllegalArgumentException if the objective declares none of this name
   */
  public void metric(String name, Tensor scalar) {
    if (objective.metrics().stream().noneMatch(metric -> metric.name().equals(name))) {
      throw new IllegalArgumentException(
          "The objective reports %s, and declares only %s.".formatted(name, objective.metrics()));
    }
    metrics.add(name);
    op.graph().output(name, scalar);
  }

  /**
   * Gives values that can be asked of an evaluation by their name, such as what a model thinks of
   * each row beforehand. Training does not compute them.
   *
   * @param values float32 of any shape
   */
  public void output(String name, Tensor values) {
    if (withOutputs) {
      op.graph().output(name, values);
    }
  }

  /**
   * Adds the loss and declares the scalars of a step.
   *
   * @return what the gradients are of: the loss and the balance loss of a mixture of experts
   */
  Tensor learnt() {
    Graph graph = op.graph();
    Tensor loss = objective.loss(this);
    List<String> missing = new ArrayList<>(objective.metrics().stream().map(Metric::name).toList());
    missing.removeAll(metrics);
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          "The objective declares %s, and does not report it.".formatted(missing));
    }
    graph.output(TrainingArtifacts.LOSS, loss);
    hiddenStates();
    Optional<Tensor> balance = transformer.balanceLoss(ids().shape());
    balance.ifPresent(value -> graph.output(TrainingArtifacts.BALANCE_LOSS, value));
    return balance.map(value -> op.add(loss, share(value))).orElse(loss);
  }

  private Tensor share(Tensor balance) {
    double share = objective.balanceShare();
    return share == 1
        ? balance
        : op.multiply(balance, op.graph().constant("balance_share", Shape.SCALAR, (float) share));
  }
}
