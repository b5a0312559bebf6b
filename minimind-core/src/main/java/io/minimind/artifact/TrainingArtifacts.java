package io.minimind.artifact;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.minimind.files.AtomicFile;
import io.minimind.graph.Dimension;
import io.minimind.graph.Gradients;
import io.minimind.graph.Graph;
import io.minimind.graph.Operators;
import io.minimind.graph.Operators.Accumulation;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.model.ModelConfig;
import io.minimind.model.Transformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The graphs that ONNX Runtime's on-device training API runs, for one architecture: forward and
 * backward pass, evaluation, and the optimizer. Batch and length are symbolic.
 *
 * <p>User inputs: {@code input_ids} and {@code labels} int64 [batch, length], {@code loss_mask}
 * float32 [batch, length]; the training model also takes {@code gradient_scale}, a float32 scalar
 * that multiplies all gradients (1 / micro-batches of an accumulation window). User outputs: {@code
 * loss}, the mean over the unmasked positions, not scaled; the training model also gives {@code
 * gradient_norm}, the norm of the gradients accumulated so far, and scales these down if it exceeds
 * the input {@code max_gradient_norm}, a float32 scalar: infinity before the last micro-batch.
 */
public final class TrainingArtifacts {

  public static final String TRAINING = "training_model.onnx";
  public static final String EVALUATION = "eval_model.onnx";
  public static final String OPTIMIZER = "optimizer_model.onnx";

  /** The training API finds the parts of the training model by these names. */
  private static final String ACCUMULATION_BUFFER = "_grad.accumulation.buffer";

  private static final String ACCUMULATION_FLAG = "_grad.accumulation.out";
  private static final String RESET_FLAG = "lazy_reset_grad";

  /** Padding has this label; it adds nothing to the loss. */
  private static final long PADDING = 0;

  private final ModelConfig config;

  public TrainingArtifacts(ModelConfig config) {
    this.config = config;
  }

  /** The parameters in the order in which all graphs declare them. */
  public List<Tensor> parameters() {
    Operators op = new Operators(new Graph("parameters"));
    loss(op);
    return op.graph().parameters();
  }

  /** Forward and backward pass with gradient accumulation. */
  public ModelProto training() {
    Operators op = new Operators(new Graph("training"));
    Graph graph = op.graph();
    Map<Tensor, Tensor> gradients = gradients(op, loss(op).mean());
    Tensor reset = graph.input(RESET_FLAG, BOOL, Shape.of(1));
    Map<String, Accumulation> accumulations = new LinkedHashMap<>();
    gradients.forEach(
        (parameter, gradient) -> {
          String name = parameter.name();
          Tensor buffer = graph.input(name + ACCUMULATION_BUFFER, FLOAT32, parameter.shape());
          accumulations.put(name, op.accumulateInPlace(buffer, gradient, reset));
        });
    List<Tensor> sums = accumulations.values().stream().map(Accumulation::sum).toList();
    Tensor norm = op.norm(sums);
    graph.output("gradient_norm", norm);
    Tensor limit = graph.input("max_gradient_norm", FLOAT32, Shape.SCALAR);
    Tensor factor = clippingFactor(op, norm, limit);
    Tensor always = op.cast(graph.constant("true", Shape.of(1), 1L), BOOL);
    accumulations.forEach(
        (name, accumulation) -> {
          Tensor sum = accumulation.sum();
          Tensor clipped = op.multiply(sum, factor);
          Accumulation replaced = op.accumulateInPlace(sum, clipped, always);
          graph.output(name + ACCUMULATION_FLAG, replaced.done());
        });
    return graph.toModel();
  }

  /**
   * As PyTorch clips. The runtime has an operator for it that belongs into the optimizer, but there
   * the parameters come in the order of a hash table that differs from session to session, and so
   * does the last bit of their norm.
   */
  private static Tensor clippingFactor(Operators op, Tensor norm, Tensor limit) {
    Tensor tiny = op.graph().constant("tiny", Shape.SCALAR, 1e-6f);
    Tensor one = op.graph().constant("unclipped", Shape.SCALAR, 1f);
    return op.minimum(op.divide(limit, op.add(norm, tiny)), one);
  }

  /** The loss alone. */
  public ModelProto evaluation() {
    Operators op = new Operators(new Graph("evaluation"));
    loss(op);
    return op.graph().toModel();
  }

  /**
   * Loss, logits [tokens, vocabulary] and the gradient of every parameter, named {@code
   * NAME.gradient}, for a plain inference session: what is compared with reference numbers.
   */
  public ModelProto gradients() {
    Operators op = new Operators(new Graph("gradients"));
    Graph graph = op.graph();
    Loss loss = loss(op);
    graph.output("logits", loss.logits());
    gradients(op, loss.mean())
        .forEach((parameter, gradient) -> graph.output(parameter.name() + ".gradient", gradient));
    return graph.toModel();
  }

  /** AdamW over all parameters. */
  public static ModelProto optimizer(OptimizerSettings settings) {
    return OptimizerModel.create(settings);
  }

  /** Writes the three models that a training session runs; those that are there are replaced. */
  public void write(Path folder, OptimizerSettings settings) throws IOException {
    Files.createDirectories(folder);
    AtomicFile.replace(folder.resolve(TRAINING), training().toByteArray());
    AtomicFile.replace(folder.resolve(EVALUATION), evaluation().toByteArray());
    AtomicFile.replace(folder.resolve(OPTIMIZER), optimizer(settings).toByteArray());
  }

  private record Loss(Tensor logits, Tensor mean) {}

  /** Cross entropy of the next token, averaged over the unmasked positions. */
  private Loss loss(Operators op) {
    Graph graph = op.graph();
    Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
    Tensor ids = graph.input("input_ids", INT64, rows);
    Tensor labels = graph.input("labels", INT64, rows);
    Tensor mask = graph.input("loss_mask", FLOAT32, rows);
    Tensor logits = new Transformer(op, config).logits(ids);
    Shape flat = Shape.of(rows.elements());
    Tensor perToken = op.crossEntropy(logits, op.reshape(labels, flat), PADDING);
    Tensor weights = op.reshape(mask, flat);
    Tensor mean = op.divide(op.sum(op.multiply(perToken, weights)), op.sum(weights));
    graph.output("loss", mean);
    return new Loss(logits, mean);
  }

  private static Map<Tensor, Tensor> gradients(Operators op, Tensor loss) {
    return Gradients.of(op, loss, op.graph().input("gradient_scale", FLOAT32, Shape.SCALAR));
  }
}
