package io.minimind.runtime;

import io.minimind.runtime.KernelCall.Operand;
import java.util.Arrays;

/**
 * The gradients of root mean square normalisation. With {@code n = x / deviation} and {@code g = dy
 * · weight}: {@code dx = (g - n · mean(g · n)) / deviation}, {@code dweight = sum(dy · n)}.
 *
 * <p>A task takes some rows; how many follows from their width alone. What it adds to the weight's
 * gradient is added up in the order of the tasks.
 */
final class RmsNormKernel {

  /** Numbers of the rows of a task. */
  private static final int PIECE = 1 << 14;

  private RmsNormKernel() {}

  /** From the output's gradient, x, weight, and {@code 1 / deviation}: those of x and weight. */
  static void backward(KernelCall call) {
    Operand dy = call.input(0);
    Operand x = call.input(1);
    Operand weight = call.input(2);
    Operand inverse = call.input(3);
    Operand dx = call.output(0, x.shape());
    Operand dWeight = call.output(1, weight.shape());
    int width = (int) weight.elements();
    long rows = inverse.elements();
    long each = Math.max(1, PIECE / Math.max(1, width));
    int tasks = (int) ((rows + each - 1) / each);
    long bytes = (long) Float.BYTES * width;
    call.withMemory(
        tasks * bytes,
        sums -> {
          call.parallel(
              tasks,
              0,
              (task, memory) -> {
                float[] weights = HeapFloats.scratch(0, width);
                HeapFloats.read(weight.address(), weights, width);
                float[] sum = HeapFloats.scratch(1, width);
                Arrays.fill(sum, 0, width, 0);
                float[] dRow = HeapFloats.scratch(2, width);
                float[] row = HeapFloats.scratch(3, width);
                float[] products = HeapFloats.scratch(4, width);
                for (long r = task * each; r < Math.min(rows, (task + 1) * each); r++) {
                  HeapFloats.read(dy.address() + r * bytes, dRow, width);
                  HeapFloats.read(x.address() + r * bytes, row, width);
                  float factor = NativeFloats.get(inverse.address() + Float.BYTES * r);
                  product(dRow, weights, row, products, width);
                  float along = HeapFloats.sum(products, width) * factor * factor / width;
                  row(dRow, weights, row, sum, width, factor, along);
                  HeapFloats.write(dRow, dx.address() + r * bytes, width);
                }
                HeapFloats.write(sum, sums + task * bytes, width);
              });
          float[] total = HeapFloats.scratch(0, width);
          Arrays.fill(total, 0, width, 0);
          float[] some = HeapFloats.scratch(1, width);
          for (int task = 0; task < tasks; task++) {
            HeapFloats.read(sums + task * bytes, some, width);
            HeapFloats.add(total, some, width);
          }
          HeapFloats.write(total, dWeight.address(), width);
        });
  }

  /** {@code to = a · b · c}, number by number. */
  private static void product(float[] a, float[] b, float[] c, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] = a[i] * b[i] * c[i];
    }
  }

  /** Puts dx in the place of dy, and adds to the weight's gradient. */
  private static void row(
      float[] dy, float[] weight, float[] x, float[] sum, int count, float factor, float along) {
    for (int i = 0; i < count; i++) {
      sum[i] += dy[i] * (x[i] * factor);
    }
    for (int i = 0; i < count; i++) {
      dy[i] = (dy[i] * weight[i] - x[i] * along) * factor;
    }
  }
}
