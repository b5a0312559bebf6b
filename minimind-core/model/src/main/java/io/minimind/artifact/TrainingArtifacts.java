package io.minimind.artifact;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.minimind.files.AtomicFile;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Gradients;
import io.minimind.graph.operator.Operators;
import io.minimind.graph.operator.Operators.Accumulation;
import io.minimind.graph.operator.Operators.Scaled;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TrainingPrecision;
import io.minimind.model.Transformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The graphs that ONNX Runtime's on-device training API runs, for one architecture and objective:
 * forward and backward pass, evaluation, and the optimizer. Batch and length are symbolic.
 *
 * <p>User inputs: those of a batch, {@link BatchInput#ALWAYS} and {@link Objective#inputs}. The
 * training model also takes {@code gradient_scale}, a float32 scalar that multiplies all gradients
 * (1 / micro-batches of an accumulation window), and {@code max_gradient_norm}, below; where the
 * precision {@link TrainingPrecision#scalesLoss} also {@code loss_scale}, a float32 scalar that
 * multiplies gradients while they are of half precision and is divided out of the parameters'
 * float32 gradients: these are infinite or not numbers if it was too large.
 *
 * <p>User outputs: {@code loss}, not scaled, and {@link #metrics}. The evaluation model also gives
 * what the objective calls {@link ForwardPass#output}. The training model also gives {@code
 * gradient_norm}, the norm of the gradients accumulated so far, and scales these down if it exceeds
 * the input {@code max_gradient_norm}, a float32 scalar: infinity before the last micro-batch.
 */
public final class TrainingArtifacts {

  public static final String TRAINING = "training_model.onnx";
  public static final String EVALUATION = "eval_model.onnx";
  public static final String OPTIMIZER = "optimizer_model.onnx";
  public static final String BACKWARD = "backward_model.onnx";
  public static final String UPDATE = "update_model.onnx";
  public static final String WEIGHTS = "weights_model.onnx";

  public static final String LOSS = "loss";
  public static final String GRADIENT_NORM = "gradient_norm";
  public static final String BALANCE_LOSS = "balance_loss";
  public static final String GRADIENT_SCALE = "gradient_scale";
  public static final String MAX_GRADIENT_NORM = "max_gradient_norm";
  public static final String LOSS_SCALE = "loss_scale";
  public static final String PARAMETER_NORM = "parameter_norm";

  /** What the name of a gradient ends in, after that of its parameter. */
  public static final String GRADIENT = ".gradient";

  /** What the name of the place where a gradient is accumulated ends in. */
  public static final String ADDRESS = ".gradient_address";

  /** The training API finds the parts of the training model by these names. */
  private static final String ACCUMULATION_BUFFER = "_grad.accumulation.buffer";

  private static final String ACCUMULATION_FLAG = "_grad.accumulation.out";
  private static final String RESET_FLAG = "lazy_reset_grad";

  private final ModelConfig config;
  private final Objective objective;
  private final Optional<LowRankAdapters> adapters;
  private final TrainingPrecision precision;
  private final Target target;

  /** Graphs that learn the next token. */
  public TrainingArtifacts(ModelConfig config) {
    this(config, new Objective.NextToken());
  }

  /** Graphs that train all parameters. */
  public TrainingArtifacts(ModelConfig config, Objective objective) {
    this(config, objective, Optional.empty());
  }

  /**
   * @param adapters if there are any, their matrices are all that is trained
   */
  public TrainingArtifacts(
      ModelConfig config, Objective objective, Optional<LowRankAdapters> adapters) {
    this(config, objective, adapters, TrainingPrecision.FLOAT32, Target.CPU);
  }

  private TrainingArtifacts(
      ModelConfig config,
      Objective objective,
      Optional<LowRankAdapters> adapters,
      TrainingPrecision precision,
      Target target) {
    this.config = config;
    this.objective = objective;
    this.adapters = adapters;
    this.precision = precision;
    this.target = target;
  }

  /** The same graphs in another precision and for another device than float32 on the CPU. */
  public TrainingArtifacts with(TrainingPrecision precision, Target target) {
    return new TrainingArtifacts(config, objective, adapters, precision, target);
  }

  /** The parameters in the order in which all graphs declare them. */
  public List<Parameter> parameters() {
    List<Parameter> model = new Parameters(config).all();
    List<Parameter> all = new ArrayList<>(adapters.map(lora -> lora.beside(model)).orElse(model));
    objective
        .frozenModels()
        .forEach(
            (name, other) ->
                new Parameters(other).all().forEach(parameter -> all.add(parameter.of(name))));
    return withObjective(all);
  }

  /** Those that are trained, in the same order. */
  public List<Parameter> trainableParameters() {
    return withObjective(
        adapters
            .map(lora -> lora.parameters(config))
            .orElseGet(() -> new Parameters(config).all()));
  }

  private List<Parameter> withObjective(List<Parameter> model) {
    List<Parameter> all = new ArrayList<>(model);
    all.addAll(objective.parameters(config));
    return all;
  }

  /** Those of the objective's own. */
  public List<Parameter> ownParameters() {
    return objective.parameters(config);
  }

  /** The factor by which those are kept divided. */
  public float ownFactor() {
    return objective.ownFactor();
  }

  /** The scalars that a step reports besides the loss. */
  public List<Metric> metrics() {
    List<Metric> metrics = new ArrayList<>(objective.metrics());
    if (config.experts().balance().weight() > 0) {
      metrics.add(new Metric(BALANCE_LOSS, Extent.TOKEN));
    }
    return metrics;
  }

  /** Forward and backward pass with gradient accumulation. */
  public ModelProto training() {
    Operators op = new Operators(new Graph("training", target));
    Graph graph = op.graph();
    Map<String, Accumulation> accumulations =
        accumulations(op, gradients(op, pass(op, false).learnt()));
    Map<String, Tensor> sums = new LinkedHashMap<>();
    accumulations.forEach((name, accumulation) -> sums.put(name, accumulation.sum()));
    Map<String, Tensor> factors = clippingFactors(op, sums);
    scale(op, accumulations, factors);
    return graph.toModel();
  }

  /**
   * The part of {@link #training} that each of several replicas runs on its own rows: it gives the
   * accumulated gradients, {@code NAME.gradient} for each trained parameter in their order, in
   * place of their norm, and does not clip them. Where the target has a kernel for it, each is
   * announced as soon as it is there.
   */
  public ModelProto backward() {
    Operators op = new Operators(new Graph("backward", target));
    Graph graph = op.graph();
    Map<String, Accumulation> accumulations =
        accumulations(op, gradients(op, pass(op, false).learnt()));
    accumulations.forEach(
        (name, accumulation) -> {
          graph.output(name + GRADIENT, accumulation.sum());
          graph.output(name + ACCUMULATION_FLAG, op.announce(accumulation));
        });
    return graph.toModel();
  }

  /**
   * The other part: takes gradients, {@code NAME.gradient}, and {@code max_gradient_norm}, and puts
   * them, clipped, where the optimizer finds them. It gives {@code gradient_norm}, that before
   * clipping, and {@code parameter_norm}, the norm of all trained parameters.
   */
  public ModelProto update() {
    Operators op = new Operators(new Graph("update", target));
    Graph graph = op.graph();
    List<Tensor> parameters = new ArrayList<>();
    Map<Tensor, Tensor> gradients = new LinkedHashMap<>();
    for (Parameter trained : trainableParameters()) {
      Tensor parameter = graph.parameter(trained.name(), trained.shape().extents());
      parameters.add(parameter);
      gradients.put(parameter, graph.input(trained.name() + GRADIENT, FLOAT32, trained.shape()));
    }
    Map<String, Tensor> sums = new LinkedHashMap<>();
    gradients.forEach((parameter, gradient) -> sums.put(parameter.name(), gradient));
    Map<String, Tensor> factors = clippingFactors(op, sums);
    if (target.hasOwnKernels(FLOAT32)) {
      scale(op, accumulations(op, gradients), factors);
    } else {
      gradients.replaceAll(
          (parameter, gradient) -> op.multiply(gradient, factors.get(parameter.name())));
      accumulations(op, gradients)
          .forEach(
              (name, accumulation) -> graph.output(name + ACCUMULATION_FLAG, accumulation.done()));
    }
    // Where a parameter lies is decided by who reads it: here, too, it must have a reader.
    graph.output(PARAMETER_NORM, op.norm(parameters));
    return graph.toModel();
  }

  /**
   * Computes nothing and gives every parameter under its name. What is input and output at once is
   * passed on and not copied, so whoever runs this gets the memory of the parameters.
   */
  public ModelProto weights() {
    Graph graph = new Graph("weights", target);
    graph.input(RESET_FLAG, BOOL, Shape.of(1));
    for (Parameter trained : trainableParameters()) {
      graph.input(trained.name() + ACCUMULATION_BUFFER, FLOAT32, trained.shape());
    }
    for (Parameter parameter : parameters()) {
      graph.parameter(parameter.name(), parameter.shape().extents());
    }
    ModelProto.Builder model = graph.toModel().toBuilder();
    List<ValueInfoProto> inputs = model.getGraph().getInputList();
    int first = inputs.size() - graph.parameters().size();
    model.getGraphBuilder().addAllOutput(inputs.subList(first, inputs.size()));
    return model.build();
  }

  /** Adds each parameter's gradient to the buffer that the runtime keeps for it. */
  private static Map<String, Accumulation> accumulations(
      Operators op, Map<Tensor, Tensor> gradients) {
    Graph graph = op.graph();
    Tensor reset = graph.input(RESET_FLAG, BOOL, Shape.of(1));
    Map<String, Accumulation> accumulations = new LinkedHashMap<>();
    gradients.forEach(
        (parameter, gradient) -> {
          String name = parameter.name();
          Tensor buffer = graph.input(name + ACCUMULATION_BUFFER, FLOAT32, parameter.shape());
          accumulations.put(name, op.accumulateInPlace(buffer, gradient, reset));
        });
    return accumulations;
  }

  /** Clips gradients where they lie, and says where, to an optimizer of this project. */
  private static void scale(
      Operators op, Map<String, Accumulation> accumulations, Map<String, Tensor> factors) {
    accumulations.forEach(
        (name, accumulation) -> {
          Scaled scaled = op.scaleInPlace(accumulation.sum(), factors.get(name));
          op.graph().output(name + ACCUMULATION_FLAG, scaled.done());
          if (scaled.address().isPresent()) {
            op.graph().output(name + ADDRESS, scaled.address());
          }
        });
  }

  /**
   * What each gradient is multiplied with: as PyTorch clips, the model's gradients and those of the
   * objective's own parameters each by their norm. The runtime has an operator for it that belongs
   * into the optimizer, but there the parameters come in the order of a hash table that differs
   * from session to session, and so does the last bit of their norm.
   */
  private Map<String, Tensor> clippingFactors(Operators op, Map<String, Tensor> gradients) {
    Set<String> own =
        objective.parameters(config).stream().map(Parameter::name).collect(Collectors.toSet());
    Tensor limit = op.graph().input(MAX_GRADIENT_NORM, FLOAT32, Shape.SCALAR);
    if (own.isEmpty()) {
      Tensor norm = op.norm(List.copyOf(gradients.values()));
      op.graph().output(GRADIENT_NORM, norm);
      Tensor factor = clippingFactor(op, norm, limit);
      return gradients.keySet().stream().collect(Collectors.toMap(name -> name, name -> factor));
    }
    Map<String, Tensor> factors = new HashMap<>();
    List<Tensor> norms = new ArrayList<>();
    for (boolean isOwn : new boolean[] {false, true}) {
      Map<String, Tensor> some = new LinkedHashMap<>(gradients);
      some.keySet().removeIf(name -> own.contains(name) != isOwn);
      Tensor norm = op.norm(List.copyOf(some.values()));
      // The runtime cannot tell the type of a norm that is no output.
      op.graph().output(GRADIENT_NORM + (isOwn ? "_own" : "_model"), norm);
      norms.add(norm);
      Tensor factor = clippingFactor(op, norm, limit);
      some.keySet().forEach(name -> factors.put(name, factor));
    }
    // Of the norms, because the gradients are clipped where they lie.
    op.graph().output(GRADIENT_NORM, op.norm(norms));
    return factors;
  }

  private static Tensor clippingFactor(Operators op, Tensor norm, Tensor limit) {
    Tensor tiny = op.graph().constant("tiny", Shape.SCALAR, 1e-6f);
    Tensor one = op.graph().constant("unclipped", Shape.SCALAR, 1f);
    return op.minimum(op.divide(limit, op.add(norm, tiny)), one);
  }

  /** The loss and its metrics, and what else the objective gives. */
  public ModelProto evaluation() {
    Operators op = new Operators(new Graph("evaluation", target));
    pass(op, true).learnt();
    return op.graph().toModel();
  }

  /**
   * What evaluation gives, logits [tokens, vocabulary] and the gradient of every parameter, named
   * {@code NAME.gradient}, for a plain inference session: what is compared with reference numbers.
   */
  public ModelProto gradients() {
    Operators op = new Operators(new Graph("gradients", target));
    Graph graph = op.graph();
    ForwardPass pass = pass(op, true);
    Tensor learnt = pass.learnt();
    graph.output("logits", pass.logits());
    gradients(op, learnt)
        .forEach((parameter, gradient) -> graph.output(parameter.name() + GRADIENT, gradient));
    return graph.toModel();
  }

  /** AdamW over all parameters. */
  public ModelProto optimizer(OptimizerSettings settings) {
    return OptimizerModel.create(settings, target);
  }

  /**
   * The settings of an optimizer that is to be this project's, and not the runtime's; without a
   * norm to clip to, which the optimizer has no part in.
   *
   * @param file {@link #OPTIMIZER} of the target that it was written for
   * @throws IOException if it cannot be read
   */
  public static Optional<OptimizerSettings> ownOptimizer(Path file) throws IOException {
    return OptimizerModel.ownSettings(ModelProto.parseFrom(Files.readAllBytes(file)));
  }

  /** Writes the models that train on one device; those that are there are replaced. */
  public void write(Path folder, OptimizerSettings settings) throws IOException {
    Files.createDirectories(folder);
    AtomicFile.replace(folder.resolve(TRAINING), training().toByteArray());
    AtomicFile.replace(folder.resolve(EVALUATION), evaluation().toByteArray());
    AtomicFile.replace(folder.resolve(OPTIMIZER), optimizer(settings).toByteArray());
    AtomicFile.replace(folder.resolve(WEIGHTS), weights().toByteArray());
  }

  /** Writes what several replicas run besides. */
  public void writeReplicated(Path folder) throws IOException {
    AtomicFile.replace(folder.resolve(BACKWARD), backward().toByteArray());
    AtomicFile.replace(folder.resolve(UPDATE), update().toByteArray());
  }

  private ForwardPass pass(Operators op, boolean withOutputs) {
    Transformer transformer = new Transformer(op, config, adapters, precision);
    Map<String, Transformer> frozen = new LinkedHashMap<>();
    objective
        .frozenModels()
        .forEach((name, other) -> frozen.put(name, Transformer.frozen(op, other, name, precision)));
    return ForwardPass.begin(op, objective, transformer, frozen, withOutputs);
  }

  private Map<Tensor, Tensor> gradients(Operators op, Tensor loss) {
    Graph graph = op.graph();
    Tensor seed = graph.input(GRADIENT_SCALE, FLOAT32, Shape.SCALAR);
    if (!precision.scalesLoss()) {
      return Gradients.of(op, loss, seed);
    }
    Tensor scale = graph.input(LOSS_SCALE, FLOAT32, Shape.SCALAR);
    Map<Tensor, Tensor> gradients = Gradients.of(op, loss, op.multiply(seed, scale));
    Tensor unscale = op.divide(graph.constant("unscaled", Shape.SCALAR, 1f), scale);
    gradients.replaceAll((parameter, gradient) -> op.multiply(gradient, unscale));
    return gradients;
  }
}
