package io.minimind.runtime;

import static io.minimind.graph.ElementType.FLOAT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.minimind.files.JavaProcess;
import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.NamedTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products by the kernel against sums in double precision. */
class GemmKernelTest {

  private static final Dimension M = Dimension.symbol("m");
  private static final Dimension N = Dimension.symbol("n");
  private static final Dimension K = Dimension.symbol("k");

  private static ModelProto model(
      Target target, boolean transposeA, boolean transposeB, boolean added) {
    Graph graph = new Graph("product", target);
    Tensor a = graph.input("a", FLOAT32, transposeA ? Shape.of(K, M) : Shape.of(M, K));
    Tensor b = graph.input("b", FLOAT32, transposeB ? Shape.of(N, K) : Shape.of(K, N));
    Tensor y = new Operators(graph).product(a, transposeA, b, transposeB);
    Tensor c = graph.input("c", FLOAT32, Shape.of(M, N));
    if (added) {
      graph.extendLast(c);
    }
    graph.output("y", y);
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

  private static List<NamedTensor> operands(
      int m, int n, int k, boolean transposeA, boolean transposeB) {
    return List.of(
        transposeA ? random("a", k, m) : random("a", m, k),
        transposeB ? random("b", n, k) : random("b", k, n),
        random("c", m, n));
  }

  private static float[] run(ModelProto model, int threads, List<NamedTensor> operands) {
    try (PlainSession session = PlainSession.open(model, threads)) {
      return session.run(operands).get("y");
    }
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
    "3, 4, 0",
    "0, 4, 3",
    "4, 0, 3"
  })
  void isTheSumOfProducts(int m, int n, int k) {
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
                (double) operands.get(0).floats().get(transposeA ? l * m + i : i * k + l)
                    * operands.get(1).floats().get(transposeB ? j * k + l : l * n + j);
          }
          assertEquals(expected, found[i * n + j], 1e-5 * Math.sqrt(k + 1), "row " + i);
        }
      }
    }
  }

  @Test
  void isTheSameToTheBitEachTime() {
    List<NamedTensor> operands = operands(500, 300, 400, false, true);
    ModelProto model = model(Target.CPU_WITH_OWN_KERNELS, false, true, false);
    for (int threads : new int[] {1, 2, 3, 16}) {
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
    List<NamedTensor> bad =
        List.of(NamedTensor.ofFloats("a", values, 60, 40), operands.get(1), operands.get(2));
    float[] found = run(model(Target.CPU_WITH_OWN_KERNELS, false, false, false), 2, bad);
    for (int i = 0; i < 60 * 50; i++) {
      assertEquals(i / 50 != 7 && i / 50 != 9, Float.isFinite(found[i]), "element " + i);
    }
  }

  @Test
  void onlyGraphsForSessionsThatHaveTheKernelAskForIt() {
    for (Target target : Target.values()) {
      boolean own =
          model(target, false, false, false).getGraph().getNodeList().stream()
              .anyMatch(node -> node.getDomain().equals(Specification.OWN));
      assertEquals(target == Target.CPU_WITH_OWN_KERNELS, own, "" + target);
    }
    assertTrue(OwnKernels.problem().isEmpty(), () -> OwnKernels.problem().get());
  }

  /** A process that ends while two threads multiply. */
  static final class Ending {
    public static void main(String[] arguments) {
      int size = 3000;
      List<NamedTensor> operands = operands(size, size, size, false, false);
      ModelProto model = model(Target.CPU_WITH_OWN_KERNELS, false, false, false);
      PlainSession session = PlainSession.open(model, 2);
      session.run(operands);
      new Thread(
              () -> {
                while (true) {
                  session.run(operands);
                }
              })
          .start();
      LockSupport.parkNanos(200_000_000);
      System.exit(7);
    }
  }

  @Test
  void aProcessMayEndWhileItMultiplies(@TempDir Path folder) throws Exception {
    JavaProcess.Result result =
        JavaProcess.of(Ending.class).with("-XX:ErrorFile=" + folder.resolve("crash")).run();
    assertEquals(7, result.status(), result.output());
  }
}
