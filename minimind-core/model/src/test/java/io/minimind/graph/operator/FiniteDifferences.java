package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.FLOAT64;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.weights.NamedTensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Compares gradients with central differences of the loss, both from ONNX Runtime. The loss is the
 * sum of all elements of an output, each with a weight of its own, in float64.
 *
 * <p>Parameters are float32. Where the operator has float64 kernels it gets them cast, so that the
 * difference of two losses keeps twelve digits; else the step is wider and the tolerance with it.
 */
public final class FiniteDifferences {

  /** Values of the symbols that shapes may have. */
  private static final Map<String, Long> SYMBOLS = Map.of("batch", 2L, "length", 3L);

  /** What an operator is applied to. */
  public static final class Subject {
    public final Operators op;
    private final ElementType precision;

    Subject(ElementType precision, Target target) {
      this.op = new Operators(new Graph("subject", target));
      this.precision = precision;
    }

    /** A parameter with random values, 0.5 to 1.5 away from zero. */
    public Tensor parameter(String name, long... extents) {
      return op.cast(op.graph().parameter(name, extents), precision);
    }

    /** Constant numbers of the same kind. */
    Tensor constant(String name, long... extents) {
      Shape shape = Shape.of(extents);
      float[] values = random(name, (int) shape.elements().extent());
      return op.cast(op.graph().constant(name, shape, values), precision);
    }

    public Tensor integers(String name, Shape shape, long... values) {
      return op.graph().constant(name, shape, values);
    }

    /** An int64 graph input [batch, length], which gives the symbols their values: 0, 1, 2, … */
    public Tensor rows() {
      Dimension length = Dimension.symbol("length");
      return op.graph()
          .input("rows", ElementType.INT64, Shape.of(Dimension.symbol("batch"), length));
    }
  }

  private FiniteDifferences() {}

  /**
   * Fails if a gradient of the output's weighted sum differs from the central difference.
   *
   * @param precision the type that parameters get
   * @return the whole graph, forward and backward
   */
  public static Graph check(ElementType precision, Function<Subject, Tensor> output) {
    return check(precision, Target.CPU, output);
  }

  /** The same for the operators that the graph of another target has, as far as a CPU has them. */
  static Graph check(ElementType precision, Target target, Function<Subject, Tensor> output) {
    Subject subject = new Subject(precision, target);
    Operators op = subject.op;
    Graph graph = op.graph();
    Tensor y = output.apply(subject);
    Tensor weights = graph.input("weights", FLOAT32, y.shape());
    Tensor loss = op.sum(op.multiply(op.cast(y, FLOAT64), op.cast(weights, FLOAT64)));
    Tensor seed = op.cast(graph.constant("seed", Shape.SCALAR, 1f), FLOAT64);
    Map<Tensor, Tensor> gradients = Gradients.of(op, loss, seed);
    graph.output("loss", loss);
    gradients.forEach((parameter, gradient) -> graph.output("d_" + parameter.name(), gradient));

    Map<String, NamedTensor> inputs = new LinkedHashMap<>();
    Stream.concat(graph.inputs().stream(), graph.parameters().stream())
        .forEach(input -> inputs.put(input.name(), value(input)));
    try (ModelRunner runner = ModelRunner.of(graph.toModel())) {
      graph.parameters().forEach(parameter -> compare(runner, inputs, parameter, precision));
    }
    return graph;
  }

  private static void compare(
      ModelRunner runner,
      Map<String, NamedTensor> inputs,
      Tensor parameter,
      ElementType precision) {
    float step = precision == FLOAT64 ? 1e-3f : 1e-2f;
    double tolerance = precision == FLOAT64 ? 1e-5 : 1e-3;
    String name = parameter.name();
    double[] gradient = ModelRunner.doubles(runner.run(inputs.values()).get("d_" + name));
    float[] values = random(name, gradient.length);
    ToDoubleFunction<float[]> loss =
        changed -> {
          Map<String, NamedTensor> others = new LinkedHashMap<>(inputs);
          others.put(name, NamedTensor.ofFloats(name, changed, parameter.shape().extents()));
          return ModelRunner.doubles(runner.run(others.values()).get("loss"))[0];
        };
    for (int i = 0; i < values.length; i++) {
      float value = values[i];
      float above = value + step;
      float below = value - step;
      values[i] = above;
      double difference = loss.applyAsDouble(values);
      values[i] = below;
      difference -= loss.applyAsDouble(values);
      values[i] = value;
      double expected = difference / ((double) above - below);
      assertEquals(
          expected,
          gradient[i],
          tolerance * Math.max(1, Math.abs(expected)),
          "gradient towards element " + i + " of " + parameter);
    }
  }

  private static NamedTensor value(Tensor tensor) {
    long[] extents =
        tensor.shape().dimensions().stream().mapToLong(FiniteDifferences::extent).toArray();
    int count = (int) LongStream.of(extents).reduce(1, Math::multiplyExact);
    return tensor.type() == ElementType.INT64
        ? ModelRunner.longs(tensor.name(), LongStream.range(0, count).toArray(), extents)
        : NamedTensor.ofFloats(tensor.name(), random(tensor.name(), count), extents);
  }

  private static long extent(Dimension dimension) {
    return dimension.symbols().stream()
        .mapToLong(SYMBOLS::get)
        .reduce(dimension.factor(), Math::multiplyExact);
  }

  private static float[] random(String name, int count) {
    Random random = new Random(name.hashCode());
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (0.5f + random.nextFloat()) * (random.nextBoolean() ? 1 : -1);
    }
    return values;
  }
}
