package io.minimind.runtime;

import static io.minimind.graph.ElementType.BFLOAT16;
import static io.minimind.graph.ElementType.FLOAT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.TrainingPrecision;
import io.minimind.weights.NamedTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of bf16, by instructions or emulated, against sums in double precision. */
class Bfloat16GemmKernelTest {

  private static final Dimension M = Dimension.symbol("m");
  private static final Dimension N = Dimension.symbol("n");
  private static final Dimension K = Dimension.symbol("k");

  static ModelProto model(Target target, boolean transposeA, boolean transposeB, boolean added) {
    Graph graph = new Graph("product", target);
    Operators op = new Operators(graph);
    Tensor a = graph.input("a", FLOAT32, transposeA ? Shape.of(K, M) : Shape.of(M, K));
    Tensor b = graph.input("b", FLOAT32, transposeB ? Shape.of(N, K) : Shape.of(K, N));
    Tensor c = op.cast(graph.input("c", FLOAT32, Shape.of(M, N)), BFLOAT16);
    Tensor y = op.product(op.cast(a, BFLOAT16), transposeA, op.cast(b, BFLOAT16), transposeB);
    if (added) {
      graph.extendLast(c);
    }
    graph.output("y", op.cast(y, FLOAT32));
    return graph.toModel();
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

  private static double rounded(NamedTensor tensor, int index) {
    return Bfloat16.toFloat(Bfloat16.of(tensor.floats().get(index)));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 300, 70",
    "300, 1, 70",
    "7, 5, 1",
    "130, 90, 200",
    "2, 700, 900",
    "900, 3, 500",
    "270, 65, 33",
    "3, 4, 0",
    "0, 4, 3",
    "4, 0, 3"
  })
  void isTheSumOfProductsOfRoundedNumbers(int m, int n, int k) {
    for (int variant = 0; variant < 8; variant++) {
      boolean transposeA = (variant & 1) != 0;
      boolean transposeB = (variant & 2) != 0;
      boolean added = (variant & 4) != 0;
      List<NamedTensor> operands = operands(m, n, k, transposeA, transposeB);
      ModelProto model = model(Target.CPU_WITH_OWN_KERNELS, transposeA, transposeB, added);
      float[] found = run(model, 3, operands);
      assertEquals(m * n, found.length);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double expected = added ? operands.get(2).floats().get(i * n + j) : 0;
          for (int l = 0; l < k; l++) {
            expected +=
                rounded(operands.get(0), transposeA ? l * m + i : i * k + l)
                    * rounded(operands.get(1), transposeB ? j * k + l : l * n + j);
          }
          assertEquals(expected, found[i * n + j], 1e-5 * Math.sqrt(k + 1), "row " + i);
        }
      }
    }
  }

  @Test
  void isTheSameToTheBitEachTime() {
    List<NamedTensor> operands = operands(500, 300, 400, true, true);
    ModelProto model = model(Target.CPU_WITH_OWN_KERNELS, true, true, false);
    for (int threads = 1; threads <= 3; threads++) {
      float[] first = run(model, threads, operands);
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(first, run(model, threads, operands));
      }
    }
  }

  @Test
  void whatIsNoNumberGoesOn() {
    List<NamedTensor> operands = operands(60, 50, 40, false, false);
    float[] values = Outputs.copy(operands.get(0).floats());
    values[7 * 40 + 3] = Float.NaN;
    values[9 * 40 + 3] = Float.NEGATIVE_INFINITY;
    values[11 * 40 + 3] = Float.intBitsToFloat(0x7f800001); // Its upper half is that of infinity.
    List<NamedTensor> bad =
        List.of(NamedTensor.ofFloats("a", values, 60, 40), operands.get(1), operands.get(2));
    float[] found = run(model(Target.CPU_WITH_OWN_KERNELS, false, false, false), 2, bad);
    for (int i = 0; i < 60 * 50; i++) {
      int row = i / 50;
      assertEquals(row != 7 && row != 9 && row != 11, Float.isFinite(found[i]), "element " + i);
      assertEquals(row == 7 || row == 11, Float.isNaN(found[i]), "element " + i);
    }
  }

  @Test
  void graphsForSessionsWithoutTheKernelRoundResultsToo() {
    for (Target target : Target.values()) {
      boolean own =
          model(target, false, false, false).getGraph().getNodeList().stream()
              .anyMatch(node -> node.getDomain().equals(Specification.OWN));
      assertEquals(target == Target.CPU_WITH_OWN_KERNELS, own, "" + target);
    }
    float[] found = run(model(Target.CPU, false, false, false), 1, operands(9, 8, 7, false, false));
    for (float value : found) {
      assertEquals(0, Float.floatToRawIntBits(value) & 0xffff);
    }
  }

  /** What a process prints that may use some instructions at most. */
  private static String inProcess(Path folder, String instructions) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Said.class.getName());
    builder.environment().put("ONEDNN_MAX_CPU_ISA", instructions);
    Path output = folder.resolve("output");
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    assertEquals(0, process.waitFor(), () -> "it failed");
    return Files.readString(output);
  }

  /** Says what products of bf16 are computed with. */
  static final class Said {
    public static void main(String[] arguments) {
      System.out.println(Device.CPU.kernels(TrainingPrecision.BFLOAT16));
      System.out.println(Device.CPU.fastestPrecision());
    }
  }

  @Test
  void aLimitOfInstructionsIsHeededAndSaid(@TempDir Path folder) throws Exception {
    String said = inProcess(folder, "SSE41");
    assertTrue(
        said.contains(
            "; bf16 is emulated and no faster than float32: oneDNN has no product of bf16"),
        said);
    assertTrue(said.endsWith("float32" + System.lineSeparator()), said);
  }

  @Test
  void instructionsGiveWhatIsEmulated() {
    Assumptions.assumeTrue(
        NativeBfloat16Products.problem().isEmpty(), () -> NativeBfloat16Products.problem().get());
    assertEquals(TrainingPrecision.BFLOAT16, Device.CPU.fastestPrecision());
    assertEquals(List.of(), Bfloat16Check.wrongProducts());
  }
}
