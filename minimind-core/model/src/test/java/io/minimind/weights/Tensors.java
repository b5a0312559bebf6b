package io.minimind.weights;

import io.minimind.graph.ElementType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Tensors to test with. */
final class Tensors {

  private Tensors() {}

  /** A tensor of random bytes. */
  static NamedTensor random(String name, ElementType type, long seed, long... shape) {
    int bytes = type.bytes();
    for (long extent : shape) {
      bytes *= (int) extent;
    }
    byte[] data = new byte[bytes];
    new Random(seed).nextBytes(data);
    if (type == ElementType.BOOL) {
      for (int i = 0; i < data.length; i++) {
        data[i] &= 1;
      }
    }
    return new NamedTensor(name, type, shape, ByteBuffer.wrap(data));
  }

  /** Tensors with unique names of any type and shape, scalars and empty ones too. */
  static Arbitrary<List<NamedTensor>> lists(Arbitrary<String> names) {
    Arbitrary<long[]> shapes = Arbitraries.longs().between(0, 4).array(long[].class).ofMaxSize(4);
    return Combinators.combine(
            names, Arbitraries.of(ElementType.ofFiles()), Arbitraries.longs(), shapes)
        .as(Tensors::random)
        .list()
        .uniqueElements(NamedTensor::name)
        .ofMaxSize(6);
  }

  /** Any text that UTF-8 can spell. */
  static Arbitrary<String> texts() {
    return Arbitraries.strings()
        .withCharRange('\0', '\u00ff')
        .withChars("模型权重\uffff")
        .ofMaxLength(12);
  }

  /** Touches every byte, so that a view that leaves its file is noticed. */
  static void readAll(NamedTensor tensor) {
    tensor.data().get(new byte[tensor.data().remaining()]);
  }

  /** Other values in the same names, types and shapes. */
  static List<NamedTensor> alike(List<NamedTensor> tensors, long seed) {
    List<NamedTensor> alike = new ArrayList<>();
    for (NamedTensor tensor : tensors) {
      alike.add(random(tensor.name(), tensor.type(), seed + alike.size(), tensor.shape()));
    }
    return alike;
  }
}
