package io.minimind.runtime;

import io.minimind.runtime.KernelCall.Operand;
import org.bytedeco.javacpp.Pointer;

/** Multiplies numbers where they lie, if that changes them. */
final class ScaleInPlaceKernel {

  private static final int PIECE = 1 << 14;

  private ScaleInPlaceKernel() {}

  /** Of numbers and a factor; gives a flag, and where the numbers lie. */
  static void compute(KernelCall call) {
    Operand numbers = call.input(0);
    float factor = NativeFloats.get(call.input(1).address());
    Pointer.memset(new KernelDomain.Handle(call.output(0, 1).address()), 1, 1);
    NativeFloats.putInteger(call.output(1, 1).address(), numbers.address());
    if (factor == 1) {
      return;
    }
    long elements = numbers.elements();
    call.parallel(
        (int) ((elements + PIECE - 1) / PIECE),
        0,
        (task, memory) -> {
          long from = (long) task * PIECE;
          int count = (int) Math.min(PIECE, elements - from);
          long address = numbers.address() + Float.BYTES * from;
          float[] piece = HeapFloats.scratch(0, PIECE);
          HeapFloats.read(address, piece, count);
          HeapFloats.multiply(piece, count, factor);
          HeapFloats.write(piece, address, count);
        });
  }
}
