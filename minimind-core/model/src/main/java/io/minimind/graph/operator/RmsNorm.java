package io.minimind.graph.operator;

import static io.minimind.graph.Operands.expectFloating;
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
 * Root mean square normalisation over the last axis, {@code x / sqrt(mean(x²) + epsilon) · weight}.
 * Outputs: the result, and the inverse of the root, [..., 1].
 */
public record RmsNorm(float epsilon) implements Operator {

  private static final Specification SPECIFICATION =
      Specification.onnx("SimplifiedLayerNormalization", 1, 2)
          .with("axis", Attribute.INTEGER)
          .with("epsilon", Attribute.REAL)
          .with("stash_type", Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of("axis", -1L, "epsilon", epsilon, "stash_type", 1L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor x = inputs.get(0);
    Tensor weight = inputs.get(1);
    expectFloating(this, x);
    expectType(this, weight, x.type());
    expectShape(this, weight, Shape.of(x.shape().dimension(-1)));
    Result inverse = new Result(x.type(), x.shape().with(-1, Dimension.of(1)));
    return List.of(Result.like(x), inverse);
  }

  /**
   * With {@code n = x / deviation} and {@code g = dy · weight}: {@code dx = (g - n · mean(g · n)) /
   * deviation}, {@code dweight = sum(dy · n)}. Written out, because ONNX Runtime's own gradient
   * operator computes on one thread.
   */
  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    Operators op = new Operators(graph);
    Tensor dy = outputGradients.get(0);
    Tensor weight = node.input(1);
    Tensor inverse = node.output(1);
    if (graph.target().hasOwnKernels(dy.type())) {
      List<Tensor> towards =
          graph.add(new Gradient(), dy, node.input(0), weight, inverse).outputs();
      return List.of(() -> towards.get(0), () -> towards.get(1));
    }
    List<Tensor> ready = Barrier.of(graph, dy, node.input(0));
    Tensor normed = op.multiply(ready.get(1), inverse);
    return List.of(
        () -> {
          Tensor g = op.multiply(dy, weight);
          Tensor product = op.multiply(g, normed);
          Tensor along = graph.add(new Mean(), product).output(0);
          return op.multiply(op.subtract(g, op.multiply(normed, along)), inverse);
        },
        () -> sumRows(op, op.multiply(dy, normed)));
  }

  /** The sum over all axes but the last, [width]. */
  private static Tensor sumRows(Operators op, Tensor x) {
    Dimension width = x.shape().dimension(-1);
    Dimension rows = x.shape().with(-1, Dimension.of(1)).elements();
    // As a product with ones it uses all threads, which the reduction over the first axis does not.
    Tensor ones =
        op.graph()
            .shared(
                RmsNorm.class,
                List.of(x.type(), rows),
                () -> {
                  Tensor one = op.graph().constant("one", Shape.of(1, 1), 1f);
                  return op.expand(op.cast(one, x.type()), Shape.of(Dimension.of(1), rows));
                });
    Tensor matrix = op.reshape(x, Shape.of(rows, width));
    return op.reshape(op.product(ones, false, matrix, false), Shape.of(width));
  }

  /**
   * The gradients of what is normalised and of the weight, by a kernel of this project: from the
   * output's gradient, the operands, and the inverse of the root.
   */
  public record Gradient() implements Operator {

    public static final Specification SPECIFICATION = Specification.own("RmsNormGradient", 4);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return inputs.subList(1, 3).stream().map(Result::like).toList();
    }
  }
}
