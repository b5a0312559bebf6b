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

  /** Random bytes as values; BOOL gets zeros and ones. */
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

  /** Lists of tensors with unique names of any type and shape: scalars and empty ones too. */
  static Arbitrary<List<NamedTensor>> lists() {
    Arbitrary<String> names = Arbitraries.strings().excludeChars(surrogates()).ofMaxLength(12);
    Arbitrary<long[]> shapes = Arbitraries.longs().between(0, 4).array(long[].class).ofMaxSize(4);
    return Combinators.combine(
            names, Arbitraries.of(ElementType.class), Arbitraries.longs(), shapes)
        .as(Tensors::random)
        .list()
        .uniqueElements(NamedTensor::name)
        .ofMaxSize(6);
  }

  private static char[] surrogates() {
    char[] surrogates = new char[Character.MAX_SURROGATE - Character.MIN_SURROGATE + 1];
    for (int i = 0; i < surrogates.length; i++) {
      surrogates[i] = (char) (Character.MIN_SURROGATE + i);
    }
    return surrogates;
  }

  /** A tensor of its own for each of the given ones, with the same name and shape. */
  static List<NamedTensor> alike(List<NamedTensor> tensors, long seed) {
    List<NamedTensor> alike = new ArrayList<>();
    for (NamedTensor tensor : tensors) {
      alike.add(random(tensor.name(), tensor.type(), seed++, tensor.shape()));
    }
    return alike;
  }
}
