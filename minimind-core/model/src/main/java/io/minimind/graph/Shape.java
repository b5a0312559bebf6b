package io.minimind.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The shape of a tensor; a scalar has none.
 *
 * @param dimensions outermost first
 */
public record Shape(List<Dimension> dimensions) {

  public static final Shape SCALAR = new Shape(List.of());

  public Shape {
    dimensions = List.copyOf(dimensions);
  }

  public static Shape of(long... extents) {
    return new Shape(Arrays.stream(extents).mapToObj(Dimension::of).toList());
  }

  public static Shape of(Dimension... dimensions) {
    return new Shape(List.of(dimensions));
  }

  public int rank() {
    return dimensions.size();
  }

  /** The dimension of an axis; negative axes count from the end. */
  public Dimension dimension(int axis) {
    return dimensions.get(axis < 0 ? axis + rank() : axis);
  }

  /** The product of all dimensions. */
  public Dimension elements() {
    return dimensions.stream().reduce(Dimension.of(1), Dimension::times);
  }

  public boolean isKnown() {
    return dimensions.stream().allMatch(Dimension::isKnown);
  }

  /**
   * The extents of a known shape.
   *
   * @throws IllegalStateException if a dimension is symbolic
   */
  public long[] extents() {
    return dimensions.stream().mapToLong(Dimension::extent).toArray();
  }

  /** This shape with one axis replaced; negative axes count from the end. */
  public Shape with(int axis, Dimension dimension) {
    List<Dimension> changed = new ArrayList<>(dimensions);
    changed.set(axis < 0 ? axis + rank() : axis, dimension);
    return new Shape(changed);
  }

  /**
   * The shape of the elementwise combination of two tensors: aligned at the last axis, an extent of
   * 1 is repeated to the extent of the other; empty if two extents are neither equal nor 1.
   */
  public Optional<Shape> broadcast(Shape other) {
    if (rank() < other.rank()) {
      return other.broadcast(this);
    }
    Dimension one = Dimension.of(1);
    List<Dimension> result = new ArrayList<>(dimensions);
    int added = rank() - other.rank();
    for (int axis = added; axis < rank(); axis++) {
      Dimension mine = dimensions.get(axis);
      Dimension theirs = other.dimensions.get(axis - added);
      if (mine.equals(one)) {
        result.set(axis, theirs);
      } else if (!theirs.equals(one) && !theirs.equals(mine)) {
        return Optional.empty();
      }
    }
    return Optional.of(new Shape(result));
  }

  public Shape permuted(int... permutation) {
    return new Shape(Arrays.stream(permutation).mapToObj(dimensions::get).toList());
  }

  @Override
  public String toString() {
    return dimensions.stream().map(Dimension::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
