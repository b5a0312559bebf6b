package io.minimind.model;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.weights.BlockQuantization;
import java.util.List;
import java.util.function.Function;

/**
 * Matrices quantized by {@link BlockQuantization}. Linear layers that have the same input are one
 * product, because a step of decoding is so short that the start of each operator counts; ONNX
 * Runtime joins their weights once, when it loads the model.
 */
record QuantizedMatrices(Operators op, int bits) implements Matrices {

  @Override
  public Tensor plain(Parameter parameter) {
    return op.graph().parameter(parameter.name(), parameter.shape().extents());
  }

  @Override
  public Tensor rows(Parameter matrix, Tensor ids) {
    Tensor padded = op.quantizedGather(values(matrix), scales(matrix), ids, bits);
    long width = padded.shape().dimension(-1).extent();
    Tensor rows = op.reshape(padded, Shape.of(ids.shape().elements(), Dimension.of(width)));
    return width == matrix.in() ? rows : op.split(rows, matrix.in(), width - matrix.in()).get(0);
  }

  @Override
  public List<Tensor> products(Tensor x, List<Parameter> matrices) {
    Tensor values = joined(matrices, this::values);
    Tensor product = op.quantizedLinear(x, values, joined(matrices, this::scales), bits);
    long[] extents = matrices.stream().mapToLong(Parameter::out).toArray();
    return extents.length == 1 ? List.of(product) : op.split(product, extents);
  }

  private Tensor joined(List<Parameter> matrices, Function<Parameter, Tensor> part) {
    List<Tensor> parts = matrices.stream().map(part).toList();
    int rows = matrices.stream().mapToInt(Parameter::out).sum();
    return parts.size() == 1 ? parts.get(0) : op.concatenate(parts, 0, Dimension.of(rows));
  }

  private Tensor values(Parameter matrix) {
    long blocks = BlockQuantization.blocks(matrix.in());
    int bytes = new BlockQuantization(bits).blockBytes();
    String name = BlockQuantization.values(matrix.name());
    return op.graph().parameter(name, ElementType.UINT8, matrix.out(), blocks, bytes);
  }

  private Tensor scales(Parameter matrix) {
    String name = BlockQuantization.scales(matrix.name());
    return op.graph().parameter(name, matrix.out(), BlockQuantization.blocks(matrix.in()));
  }
}
