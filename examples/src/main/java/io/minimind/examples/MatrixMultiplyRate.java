package io.minimind.examples;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** The rate at which ONNX Runtime multiplies large float32 matrices on this machine. */
final class MatrixMultiplyRate {

  private static final int SIZE = 2048;
  private static final int REPETITIONS = 30;

  private MatrixMultiplyRate() {}

  /** The best of several products, in floating point operations per second. */
  static double measure(int threads) {
    Operators op = new Operators(new Graph("product"));
    Tensor a = op.graph().input("a", ElementType.FLOAT32, Shape.of(SIZE, SIZE));
    Tensor b = op.graph().input("b", ElementType.FLOAT32, Shape.of(SIZE, SIZE));
    op.graph().output("product", op.product(a, false, b, false));
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        OnnxTensor matrix = OnnxTensor.createTensor(environment, values(), extents());
        OnnxTensor product = OnnxTensor.createTensor(environment, values(), extents())) {
      options.setIntraOpNumThreads(threads);
      try (OrtSession session =
          environment.createSession(op.graph().toModel().toByteArray(), options)) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < REPETITIONS; i++) {
          long start = System.nanoTime();
          session.run(Map.of("a", matrix, "b", matrix), Map.of("product", product)).close();
          best = Math.min(best, System.nanoTime() - start);
        }
        return 2.0 * SIZE * SIZE * SIZE / (best / 1e9);
      }
    } catch (OrtException e) {
      throw new IllegalStateException("A matrix product failed to compute.", e);
    }
  }

  private static long[] extents() {
    return new long[] {SIZE, SIZE};
  }

  private static FloatBuffer values() {
    FloatBuffer values =
        ByteBuffer.allocateDirect(SIZE * SIZE * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int i = 0; i < values.capacity(); i++) {
      values.put(i, i % 7 - 3);
    }
    return values;
  }
}
