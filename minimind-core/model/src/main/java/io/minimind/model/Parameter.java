package io.minimind.model;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Shape;
import io.minimind.weights.NamedTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/**
 * A parameter of a model as {@link Parameters} declares it.
 *
 * @param module its name here without {@code .weight} or {@code .bias}
 * @param layer from 0; {@link #NONE} if it is outside the layers
 * @param expert from 0; {@link #NONE} if it is not of an expert to choose from
 * @param shape [width], or [out, in]
 * @param initial what its start values are drawn from
 */
public record Parameter(
    String module, Role role, int layer, int expert, Shape shape, InitialLaw initial) {

  public static final int NONE = -1;

  /** The name in graphs and in the files of this project. */
  public String name() {
    return name(module, role);
  }

  /** The same of a model that stands beside the one that learns. */
  public Parameter of(String model) {
    return new Parameter(model + "." + module, role, layer, expert, shape, initial);
  }

  static String name(String module, Role role) {
    return module + (role.isBias() ? ".bias" : ".weight");
  }

  /** Rows of a matrix. */
  int out() {
    return Math.toIntExact(shape.dimension(0).extent());
  }

  /** Columns of a matrix. */
  int in() {
    return Math.toIntExact(shape.dimension(1).extent());
  }

  /** The number of its elements, which may be more than a long holds. */
  double elements() {
    return shape.dimensions().stream().mapToDouble(Dimension::extent).reduce(1, (a, b) -> a * b);
  }

  /**
   * Start values; the same seed gives the same ones on every machine, whatever other parameters
   * there are.
   */
  public NamedTensor start(long seed) {
    int bytes = Math.toIntExact(Math.multiplyExact(shape.elements().extent(), Float.BYTES));
    ByteBuffer values = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    Random random = new Random(31 * seed + name().hashCode());
    while (values.hasRemaining()) {
      values.putFloat((float) initial.next(random));
    }
    return new NamedTensor(name(), ElementType.FLOAT32, shape.extents(), values.flip());
  }
}
