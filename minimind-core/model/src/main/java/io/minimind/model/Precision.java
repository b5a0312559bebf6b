package io.minimind.model;

import io.minimind.graph.ElementType;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.BlockQuantization;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** How a decoder keeps its matrices; norm weights are float32 always. */
public enum Precision {
  FLOAT32(32),
  /** 8 bits a weight and one float32 scale for 32 of them: 9 bits together. */
  INT8(8),
  /** 4 bits a weight and one float32 scale for 32 of them: 5 bits together. */
  INT4(4);

  private final int bits;

  Precision(int bits) {
    this.bits = bits;
  }

  /** Bits of a weight, scales not counted. */
  public int bits() {
    return bits;
  }

  public boolean isQuantized() {
    return this != FLOAT32;
  }

  /**
   * The tensors that a decoder of this precision has in the place of float32 weights.
   *
   * @param config whose weights they are
   * @throws IllegalArgumentException if a weight is infinite or not a number
   */
  public List<NamedTensor> store(ModelConfig config, List<NamedTensor> weights) {
    Set<String> quantized = quantized(config);
    BlockQuantization blocks = new BlockQuantization(isQuantized() ? bits : 8);
    return weights.stream()
        .flatMap(
            weight ->
                quantized.contains(weight.name())
                    ? blocks.quantize(weight).stream()
                    : Stream.of(weight))
        .toList();
  }

  /**
   * The same for weights that are read piece by piece, and quantized when they are written.
   *
   * @throws IllegalArgumentException if a matrix is too large to be quantized
   */
  public List<SafetensorsFile.Part> parts(ModelConfig config, List<StreamedTensor> weights) {
    Set<String> quantized = quantized(config);
    BlockQuantization blocks = new BlockQuantization(isQuantized() ? bits : 8);
    return weights.stream()
        .flatMap(
            weight ->
                quantized.contains(weight.name())
                    ? blocks.quantize(weight).stream()
                    : Stream.of(SafetensorsFile.Part.of(weight)))
        .toList();
  }

  private Set<String> quantized(ModelConfig config) {
    return new Parameters(config)
        .all().stream()
            .filter(parameter -> isQuantized() && parameter.role().isQuantizable())
            .map(Parameter::name)
            .collect(Collectors.toSet());
  }

  Matrices matrices(Operators op) {
    return isQuantized()
        ? new QuantizedMatrices(op, bits)
        : FloatMatrices.trained(op, ElementType.FLOAT32);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
