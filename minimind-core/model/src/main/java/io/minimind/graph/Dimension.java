package io.minimind.graph;

import java.util.ArrayList;
import java.util.List;

/**
 * One extent of a shape: a known number times symbols that get their value at run time, such as
 * {@code 16·batch·length}.
 *
 * @param factor the known factor, at least 0
 * @param symbols the names of the unknown factors, sorted; none if the known factor is 0
 */
public record Dimension(long factor, List<String> symbols) {

  public Dimension {
    if (factor < 0) {
      throw new IllegalArgumentException("A dimension cannot be negative, but is " + factor + ".");
    }
    symbols = factor == 0 ? List.of() : symbols.stream().sorted().toList();
  }

  public static Dimension of(long extent) {
    return new Dimension(extent, List.of());
  }

  public static Dimension symbol(String name) {
    return new Dimension(1, List.of(name));
  }

  public boolean isKnown() {
    return symbols.isEmpty();
  }

  /**
   * The extent of a known dimension.
   *
   * @throws IllegalStateException if it has symbols
   */
  public long extent() {
    if (!isKnown()) {
      throw new IllegalStateException("The dimension " + this + " has no known extent.");
    }
    return factor;
  }

  /**
   * The product of two dimensions.
   *
   * @throws ArithmeticException if its known factor is beyond a long
   */
  public Dimension times(Dimension other) {
    List<String> product = new ArrayList<>(symbols);
    product.addAll(other.symbols);
    return new Dimension(Math.multiplyExact(factor, other.factor), product);
  }

  @Override
  public String toString() {
    if (isKnown()) {
      return Long.toString(factor);
    }
    String product = String.join("·", symbols);
    return factor == 1 ? product : factor + "·" + product;
  }
}
