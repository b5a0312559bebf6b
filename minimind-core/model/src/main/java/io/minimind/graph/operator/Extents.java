package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.INT64;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Dimensions and shapes as int64 tensors, each computed once per graph. */
record Extents(Operators op) {

  /** A vector of constants. */
  Tensor integers(long... values) {
    return graph()
        .shared(
            Extents.class,
            LongStream.of(values).boxed().toList(),
            () -> graph().constant("integers", Shape.of(values.length), values));
  }

  /** A vector that holds a shape at run time, -1 for one extent that may be inferred. */
  Tensor shape(Shape shape, boolean inferOne) {
    List<Dimension> dimensions = shape.dimensions();
    List<Integer> unknown =
        IntStream.range(0, shape.rank()).filter(i -> !dimensions.get(i).isKnown()).boxed().toList();
    // A block of positions may be empty, and then nothing can be inferred.
    boolean never = dimensions.stream().anyMatch(dimension -> !isOfInputs(dimension));
    int inferred = inferOne && !never && !unknown.isEmpty() ? unknown.get(unknown.size() - 1) : -1;
    return graph()
        .shared(
            Extents.class,
            List.of(shape, inferred),
            () -> {
              if (unknown.size() <= (inferred < 0 ? 0 : 1)) {
                long[] extents = new long[shape.rank()];
                Arrays.setAll(extents, i -> i == inferred ? -1 : dimensions.get(i).extent());
                return graph().constant("shape", Shape.of(extents.length), extents);
              }
              Tensor[] extents = new Tensor[shape.rank()];
              Arrays.setAll(extents, i -> i == inferred ? integers(-1) : extent(dimensions.get(i)));
              return op.concatenate(List.of(extents), 0, Dimension.of(extents.length));
            });
  }

  /** The value of a dimension, [1]. */
  Tensor extent(Dimension dimension) {
    Tensor product = null;
    if (dimension.factor() != 1 || dimension.isKnown()) {
      product = integers(dimension.factor());
    }
    for (String symbol : dimension.symbols()) {
      Tensor extent = symbolExtent(Dimension.symbol(symbol));
      product = product == null ? extent : op.multiply(product, extent);
    }
    return product;
  }

  /** A dimension that has its value from a tensor. */
  Dimension dimension(String name, Tensor extent) {
    if (extent.type() != INT64 || !extent.shape().equals(Shape.of(1))) {
      throw new IllegalArgumentException(
          "A dimension expects its extent as int64[1], got " + extent + ".");
    }
    Dimension symbol = Dimension.symbol(name);
    if (!graph().shared(Dimension.class, symbol, () -> extent).equals(extent)) {
      throw new IllegalArgumentException("The graph already has the dimension " + name + ".");
    }
    return symbol;
  }

  private boolean isOfInputs(Dimension dimension) {
    return dimension.symbols().stream()
        .map(Dimension::symbol)
        .allMatch(
            symbol ->
                graph().inputs().stream()
                    .flatMap(input -> input.shape().dimensions().stream())
                    .anyMatch(of -> of.symbols().equals(symbol.symbols())));
  }

  private Tensor symbolExtent(Dimension symbol) {
    return graph()
        .shared(
            Dimension.class,
            symbol,
            () -> {
              for (Tensor input : graph().inputs()) {
                for (int axis = 0; axis < input.shape().rank(); axis++) {
                  Dimension found = input.shape().dimension(axis);
                  if (found.symbols().equals(symbol.symbols())) {
                    Tensor extent = graph().add(new Extent(axis), input).output(0);
                    return found.factor() == 1
                        ? extent
                        : op.divide(extent, op.integers(found.factor()));
                  }
                }
              }
              throw new IllegalArgumentException(
                  "No graph input has the dimension " + symbol + ".");
            });
  }

  private Graph graph() {
    return op.graph();
  }
}
