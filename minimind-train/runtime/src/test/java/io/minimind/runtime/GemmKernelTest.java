package io.minimind.runtime;

import static io.minimind.graph.ElementType.BFLOAT16;
import static io.minimind.graph.ElementType.FLOAT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.minimind.files.JavaProcess;
import io.minimind.graph.ElementType;
import io.minimind.graph.Specification;
import io.minimind.graph.Target;
import io.minimind.weights.NamedTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Products by the kernels of both types against sums in double precision. */
class GemmKernelTest {

  private static double value(ElementType type, NamedTensor tensor, int index) {
    float value = tensor.floats().get(index);
    return type == BFLOAT16 ? Bfloat16.toFloat(Bfloat16.of(value)) : value;
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
  void isTheSumOfProducts(int m, int n, int k) {
    for (ElementType type : List.of(FLOAT32, BFLOAT16)) {
      for (int variant = 0; variant < 8; variant++) {
        boolean transposeA = (variant & 1) != 0;
        boolean transposeB = (variant & 2) != 0;
        boolean added = (variant & 4) != 0;
        List<NamedTensor> operands = Products.operands(m, n, k, transposeA, transposeB);
        ModelProto model =
            Products.model(Target.CPU_WITH_OWN_KERNELS, type, transposeA, transposeB, added);
        float[] found = Products.run(model, 3, operands);
        assertEquals(m * n, found.length);
        for (int i = 0; i < m; i++) {
          for (int j = 0; j < n; j++) {
            double expected = added ? operands.get(2).floats().get(i * n + j) : 0;
            for (int l = 0; l < k; l++) {
              expected +=
                  value(type, operands.get(0), transposeA ? l * m + i : i * k + l)
                      * value(type, operands.get(1), transposeB ? j * k + l : l * n + j);
            }
            assertEquals(expected, found[i * n + j], 1e-5 * Math.sqrt(k + 1), type + ", row " + i);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void isTheSameToTheBitEachTime(ElementType type) {
    List<NamedTensor> operands = Products.operands(500, 300, 400, type == BFLOAT16, true);
    ModelProto model =
        Products.model(Target.CPU_WITH_OWN_KERNELS, type, type == BFLOAT16, true, false);
    for (int threads : new int[] {1, 3, 16}) {
      float[] first = Products.run(model, threads, operands);
      for (int i = 0; i < 2; i++) {
        assertArrayEquals(first, Products.run(model, threads, operands));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void whatIsNoNumberGoesOn(ElementType type) {
    List<NamedTensor> operands = Products.operands(60, 50, 40, false, false);
    float[] values = Outputs.copy(operands.get(0).floats());
    values[7 * 40 + 3] = Float.NaN;
    values[9 * 40 + 3] = Float.NEGATIVE_INFINITY;
    values[11 * 40 + 3] = Float.intBitsToFloat(0x7f800001); // Its upper half is that of infinity.
    List<NamedTensor> bad =
        List.of(NamedTensor.ofFloats("a", values, 60, 40), operands.get(1), operands.get(2));
    float[] found =
        Products.run(
            Products.model(Target.CPU_WITH_OWN_KERNELS, type, false, false, false), 2, bad);
    for (int i = 0; i < 60 * 50; i++) {
      int row = i / 50;
      assertEquals(row != 7 && row != 9 && row != 11, Float.isFinite(found[i]), "element " + i);
      assertEquals(row == 7 || row == 11, Float.isNaN(found[i]), "element " + i);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void onlyGraphsForSessionsThatHaveTheKernelAskForIt(ElementType type) {
    for (Target target : Target.values()) {
      boolean own =
          Products.model(target, type, false, false, false).getGraph().getNodeList().stream()
              .anyMatch(node -> node.getDomain().equals(Specification.OWN));
      assertEquals(target == Target.CPU_WITH_OWN_KERNELS, own, "" + target);
    }
    assertTrue(OwnKernels.problem().isEmpty(), () -> OwnKernels.problem().get());
  }

  /** A process that ends while two threads multiply. */
  static final class Ending {
    public static void main(String[] arguments) {
      int size = 3000;
      List<NamedTensor> operands = Products.operands(size, size, size, false, false);
      ModelProto model = Products.model(Target.CPU_WITH_OWN_KERNELS, FLOAT32, false, false, false);
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
