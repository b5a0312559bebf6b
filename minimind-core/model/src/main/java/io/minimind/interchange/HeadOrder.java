package io.minimind.interchange;

import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import java.util.function.LongUnaryOperator;

/**
 * In which order the channels of a head stand: the two that are turned together beside each other,
 * or in the same place of both halves.
 */
final class HeadOrder {

  private HeadOrder() {}

  /**
   * Which row of a parameter in one layout stands where in the layout of a model. Only rows of
   * queries and keys have another place.
   *
   * @param from the layout of the rows that there are
   */
  static LongUnaryOperator of(Parameter parameter, ModelConfig model, RotaryLayout from) {
    return of(parameter, model.headSize(), from, model.rotary().layout());
  }

  static LongUnaryOperator of(Parameter parameter, int head, RotaryLayout from, RotaryLayout to) {
    boolean ofHeads =
        switch (parameter.role()) {
          case QUERY, KEY, QUERY_BIAS, KEY_BIAS, QUERY_NORM, KEY_NORM -> true;
          default -> false;
        };
    if (!ofHeads || from == to) {
      return row -> row;
    }
    return to == RotaryLayout.HALVES
        ? row -> row / head * head + halves(row % head, head)
        : row -> row / head * head + neighbours(row % head, head);
  }

  /** Which channel of neighbours is one of halves. */
  private static long halves(long channel, int head) {
    return channel < head / 2 ? 2 * channel : 2 * (channel - head / 2) + 1;
  }

  private static long neighbours(long channel, int head) {
    return channel / 2 + channel % 2 * (head / 2);
  }
}
