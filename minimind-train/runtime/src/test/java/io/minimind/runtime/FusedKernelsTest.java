package io.minimind.runtime;

import static io.minimind.graph.ElementType.FLOAT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Gradients;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.NamedTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The gradient of RMS norm, and cross entropy by kernels of this project, against the operators
 * that they replace and finite differences.
 */
class FusedKernelsTest {

  private interface Use {
    Tensor of(Operators op, List<Tensor> parameters);
  }

  /** An operator on parameters of these shapes. */
  private record Subject(String name, List<long[]> shapes, Use use) {

    @Override
    public String toString() {
      return name + " of " + Arrays.toString(shapes.get(0));
    }

    /** The output, and the gradients of a weighted sum of it. */
    ModelProto model(Target target) {
      Graph graph = new Graph("subject", target);
      Operators op = new Operators(graph);
      List<Tensor> parameters =
          Stream.iterate(0, i -> i + 1)
              .limit(shapes.size())
              .map(i -> graph.parameter("p" + i, shapes.get(i)))
              .toList();
      Tensor y = use.of(op, parameters);
      Tensor weights = graph.input("weights", FLOAT32, y.shape());
      Tensor loss = op.sum(op.multiply(y, weights));
      graph.output("y", y);
      Gradients.of(op, loss, graph.constant("seed", Shape.SCALAR, 1f))
          .forEach((parameter, gradient) -> graph.output("d_" + parameter.name(), gradient));
      return graph.toModel();
    }

    Map<String, NamedTensor> inputs() {
      Map<String, NamedTensor> inputs = new LinkedHashMap<>();
      Random random = new Random(7);
      long[] output = use == CROSS_ENTROPY ? new long[] {shapes.get(0)[0]} : shapes.get(0);
      inputs.put("weights", random("weights", random, output));
      for (int i = 0; i < shapes.size(); i++) {
        inputs.put("p" + i, random("p" + i, random, shapes.get(i)));
      }
      return inputs;
    }

    private static NamedTensor random(String name, Random random, long... shape) {
      float[] values = new float[(int) LongStream.of(shape).reduce(1, Math::multiplyExact)];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (2 * random.nextGaussian());
      }
      return NamedTensor.ofFloats(name, values, shape);
    }

