package io.minimind.runtime;

import io.minimind.graph.operator.FusedCrossEntropy;
import io.minimind.runtime.KernelCall.Operand;
import io.minimind.runtime.OneDnn.Matrix;
import java.util.Arrays;

/**
 * Cross entropy of rows of logits, and its gradient. A task takes some rows, a block of them at a
 * time; which these are follows from the number of rows alone.
 */
final class CrossEntropyKernel {

  /** Rows of a task. */
  private static final int TASK = 32;

  /** Rows whose exponentials are computed together. */
  private static final int BLOCK = 8;

  private final long ignored;

  CrossEntropyKernel(KernelNode node) {
    ignored = node.integer(FusedCrossEntropy.IGNORED);
  }

  /** From logits and labels: losses, and logarithms of sums of exponentials. */
  void forward(KernelCall call) {
    Operand logits = call.input(0);
    Operand labels = call.input(1);
    Operand losses = call.output(0, labels.shape());
    Operand sums = call.output(1, labels.shape());
    int classes = (int) logits.extent(1);
    inTasks(
        call,
        logits,
        (dnn, from, to, memory) -> {
          long block = memory + Float.BYTES * (classes + 2L * BLOCK);
          NativeFloats.fill(memory, classes, 1);
          for (long start = from; start < to; start += BLOCK) {
            int rows = (int) Math.min(BLOCK, to - start);
            logarithms(
                dnn,
                new Matrix(logits.address(), classes).from(start),
                rows,
                memory,
                block,
                sums.address() + Float.BYTES * start);
          }
          for (long row = from; row < to; row++) {
            long label = label(labels, row, classes);
            float loss =
                NativeFloats.get(sums.address() + Float.BYTES * row)
                    - NativeFloats.get(
                        logits.address()
                            + Float.BYTES * (row * classes + (label == ignored ? 0 : label)));
            NativeFloats.put(losses.address() + Float.BYTES * row, label == ignored ? 0 : loss);
          }
        });
  }

  /** Takes exponentials of logits as they are, and once more of the rows where that was wrong. */
  private static void logarithms(
      OneDnn dnn, Matrix logits, int rows, long ones, long block, long results) {
    long classes = logits.stride();
    Matrix one = new Matrix(ones, 1);
    Matrix sums = new Matrix(ones + Float.BYTES * classes, 1);
    Matrix plainSums = sums.from(BLOCK);
    NativeFloats.move(logits.address(), block, rows * classes);
    dnn.exponential(block, rows * classes);
    dnn.product(rows, 1, classes, 1, new Matrix(block, classes), one, 0, sums);
    // oneDNN's exponential of what is not a number is one, but these sums show it.
    dnn.product(rows, 1, classes, 1, logits, one, 0, plainSums);
    for (int i = 0; i < rows; i++) {
      float sum = NativeFloats.get(sums.from(i).address());
      boolean right =
          OneDnn.isInRange(sum) && Float.isFinite(NativeFloats.get(plainSums.from(i).address()));
      float logarithm =
          right
              ? (float) Math.log(sum)
              : shiftedLogarithm(dnn, logits.from(i).address(), (int) classes, block);
      NativeFloats.put(results + Float.BYTES * i, logarithm);
    }
  }

  /** The same of one row, of which the largest logit is taken before. */
  private static float shiftedLogarithm(OneDnn dnn, long row, int classes, long memory) {
    float[] numbers = HeapFloats.scratch(0, classes);
    HeapFloats.read(row, numbers, classes);
    float largest = HeapFloats.largest(numbers, classes);
    if (!Float.isFinite(largest)) {
      return Float.NaN;
    }
    HeapFloats.add(numbers, classes, -largest);
    HeapFloats.write(numbers, memory, classes);
    dnn.exponential(memory, classes);
    HeapFloats.read(memory, numbers, classes);
    return (float) (largest + Math.log(HeapFloats.sum(numbers, classes)));
  }

  /** From the losses' gradients, logits, labels and sums: the logits' gradient. */
  void backward(KernelCall call) {
    Operand dLosses = call.input(0);
    Operand logits = call.input(1);
    Operand labels = call.input(2);
    Operand sums = call.input(3);
    Operand dLogits = call.output(0, logits.shape());
    int classes = (int) logits.extent(1);
    long bytes = (long) Float.BYTES * classes;
    inTasks(
        call,
        logits,
        (dnn, from, to, memory) -> {
          float[] numbers = HeapFloats.scratch(0, classes);
          for (long start = from; start < to; start += BLOCK) {
            int rows = (int) Math.min(BLOCK, to - start);
            for (int i = 0; i < rows; i++) {
              long row = start + i;
              HeapFloats.read(logits.address() + row * bytes, numbers, classes);
              float logarithm = NativeFloats.get(sums.address() + Float.BYTES * row);
              HeapFloats.add(numbers, classes, -logarithm);
              HeapFloats.write(numbers, memory + i * bytes, classes);
            }
            dnn.exponential(memory, (long) rows * classes);
            for (int i = 0; i < rows; i++) {
              long row = start + i;
              long label = label(labels, row, classes);
              if (label == ignored) {
                Arrays.fill(numbers, 0, classes, 0);
              } else {
                HeapFloats.read(memory + i * bytes, numbers, classes);
                numbers[(int) label] -= 1;
                float factor = NativeFloats.get(dLosses.address() + Float.BYTES * row);
                // The logarithm is no number where one of the logits is none.
                float logarithm = NativeFloats.get(sums.address() + Float.BYTES * row);
                HeapFloats.multiply(numbers, classes, logarithm - logarithm + factor);
              }
              HeapFloats.write(numbers, dLogits.address() + row * bytes, classes);
            }
          }
        });
  }

  @FunctionalInterface
  private interface Rows {
    /**
     * @param memory for one row, two numbers for each row of a block, and a block, in this order
     */
    void compute(OneDnn dnn, long from, long to, long memory);
  }

  private static void inTasks(KernelCall call, Operand logits, Rows compute) {
    long rows = logits.extent(0);
    call.parallel(
        (int) ((rows + TASK - 1) / TASK),
        Float.BYTES * ((BLOCK + 1) * logits.extent(1) + 2 * BLOCK + OneDnn.SLACK),
        (task, memory) -> {
          long from = (long) task * TASK;
          try (OneDnn dnn = OneDnn.take()) {
            compute.compute(dnn, from, Math.min(rows, from + TASK), memory);
          }
        });
  }

  private long label(Operand labels, long row, int classes) {
    long label = NativeFloats.integer(labels.address() + Long.BYTES * row);
    if (label != ignored && (label < 0 || label >= classes)) {
      throw new IllegalArgumentException(
          "Row %d has the label %d, but labels are 0 to %d.".formatted(row, label, classes - 1));
    }
    return label;
  }
}
