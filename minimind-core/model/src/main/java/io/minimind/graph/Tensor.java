package io.minimind.graph;

import java.util.Locale;

/**
 * A value in a graph.
 *
 * @param name unique in its graph
 * @param type the type of its elements
 * @param shape its extents, some of which may be symbolic
 */
public record Tensor(String name, ElementType type, Shape shape) {

  /** Stands for an optional operand that is left out. */
  public static final Tensor ABSENT = new Tensor("", ElementType.FLOAT32, Shape.SCALAR);

  public boolean isPresent() {
    return !name.isEmpty();
  }

  @Override
  public String toString() {
    return name + " " + type.name().toLowerCase(Locale.ROOT) + shape;
  }
}