    Map<String, float[]> run(Target target, int threads, Map<String, NamedTensor> inputs) {
      try (PlainSession session = PlainSession.open(model(target), threads)) {
        return session.run(inputs.values());
      }
    }
  }

  private static final long IGNORED = 0;

  private static final Use RMS_NORM = (op, p) -> op.rmsNorm(p.get(0), p.get(1), 1e-5f);
  private static final Use CROSS_ENTROPY = (op, p) -> crossEntropy(op, p.get(0), 0);

  /** Every third row is ignored. */
  private static Tensor crossEntropy(Operators op, Tensor logits, long shift) {
    int rows = (int) logits.shape().dimension(0).extent();
    long classes = logits.shape().dimension(1).extent();
    long[] labels =
        LongStream.range(0, rows)
            .map(row -> row % 3 == 2 ? IGNORED : Math.min(1 + row * 7, classes - 1) + shift)
            .toArray();
    return op.crossEntropy(logits, op.graph().constant("labels", Shape.of(rows), labels), IGNORED);
  }

  static Stream<Subject> subjects() {
    Stream<Subject> norms =
        Stream.of(
                new long[] {1, 1},
                new long[] {1, 513},
                new long[] {3, 2, 64},
                new long[] {700, 48},
                new long[] {5, 17000})
            .map(
                shape ->
                    new Subject(
                        "rmsNorm", List.of(shape, new long[] {shape[shape.length - 1]}), RMS_NORM));
    Stream<Subject> entropies =
        Stream.of(new long[] {1, 1}, new long[] {5, 7}, new long[] {19, 6401})
            .map(shape -> new Subject("crossEntropy", List.of(shape), CROSS_ENTROPY));
    return Stream.concat(norms, entropies);
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void isWhatTheOperatorsGive(Subject subject) {
    Map<String, NamedTensor> inputs = subject.inputs();
    Map<String, float[]> expected = subject.run(Target.CPU, 2, inputs);
    Map<String, float[]> found = subject.run(Target.CPU_WITH_OWN_KERNELS, 2, inputs);
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (name, values) -> {
          float size = 1;
          for (float value : values) {
            size = Math.max(size, Math.abs(value));
          }
          assertArrayEquals(values, found.get(name), 1e-5f * size, name);
        });
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void isTheSameToTheBitForAnyNumberOfThreads(Subject subject) {
    Map<String, NamedTensor> inputs = subject.inputs();
    Map<String, float[]> alone = subject.run(Target.CPU_WITH_OWN_KERNELS, 1, inputs);
    for (int threads : new int[] {2, 3, 2}) {
      subject
          .run(Target.CPU_WITH_OWN_KERNELS, threads, inputs)
          .forEach((name, values) -> assertArrayEquals(alone.get(name), values, name));
    }
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void gradientsAreFiniteDifferences(Subject subject) {
    Map<String, NamedTensor> inputs = subject.inputs();
    Random random = new Random(5);
    try (PlainSession session = PlainSession.open(subject.model(Target.CPU_WITH_OWN_KERNELS), 2)) {
      Map<String, float[]> found = session.run(inputs.values());
      for (int p = 0; p < subject.shapes.size(); p++) {
        float[] gradient = found.get("d_p" + p);
        for (int i = 0; i < 20; i++) {
          int element = random.nextInt(gradient.length);
          double expected =
              (moved(session, inputs, "p" + p, element, 0.01f)
                      - moved(session, inputs, "p" + p, element, -0.01f))
                  / 0.02;
          assertEquals(
              expected, gradient[element], 4e-3 * Math.max(1, Math.abs(expected)), "p" + p);
        }
      }
    }
  }

  /** The loss where one element is another; added up in double precision. */
  private static double moved(
      PlainSession session, Map<String, NamedTensor> inputs, String name, int element, float by) {
    float value = inputs.get(name).floats().get(element);
    float[] y = session.run(with(inputs, name, element, value + by).values()).get("y");
    double loss = 0;
    for (int i = 0; i < y.length; i++) {
      loss += (double) y[i] * inputs.get("weights").floats().get(i);
    }
    return loss;
  }

  private static Map<String, NamedTensor> with(
      Map<String, NamedTensor> inputs, String name, int element, float value) {
    NamedTensor tensor = inputs.get(name);
    float[] values = Outputs.copy(tensor.floats());
    values[element] = value;
    Map<String, NamedTensor> changed = new LinkedHashMap<>(inputs);
    changed.put(name, NamedTensor.ofFloats(name, values, tensor.shape()));
    return changed;
  }

  /** What comes from something that is no number is none either, and nothing else. */
  @ParameterizedTest
  @MethodSource("subjects")
  void whatIsNoNumberGoesOn(Subject subject) {
    Map<String, NamedTensor> inputs = subject.inputs();
    try (PlainSession plain = PlainSession.open(subject.model(Target.CPU), 2);
        PlainSession own = PlainSession.open(subject.model(Target.CPU_WITH_OWN_KERNELS), 2)) {
      for (String name : inputs.keySet()) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
          int element = inputs.get(name).floats().remaining() / 2;
          Map<String, NamedTensor> poisoned = with(inputs, name, element, bad);
          Map<String, float[]> found = own.run(poisoned.values());
          plain
              .run(poisoned.values())
              .forEach(
                  (output, values) -> {
                    for (int i = 0; i < values.length; i++) {
                      if (Float.isFinite(values[i]) != Float.isFinite(found.get(output)[i])) {
                        throw new AssertionError(
                            "%s with %s at %d of %s: element %d of %s is %s, not %s"
                                .formatted(
                                    subject,
                                    bad,
                                    element,
                                    name,
                                    i,
                                    output,
                                    found.get(output)[i],
                                    values[i]));
                      }
                    }
                  });
        }
      }
    }
  }

  @Test
  void logitsOfAThousandLoseNothing() {
    Subject subject = new Subject("crossEntropy", List.of(new long[] {4, 9}), CROSS_ENTROPY);
    Map<String, NamedTensor> inputs = with(with(subject.inputs(), "p0", 0, 1000), "p0", 12, -1000);
    Map<String, float[]> found = subject.run(Target.CPU_WITH_OWN_KERNELS, 1, inputs);
    subject
        .run(Target.CPU, 1, inputs)
        .forEach((name, values) -> assertArrayEquals(values, found.get(name), 1e-3f, name));
  }

  @Test
  void aLabelThatIsNoClassIsRefused() {
    Subject subject =
        new Subject(
            "crossEntropy", List.of(new long[] {4, 9}), (op, p) -> crossEntropy(op, p.get(0), 9));
    Map<String, NamedTensor> inputs = new LinkedHashMap<>(subject.inputs());
    inputs.put("weights", NamedTensor.ofFloats("weights", new float[4], 4));
    OnnxRuntimeException e =
        assertThrows(
            OnnxRuntimeException.class, () -> subject.run(Target.CPU_WITH_OWN_KERNELS, 2, inputs));
    assertTrue(e.getMessage().contains("has the label"), e.getMessage());
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void onlyGraphsForSessionsThatHaveTheKernelsAskForThem(Subject subject) {
    for (Target target : Target.values()) {
      boolean own =
          subject.model(target).getGraph().getNodeList().stream()
              .anyMatch(node -> node.getDomain().equals(Specification.OWN));
      assertEquals(target == Target.CPU_WITH_OWN_KERNELS, own, "" + target);
    }
  }
}
