package io.minimind.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class NamedTensorTest {

  @Test
  void floatsAreLittleEndian() {
    NamedTensor tensor = NamedTensor.ofFloats("w", new float[] {1, -2, 3.5f, 0, 5, 6}, 2, 3);

    assertEquals(6, tensor.elements());
    assertEquals(24, tensor.data().remaining());
    assertEquals(3.5f, tensor.data().order(ByteOrder.LITTLE_ENDIAN).getFloat(8));
    assertEquals(FloatBuffer.wrap(new float[] {1, -2, 3.5f, 0, 5, 6}), tensor.floats());
    assertEquals("w float32[2, 3]", tensor.toString());
  }

  @Test
  void viewsOnlyWhatRemainsOfABuffer() {
    ByteBuffer buffer = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(4, 7).position(4).limit(8);

    NamedTensor tensor = new NamedTensor("i", ElementType.INT32, new long[0], buffer);

    assertEquals(1, tensor.elements());
    assertEquals(7, tensor.data().getInt());
    assertEquals(4, buffer.position());
  }

  @Test
  void cannotBeChangedThroughWhatItGives() {
    long[] shape = {1};
    NamedTensor tensor = NamedTensor.ofFloats("w", new float[] {1}, shape);
    shape[0] = 9;
    tensor.shape()[0] = 9;
    tensor.data().position(4);

    assertArrayEquals(new long[] {1}, tensor.shape());
    assertEquals(4, tensor.data().remaining());
    assertTrue(tensor.data().isReadOnly());
  }

  @Test
  void equalityIsThatOfBits() {
    NamedTensor nan = NamedTensor.ofFloats("w", new float[] {Float.NaN}, 1);

    assertEquals(nan, NamedTensor.ofFloats("w", new float[] {Float.NaN}, 1));
    assertEquals(nan.hashCode(), NamedTensor.ofFloats("w", new float[] {Float.NaN}, 1).hashCode());
    assertNotEquals(
        NamedTensor.ofFloats("w", new float[] {0}, 1),
        NamedTensor.ofFloats("w", new float[] {-0f}, 1));
    assertNotEquals(nan, NamedTensor.ofFloats("v", new float[] {Float.NaN}, 1));
    assertNotEquals(nan, NamedTensor.ofFloats("w", new float[] {Float.NaN}, 1, 1));
    assertNotEquals(nan, new NamedTensor("w", ElementType.INT32, nan.shape(), nan.data()));
  }

  @Test
  void refusesDataThatDoesNotFitTheShape() {
    assertRefused("needs 24 bytes but has 20", 2, 3);
    assertRefused("negative", 5, -1, -1);
    assertRefused("larger than any file", Long.MAX_VALUE, 2);
    assertThrows(
        IllegalStateException.class, () -> Tensors.random("i", ElementType.INT32, 0, 1).floats());
  }

  private static void assertRefused(String reason, long... shape) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> NamedTensor.ofFloats("some.weight", new float[5], shape))
            .getMessage();
    assertTrue(message.contains("some.weight float32[") && message.contains(reason), message);
  }
}
