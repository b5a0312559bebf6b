package io.minimind.runtime;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention;
import io.minimind.graph.operator.Gradients;
import io.minimind.graph.operator.Operators;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.weights.NamedTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.bytedeco.dnnl.global.dnnl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.converter.ConvertWith;
import org.junit.jupiter.params.converter.SimpleArgumentConverter;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention by the kernel against the operators that it replaces, and finite differences. */
class FusedAttentionKernelTest {

  /**
   * Attention of parameters, with the gradients of a weighted sum of its output.
   *
   * @param inSample where in its sample each position of a row is; none where rows are one sample
   */
  private record Subject(
      int batch, int length, int heads, int keyValueHeads, int size, long... inSample) {

    private static final List<String> PARAMETERS = List.of("query", "key", "value");

    long[] shape(String name) {
      int count = name.equals("key") || name.equals("value") ? keyValueHeads : heads;
      return new long[] {batch, length, (long) count * size};
    }

    Map<String, NamedTensor> inputs(float spread) {
      Random random = new Random(7);
      Map<String, NamedTensor> inputs = new LinkedHashMap<>();
      for (String name : List.of("query", "key", "value", "weights")) {
        long[] shape = shape(name);
        float[] values = new float[(int) (shape[0] * shape[1] * shape[2])];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) (spread * random.nextGaussian());
        }
        inputs.put(name, NamedTensor.ofFloats(name, values, shape));
      }
      return inputs;
    }

    PlainSession session(Target target, int threads, boolean turned) {
      Graph graph = new Graph("attention", target);
      Operators op = new Operators(graph);
      Tensor query = graph.parameter("query", shape("query"));
      Tensor key = graph.parameter("key", shape("key"));
      Tensor value = graph.parameter("value", shape("value"));
      long[] lasts = new long[batch];
      Arrays.fill(lasts, length - 1L);
      Tensor last = op.cast(graph.constant("last", Shape.of(batch), lasts), INT32);
      Tensor total = op.cast(graph.constant("total", Shape.SCALAR, (long) length), INT32);
      Attention attention =
          op.attention(
              new Attention.Heads(query, key, value, heads, keyValueHeads),
              Attention.Past.NONE,
              new Attention.Positions(last, total, inSample(graph)),
              turned ? rotation(graph) : Attention.Rotation.NONE);
      Tensor weights = graph.input("weights", FLOAT32, Shape.of(shape("weights")));
      Tensor loss = op.sum(op.multiply(attention.output(), weights));
      graph.output("output", attention.output());
      graph.output("loss", loss);
      Tensor seed = graph.constant("seed", Shape.SCALAR, 1f);
      Gradients.of(op, loss, seed)
          .forEach((parameter, gradient) -> graph.output("d_" + parameter.name(), gradient));
      return PlainSession.open(graph.toModel(), threads);
    }

    private Tensor inSample(Graph graph) {
      return inSample.length == 0
          ? Tensor.ABSENT
          : graph.constant("in_sample", Shape.of(batch, length), inSample);
    }

    private Attention.Rotation rotation(Graph graph) {
      float[] cosines = new float[length * size / 2];
      float[] sines = new float[cosines.length];
      for (int i = 0; i < cosines.length; i++) {
        cosines[i] = (float) Math.cos(0.3 * i);
        sines[i] = (float) Math.sin(0.3 * i);
      }
      return new Attention.Rotation(
          RotaryLayout.NEIGHBOURS,
          graph.constant("cosine", Shape.of(length, size / 2), cosines),
          graph.constant("sine", Shape.of(length, size / 2), sines));
    }

    Map<String, float[]> run(Target target, int threads, Map<String, NamedTensor> inputs) {
      try (PlainSession session = session(target, threads, true)) {
        return session.run(inputs.values());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 16",
    "3, 2, 4, 2, 16",
    "2, 63, 2, 1, 16",
    "1, 64, 4, 4, 32",
    "2, 65, 6, 2, 16",
    "1, 130, 3, 1, 48",
    "1, 577, 2, 1, 16",
    "1, 1100, 1, 1, 16"
  })
  void isWhatTheOperatorsGive(int batch, int length, int heads, int keyValueHeads, int size) {
    Subject subject = new Subject(batch, length, heads, keyValueHeads, size);
    Map<String, NamedTensor> inputs = subject.inputs(1);
    Map<String, float[]> expected = subject.run(Target.CPU, 2, inputs);
    Map<String, float[]> found = subject.run(Target.CPU_WITH_OWN_KERNELS, 2, inputs);
    assertAlike(expected, found, 2e-5);
  }

  private static void assertAlike(
      Map<String, float[]> expected, Map<String, float[]> found, double tolerance) {
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (name, values) -> {
          double size = 0;
          for (float value : values) {
            size = Math.max(size, Math.abs(value));
          }
          assertArrayEquals(values, found.get(name), (float) (tolerance * Math.max(1, size)), name);
        });
  }

  /** Rows of samples of these lengths, each row begun with another of them. */
  private static long[] inSample(int batch, int... lengths) {
    return IntStream.range(0, batch * lengths.length)
        .map(i -> lengths[(i + i / lengths.length) % lengths.length])
        .boxed()
        .flatMap(length -> LongStream.range(0, length).boxed())
        .mapToLong(position -> position)
        .toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 2, 1, 16, '1 1'",
    "3, 4, 2, 16, '1 2 60 1 1'",
    "1, 4, 4, 32, '64 64'",
    "2, 6, 2, 16, '63 1 65 128 7'",
    "1, 3, 1, 48, '300 1 1 280'",
    "1, 2, 1, 16, '900'",
    "1, 1, 1, 16, '3 700 5 560 64'"
  })
  void samplesOfARowAreApart(
      int batch,
      int heads,
      int keyValueHeads,
      int size,
      @ConvertWith(Lengths.class) int[] lengths) {
    int length = IntStream.of(lengths).sum();
    Subject subject =
        new Subject(batch, length, heads, keyValueHeads, size, inSample(batch, lengths));
    Map<String, NamedTensor> inputs = subject.inputs(1);
    Map<String, float[]> expected = subject.run(Target.CPU, 2, inputs);
    Map<String, float[]> found = subject.run(Target.CPU_WITH_OWN_KERNELS, 2, inputs);
    assertAlike(expected, found, 2e-5);
    Map<String, float[]> alone = subject.run(Target.CPU_WITH_OWN_KERNELS, 1, inputs);
    alone.forEach((name, values) -> assertArrayEquals(values, found.get(name), name));
  }

  static final class Lengths extends SimpleArgumentConverter {
    @Override
    protected Object convert(Object source, Class<?> type) {
      return Stream.of(source.toString().split(" ")).mapToInt(Integer::parseInt).toArray();
    }
  }

  /** A row of one sample is computed as if nobody had said so. */
  @Test
  void aRowOfOneSampleIsTheSameToTheBit() {
    Map<String, float[]> found = null;
    for (long[] inSample : new long[][] {{}, inSample(2, 130)}) {
      Subject subject = new Subject(2, 130, 4, 2, 16, inSample);
      Map<String, float[]> next = subject.run(Target.CPU_WITH_OWN_KERNELS, 2, subject.inputs(1));
      if (found != null) {
        Map<String, float[]> before = found;
        next.forEach((name, values) -> assertArrayEquals(before.get(name), values, name));
      }
      found = next;
    }
  }

  /** Large logits of keys that a query does not see are none of its business. */
  @Test
  void largeLogitsOfOtherSamplesLoseNothing() {
    Subject subject = new Subject(1, 140, 2, 1, 16, inSample(1, 30, 50, 60));
    Map<String, NamedTensor> inputs = subject.inputs(20);
    Map<String, float[]> expected = subject.run(Target.CPU, 1, inputs);
    Map<String, float[]> found = subject.run(Target.CPU_WITH_OWN_KERNELS, 1, inputs);
    assertAlike(expected, found, 1e-3);
  }

  /** Whatever stands there, nothing outside the row is read or written. */
  @Test
  void positionsThatMakeNoSenseStayInTheRow() {
    Random random = new Random(3);
    long[] inSample = random.longs(2 * 150, -300, 300).toArray();
    inSample[0] = Long.MAX_VALUE;
    inSample[100] = Long.MIN_VALUE;
    inSample[299] = Long.MAX_VALUE;
    Subject subject = new Subject(2, 150, 2, 1, 16, inSample);
    try (PlainSession session = subject.session(Target.CPU_WITH_OWN_KERNELS, 2, false)) {
      session
          .run(subject.inputs(1).values())
          .forEach(
              (name, values) -> {
                for (float value : values) {
                  assertTrue(Float.isFinite(value), name);
                }
              });
    }
  }

  @Test
  void theInstructionsAreNamed() {
    String named = OneDnn.instructions();
    assertTrue(
        Arrays.stream(dnnl.cpu_isa.values()).anyMatch(isa -> isa.name().equals(named)), named);
  }

  @Test
  void isTheSameToTheBitForAnyNumberOfThreads() {
    Subject subject = new Subject(3, 200, 4, 2, 32);
    Map<String, NamedTensor> inputs = subject.inputs(1);
    Map<String, float[]> alone = subject.run(Target.CPU_WITH_OWN_KERNELS, 1, inputs);
    for (int threads : new int[] {2, 3, 2}) {
      Map<String, float[]> together = subject.run(Target.CPU_WITH_OWN_KERNELS, threads, inputs);
      for (String name : List.of("output", "d_query", "d_key", "d_value")) {
        assertArrayEquals(alone.get(name), together.get(name), name);
      }
    }
  }

  /** Logits of some thousands, of which exponentials overflow. */
  @Test
  void largeLogitsLoseNothing() {
    Subject subject = new Subject(1, 70, 2, 1, 16);
    Map<String, NamedTensor> inputs = subject.inputs(20);
    Map<String, float[]> expected = subject.run(Target.CPU, 1, inputs);
    Map<String, float[]> found = subject.run(Target.CPU_WITH_OWN_KERNELS, 1, inputs);
    assertAlike(expected, found, 1e-3);
  }

  @Test
  void gradientsAreFiniteDifferences() {
    Subject subject = new Subject(1, 67, 4, 2, 16);
    Map<String, NamedTensor> inputs = subject.inputs(1);
    Random random = new Random(5);
    try (PlainSession session = subject.session(Target.CPU_WITH_OWN_KERNELS, 2, true)) {
      Map<String, float[]> found = session.run(inputs.values());
      for (String name : Subject.PARAMETERS) {
        float[] gradient = found.get("d_" + name);
        for (int i = 0; i < 40; i++) {
          int element = random.nextInt(gradient.length);
          double expected =
              (moved(session, inputs, name, element, 0.02f)
                      - moved(session, inputs, name, element, -0.02f))
                  / 0.04;
          assertEquals(expected, gradient[element], 2e-3 * Math.max(1, Math.abs(expected)), name);
        }
      }
    }
  }

  /** The loss where one element is another; added up in double precision. */
  private static double moved(
      PlainSession session, Map<String, NamedTensor> inputs, String name, int element, float by) {
    Map<String, NamedTensor> others = with(inputs, name, element, value -> value + by);
    float[] output = session.run(others.values()).get("output");
    double loss = 0;
    for (int i = 0; i < output.length; i++) {
      loss += (double) output[i] * inputs.get("weights").floats().get(i);
    }
    return loss;
  }

  private static Map<String, NamedTensor> with(
      Map<String, NamedTensor> inputs, String name, int element, UnaryOperator<Float> change) {
    NamedTensor tensor = inputs.get(name);
    float[] values = Outputs.copy(tensor.floats());
    values[element] = change.apply(values[element]);
    Map<String, NamedTensor> changed = new LinkedHashMap<>(inputs);
    changed.put(name, NamedTensor.ofFloats(name, values, tensor.shape()));
    return changed;
  }

  /** What comes from something that is no number must not look like one. */
  @ParameterizedTest
  @CsvSource({"query, NaN", "query, Infinity", "key, NaN", "key, -Infinity", "value, NaN"})
  void whatIsNoNumberGoesOn(String name, float bad) {
    Subject subject = new Subject(1, 80, 2, 1, 16);
    int position = 70;
    int column = 3;
    int width = (int) subject.shape(name)[2];
    Map<String, NamedTensor> inputs =
        with(subject.inputs(1), name, position * width + column, value -> bad);
    Map<String, float[]> found = subject.run(Target.CPU_WITH_OWN_KERNELS, 2, inputs);
    float[] output = found.get("output");
    // The first head reads the bad number from its position on, and nothing before does.
    assertFalse(Float.isFinite(output[position * 32 + (name.equals("value") ? column : 0)]));
    for (int i = 0; i < 64 * 32; i++) {
      assertTrue(Float.isFinite(output[i]), "position " + i / 32 + " sees a later one");
    }
    boolean poisoned = false;
    for (String gradient : List.of("d_query", "d_key", "d_value")) {
      for (float value : found.get(gradient)) {
        poisoned |= !Float.isFinite(value);
      }
    }
    assertTrue(poisoned, "the gradients are numbers");
  }
}
