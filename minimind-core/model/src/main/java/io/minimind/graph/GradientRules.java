package io.minimind.graph;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The gradient rule of every operator that a loss may be built from. In each, {@code dy} is the
 * gradient of the node's first output.
 */
final class GradientRules {

  private static final Map<String, GradientRule> RULES =
      Map.ofEntries(
          entry("Add", GradientRules::add),
          entry("Cast", GradientRules::cast),
          entry("Concat", GradientRules::concatenate),
          entry("Div", GradientRules::divide),
          entry("Expand", GradientRules::expand),
          entry("FusedMatMul", GradientRules::batchedProduct),
          entry("Gather", GradientRules::gather),
          entry("Gemm", GradientRules::product),
          entry("GroupQueryAttention", AttentionGradient::rule),
          entry("Mul", GradientRules::multiply),
          entry("Neg", GradientRules::negate),
          entry("QuickGelu", GradientRules::silu),
          entry("ReduceLogSumExp", GradientRules::logSumExp),
          entry("ReduceSum", GradientRules::sum),
          entry("Reshape", GradientRules::reshape),
          entry("RotaryEmbedding", GradientRules::rotary),
          entry("SimplifiedLayerNormalization", GradientRules::rmsNorm),
          entry("Softmax", GradientRules::softmax),
          entry(CrossEntropy.OPERATOR, CrossEntropy::rule),
          entry("Split", GradientRules::split),
          entry("Sub", GradientRules::subtract),
          entry("Transpose", GradientRules::transpose));

  private GradientRules() {}

  /** The operators that have a rule. */
  static Set<String> operators() {
    return RULES.keySet();
  }

  static GradientRule of(String operator) {
    GradientRule rule = RULES.get(operator);
    if (rule == null) {
      throw new IllegalArgumentException("The operator " + operator + " has no gradient rule.");
    }
    return rule;
  }

  private static List<Supplier<Tensor>> add(Operators op, Node node, List<Tensor> gradients) {
    Tensor dy = gradients.get(0);
    return List.of(
        () -> unbroadcast(op, dy, node.input(0)), () -> unbroadcast(op, dy, node.input(1)));
  }

  private static List<Supplier<Tensor>> subtract(Operators op, Node node, List<Tensor> gradients) {
    Tensor dy = gradients.get(0);
    return List.of(
        () -> unbroadcast(op, dy, node.input(0)),
        () -> op.negate(unbroadcast(op, dy, node.input(1))));
  }

  private static List<Supplier<Tensor>> multiply(Operators op, Node node, List<Tensor> gradients) {
    Tensor dy = gradients.get(0);
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    return List.of(
        () -> unbroadcast(op, op.multiply(dy, b), a), () -> unbroadcast(op, op.multiply(dy, a), b));
  }

  private static List<Supplier<Tensor>> divide(Operators op, Node node, List<Tensor> gradients) {
    Tensor dy = gradients.get(0);
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    return List.of(
        () -> unbroadcast(op, op.divide(dy, b), a),
        () -> op.negate(unbroadcast(op, op.divide(op.multiply(dy, node.output(0)), b), b)));
  }

