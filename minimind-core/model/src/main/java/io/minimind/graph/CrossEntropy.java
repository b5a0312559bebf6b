package io.minimind.graph;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Cross entropy as a node with a body. ONNX Runtime has an operator for it, {@code
 * SoftmaxCrossEntropyLossInternal}, but that computes on one thread, where a log-softmax uses all;
 * its gradient operator serves as well.
 */
final class CrossEntropy {

  static final String OPERATOR = "CrossEntropy";

  private CrossEntropy() {}

  /**
   * Inputs: logits, labels, the ignored label. Outputs: the loss of each row, log-probabilities.
   */
  static Tensor add(Operators op, Tensor logits, Tensor labels, long ignored) {
    expectRank(OPERATOR, logits, 2);
    expectType(OPERATOR, logits, FLOAT32);
    expectType(OPERATOR, labels, INT64);
    expectShape(OPERATOR, labels, Shape.of(logits.shape().dimension(0)));
    Graph graph = op.graph();
    Tensor ignoredLabel =
        graph.shared(
            List.of("ignored_label", ignored),
            () -> graph.constant(graph.freshName("ignored_label"), Shape.SCALAR, ignored));
    Tensor zero = graph.shared("zero", () -> graph.constant("zero", Shape.SCALAR, 0f));
    Shape column = Shape.of(labels.shape().dimension(0), Dimension.of(1));
    Tensor indices = op.reshape(labels, column);
    Tensor logProbabilities = op.fresh("log_probabilities", FLOAT32, logits.shape());
    Tensor picked = op.fresh("picked", FLOAT32, column);
    Tensor flat = op.fresh("log_likelihood", FLOAT32, labels.shape());
    Tensor isIgnored = op.fresh("is_ignored", BOOL, labels.shape());
    Tensor kept = op.fresh("kept_log_likelihood", FLOAT32, labels.shape());
    Tensor loss = op.fresh("cross_entropy", FLOAT32, labels.shape());
    List<Node> body =
        List.of(
            part("LogSoftmax", Map.of("axis", -1L), logProbabilities, logits),
            part("GatherElements", Map.of("axis", 1L), picked, logProbabilities, indices),
            part("Reshape", Map.of(), flat, picked, op.integers(-1)),
            part("Equal", Map.of(), isIgnored, labels, ignoredLabel),
            part("Where", Map.of(), kept, isIgnored, zero, flat),
            part("Neg", Map.of(), loss, kept));
    List<Tensor> inputs = List.of(logits, labels, ignoredLabel);
    graph.add(new Node(OPERATOR, "", inputs, List.of(loss, logProbabilities), Map.of(), body));
    return loss;
  }

  private static Node part(
      String operator, Map<String, Object> attributes, Tensor output, Tensor... inputs) {
    return new Node(operator, "", List.of(inputs), List.of(output), attributes);
  }

  static List<Supplier<Tensor>> rule(Operators op, Node node, List<Tensor> gradients) {
    Tensor logits = node.input(0);
    List<Tensor> inputs =
        List.of(gradients.get(0), node.output(1), node.input(1), Tensor.ABSENT, node.input(2));
    Map<String, Object> attributes = Map.of("reduction", "none");
    return List.of(
        () ->
            op.node(
                    "SoftmaxCrossEntropyLossInternalGrad",
                    Graph.MICROSOFT,
                    attributes,
                    inputs,
                    op.fresh("d_logits", logits.type(), logits.shape()))
                .output(0));
  }
}
