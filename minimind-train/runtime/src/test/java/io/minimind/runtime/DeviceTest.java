package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.model.TrainingPrecision;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTest {

  @Test
  void aListNamesEachReplicasDevice() {
    Device gpu0 = new Device(Device.Kind.CUDA, 0);
    Device gpu3 = new Device(Device.Kind.CUDA, 3);
    assertEquals(List.of(Device.CPU), Device.parse("cpu"));
    assertEquals(List.of(Device.CPU, Device.CPU), Device.parse("cpu:2"));
    assertEquals(List.of(gpu0), Device.parse("cuda"));
    assertEquals(List.of(gpu0, gpu3), Device.parse("cuda:0, CUDA:3"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "gpu",
        "cpu:0",
        "cpu:65",
        "cpu:40,cpu:40",
        "cuda:-1",
        "cuda:0,",
        "cuda,cuda:0"
      })
  void anythingElseIsRefused(String list) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Device.parse(list)).getMessage();
    assertTrue(message.contains("'" + list + "'") && message.contains("cuda:0,cuda:1"), message);
  }

  @Test
  void whatIsEmulatedIsSaid() {
    Device plain = Device.CPU.withKernels(KernelSet.ONNX_RUNTIME);
    String inFloat32 = plain.kernels(TrainingPrecision.FLOAT32);
    assertEquals(
        inFloat32 + "; bf16 is emulated, with every result rounded, and slower than float32",
        plain.kernels(TrainingPrecision.BFLOAT16));
    assertEquals(TrainingPrecision.FLOAT32, plain.fastestPrecision());
    String own = Device.CPU.kernels(TrainingPrecision.BFLOAT16);
    boolean fast = Device.CPU.fastestPrecision() == TrainingPrecision.BFLOAT16;
    assertEquals(fast, own.endsWith("; products in bf16 with the processor's instructions for it"));
    assertEquals(!fast, own.contains("; bf16 is emulated and no faster than float32: "), own);
    assertTrue(Device.CPU.kernels(TrainingPrecision.FLOAT16).endsWith("and slower than float32"));
  }
}
