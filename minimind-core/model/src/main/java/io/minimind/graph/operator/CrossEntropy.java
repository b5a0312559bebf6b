package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Cross entropy of each row, in several operators. ONNX Runtime has one for it, {@code
 * SoftmaxCrossEntropyLossInternal}, but that computes on one thread, where a log-softmax uses all;
 * its gradient operator serves as well.
 *
 * <p>Inputs: logits [rows, classes], labels int64 [rows], the ignored label. Outputs: the loss of
 * each row, log-probabilities.
 */
record CrossEntropy() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("CrossEntropy", 1, 3);

  static Tensor of(Operators op, Tensor logits, Tensor labels, long ignored) {
    Graph graph = op.graph();
    if (graph.target().hasOwnKernels(logits.type())) {
      return op.apply(new FusedCrossEntropy(ignored), logits, labels);
    }
    Tensor ignoredLabel =
        graph.shared(
            CrossEntropy.class,
            ignored,
            () -> graph.constant("ignored_label", Shape.SCALAR, ignored));
    List<Tensor> inputs = List.of(logits, labels, ignoredLabel);
    return graph.add(new CrossEntropy(), inputs, () -> body(op, inputs)).output(0);
  }

  private static List<Tensor> body(Operators op, List<Tensor> inputs) {
    Graph graph = op.graph();
    Tensor labels = inputs.get(1);
    Shape column = Shape.of(labels.shape().dimension(0), Dimension.of(1));
    Tensor zero =
        graph.shared(CrossEntropy.class, "zero", () -> graph.constant("zero", Shape.SCALAR, 0f));
    Tensor indices = op.reshape(labels, column);
    Tensor logProbabilities = graph.add(new LogSoftmax(), inputs.get(0)).output(0);
    Tensor picked = graph.add(new GatherElements(), logProbabilities, indices).output(0);
    Tensor flat = graph.add(new Reshape(labels.shape()), picked, op.integers(-1)).output(0);
    Tensor kept = graph.add(new Where(), op.equal(labels, inputs.get(2)), zero, flat).output(0);
    return List.of(op.negate(kept), logProbabilities);
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    expectLabels(this, inputs.get(0), inputs.get(1));
    return List.of(new Result(FLOAT32, inputs.get(1).shape()), Result.like(inputs.get(0)));
  }

  /** Checks that there is a label for each row of logits. */
  static void expectLabels(Operator operator, Tensor logits, Tensor labels) {
    expectRank(operator, logits, 2);
    expectType(operator, logits, FLOAT32);
    expectType(operator, labels, INT64);
    expectShape(operator, labels, Shape.of(logits.shape().dimension(0)));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    return List.of(
        () ->
            graph
                .add(
                    new Gradient(),
                    outputGradients.get(0),
                    node.output(1),
                    node.input(1),
                    Tensor.ABSENT,
                    node.input(2))
                .output(0));
  }

  /** From the loss's gradient, log-probabilities, labels, no weights, the ignored label. */
  private record Gradient() implements Operator {

    private static final Specification SPECIFICATION =
        Specification.microsoft("SoftmaxCrossEntropyLossInternalGrad", 3)
            .upTo(5)
            .with("reduction", Attribute.TEXT);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of("reduction", "none");
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(Result.like(inputs.get(1)));
    }
  }

  /** The logarithm of the softmax over the last axis. */
  private record LogSoftmax() implements Operator {

    private static final Specification SPECIFICATION =
        Specification.onnx("LogSoftmax", 13, 1).with("axis", Attribute.INTEGER);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of("axis", -1L);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(Result.like(inputs.get(0)));
    }
  }

  /** The second input where the first is true, the third where it is not. */
  private record Where() implements Operator {

    private static final Specification SPECIFICATION = Specification.onnx("Where", 16, 3);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(Result.like(inputs.get(2)));
    }
  }
}
