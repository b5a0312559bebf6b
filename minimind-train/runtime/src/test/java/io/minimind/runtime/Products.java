package io.minimind.runtime;

import static io.minimind.graph.ElementType.FLOAT32;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.NamedTensor;
import java.util.List;
import java.util.Random;

/** Graphs of one product of two matrices, plus a third, and numbers for them. */
final class Products {

  private static final Dimension M = Dimension.symbol("m");
  private static final Dimension N = Dimension.symbol("n");
  private static final Dimension K = Dimension.symbol("k");

  private Products() {}

  /**
   * The graph: operands and result are float32, and between them is the product.
   *
   * @param type of the product
   */
  static ModelProto model(
      Target target, ElementType type, boolean transposeA, boolean transposeB, boolean added) {
    Graph graph = new Graph("product", target);
    Tensor a = graph.input("a", FLOAT32, transposeA ? Shape.of(K, M) : Shape.of(M, K));
    Tensor b = graph.input("b", FLOAT32, transposeB ? Shape.of(N, K) : Shape.of(K, N));
    Tensor c = as(type, graph, graph.input("c", FLOAT32, Shape.of(M, N)));
    Tensor y =
        new Operators(graph)
            .product(as(type, graph, a), transposeA, as(type, graph, b), transposeB);
    if (added) {
      graph.extendLast(c);
    }
    graph.output("y", as(FLOAT32, graph, y));
    return graph.toModel();
  }

  private static Tensor as(ElementType type, Graph graph, Tensor tensor) {
    return tensor.type() == type ? tensor : new Operators(graph).cast(tensor, type);
  }

  private static NamedTensor random(String name, int rows, int columns) {
    Random random = new Random(name.hashCode());
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return NamedTensor.ofFloats(name, values, rows, columns);
  }

  static List<NamedTensor> operands(int m, int n, int k, boolean transposeA, boolean transposeB) {
    return List.of(
        transposeA ? random("a", k, m) : random("a", m, k),
        transposeB ? random("b", n, k) : random("b", k, n),
        random("c", m, n));
  }

  static float[] run(ModelProto model, int threads, List<NamedTensor> operands) {
    try (PlainSession session = PlainSession.open(model, threads)) {
      return session.run(operands).get("y");
    }
  }
}