  private static List<Supplier<Tensor>> negate(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.negate(gradients.get(0)));
  }

  private static List<Supplier<Tensor>> silu(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.siluGradient(gradients.get(0), node.input(0)));
  }

  private static List<Supplier<Tensor>> cast(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.cast(gradients.get(0), node.input(0).type()));
  }

  private static List<Supplier<Tensor>> expand(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> unbroadcast(op, gradients.get(0), node.input(0)));
  }

  private static List<Supplier<Tensor>> product(Operators op, Node node, List<Tensor> gradients) {
    Tensor dy = gradients.get(0);
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    boolean transA = node.integer("transA", 0) != 0;
    boolean transB = node.integer("transB", 0) != 0;
    return List.of(
        () -> transA ? op.product(b, transB, dy, true) : op.product(dy, false, b, !transB),
        () -> transB ? op.product(dy, true, a, transA) : op.product(a, !transA, dy, false));
  }

  private static List<Supplier<Tensor>> batchedProduct(
      Operators op, Node node, List<Tensor> gradients) {
    Tensor dy = gradients.get(0);
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    boolean transA = node.integer("transA", 0) != 0;
    boolean transB = node.integer("transB", 0) != 0;
    float scale = node.real("alpha", 1);
    return List.of(
        () ->
            transA
                ? op.batchedProduct(b, transB, dy, true, scale)
                : op.batchedProduct(dy, false, b, !transB, scale),
        () ->
            transB
                ? op.batchedProduct(dy, true, a, transA, scale)
                : op.batchedProduct(a, !transA, dy, false, scale));
  }

  private static List<Supplier<Tensor>> reshape(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.reshape(gradients.get(0), node.input(0).shape()));
  }

  @SuppressWarnings("unchecked")
  private static List<Supplier<Tensor>> transpose(Operators op, Node node, List<Tensor> gradients) {
    List<Long> permutation = (List<Long>) node.attributes().get("perm");
    int[] inverse = new int[permutation.size()];
    IntStream.range(0, inverse.length)
        .forEach(axis -> inverse[permutation.get(axis).intValue()] = axis);
    return List.of(() -> op.transpose(gradients.get(0), inverse));
  }

  private static List<Supplier<Tensor>> concatenate(
      Operators op, Node node, List<Tensor> gradients) {
    int axis = (int) node.integer("axis", 0);
    List<Dimension> extents =
        node.inputs().stream().map(input -> input.shape().dimension(axis)).toList();
    List<Tensor> parts = op.split(gradients.get(0), axis, extents);
    return parts.stream().<Supplier<Tensor>>map(part -> () -> part).toList();
  }

  /** For a Split whose parts are all used; there is nothing that would need the others' zeros. */
  private static List<Supplier<Tensor>> split(Operators op, Node node, List<Tensor> gradients) {
    if (!gradients.stream().allMatch(Tensor::isPresent)) {
      throw new IllegalArgumentException(
          "The loss depends on some parts of a Split only: its gradient needs all of them.");
    }
    int axis = (int) node.integer("axis", 0);
    Dimension whole = node.input(0).shape().dimension(axis);
    return List.of(() -> op.concatenate(gradients, axis, whole));
  }

  private static List<Supplier<Tensor>> sum(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.expand(gradients.get(0), node.input(0).shape()));
  }

  private static List<Supplier<Tensor>> logSumExp(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.multiply(gradients.get(0), op.softmax(node.input(0))));
  }

  private static List<Supplier<Tensor>> softmax(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.softmaxGradient(gradients.get(0), node.output(0)));
  }

  private static List<Supplier<Tensor>> gather(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.gatherGradient(gradients.get(0), node.input(1), node.input(0).shape()));
  }

  private static List<Supplier<Tensor>> rotary(Operators op, Node node, List<Tensor> gradients) {
    return List.of(() -> op.rotary(gradients.get(0), node.input(2), op.negatedOnce(node.input(3))));
  }

  /**
   * With {@code n = x / deviation} and {@code g = dy · weight}: {@code dx = (g - n · mean(g · n)) /
   * deviation}, {@code dweight = sum(dy · n)}. Written out, because ONNX Runtime's own gradient
   * operator computes on one thread.
   */
  private static List<Supplier<Tensor>> rmsNorm(Operators op, Node node, List<Tensor> gradients) {
    Tensor dy = gradients.get(0);
    Tensor weight = node.input(1);
    Tensor inverse = node.output(1);
    List<Tensor> ready = op.barrier(dy, node.input(0));
    Tensor normed = op.multiply(ready.get(1), inverse);
    return List.of(
        () -> {
          Tensor g = op.multiply(dy, weight);
          Tensor along = op.mean(op.multiply(g, normed));
          return op.multiply(op.subtract(g, op.multiply(normed, along)), inverse);
        },
        () -> op.sumRows(op.multiply(dy, normed)));
  }

  /** Sums a gradient over the axes along which an operand was broadcast. */
  private static Tensor unbroadcast(Operators op, Tensor gradient, Tensor operand) {
    Shape from = gradient.shape();
    Shape to = operand.shape();
    if (from.equals(to)) {
      return gradient;
    }
    if (to.rank() == 0) {
      return op.sum(gradient);
    }
    int added = from.rank() - to.rank();
    int[] axes =
        IntStream.range(0, from.rank())
            .filter(
                axis -> axis < added || !to.dimension(axis - added).equals(from.dimension(axis)))
            .toArray();
    return op.reshape(op.sum(gradient, axes), to);
  }
}
