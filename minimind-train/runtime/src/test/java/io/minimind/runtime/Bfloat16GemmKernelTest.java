package io.minimind.runtime;

import static io.minimind.graph.ElementType.BFLOAT16;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.JavaProcess;
import io.minimind.graph.Target;
import io.minimind.model.TrainingPrecision;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What is only so of products of bf16, by instructions or emulated. */
class Bfloat16GemmKernelTest {

  @Test
  void graphsForSessionsWithoutTheKernelRoundResults() {
    float[] found =
        Products.run(
            Products.model(Target.CPU, BFLOAT16, false, false, false),
            1,
            Products.operands(9, 8, 7, false, false));
    for (float value : found) {
      assertEquals(0, Float.floatToRawIntBits(value) & 0xffff);
    }
  }

  /** Says what products of bf16 are computed with. */
  static final class Said {
    public static void main(String[] arguments) {
      System.out.println(Device.CPU.kernels(TrainingPrecision.BFLOAT16));
      System.out.println(Device.CPU.fastestPrecision());
    }
  }

  @Test
  void aLimitOfInstructionsIsHeededAndSaid() throws Exception {
    JavaProcess.Result result =
        JavaProcess.of(Said.class).where(Map.of("ONEDNN_MAX_CPU_ISA", "SSE41")).run();
    String said = result.output();
    assertEquals(0, result.status(), said);
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
