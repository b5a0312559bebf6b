package io.minimind.weights;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Reads quantized weights as the definition in {@link BlockQuantization} says. */
public final class Blocks {

  private Blocks() {}

  /** The float32 weights that stored ones stand for, each of the shape of its original. */
  public static List<NamedTensor> dequantize(
      List<NamedTensor> originals, List<NamedTensor> stored, int bits) {
    var byName = stored.stream().collect(Collectors.toMap(NamedTensor::name, tensor -> tensor));
    List<NamedTensor> weights = new ArrayList<>();
    for (NamedTensor original : originals) {
      NamedTensor values = byName.get(original.name() + ".values");
      weights.add(
          values == null
              ? byName.get(original.name())
              : dequantize(original, values, byName.get(original.name() + ".scales"), bits));
    }
    return weights;
  }

  private static NamedTensor dequantize(
      NamedTensor original, NamedTensor values, NamedTensor scales, int bits) {
    int width = (int) original.shape()[1];
    int blocks = (width + 31) / 32;
    ByteBuffer packed = values.data();
    FloatBuffer scale = scales.floats();
    float[] weights = new float[(int) original.elements()];
    for (int i = 0; i < weights.length; i++) {
      int block = i / width * blocks + i % width / 32;
      int place = block * 32 + i % width % 32;
      int value =
          bits == 8
              ? packed.get(place) & 0xff
              : (packed.get(place / 2) >> (place % 2 == 0 ? 0 : 4)) & 0xf;
      weights[i] = (value - (1 << (bits - 1))) * scale.get(block);
    }
    return NamedTensor.ofFloats(original.name(), weights, original.shape());
  }
}
