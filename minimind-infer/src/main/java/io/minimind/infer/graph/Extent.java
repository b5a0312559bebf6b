package io.minimind.infer.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** How long an axis is: a number times symbols that are known only when the graph runs. */
record Extent(long factor, List<String> symbols) {

  /** More than a tensor of any model has. */
  private static final long MOST = 1L << 48;

  static final Extent ONE = of(1);

  static Extent of(long extent) {
    return new Extent(extent, List.of());
  }

  static Extent symbol(String name) {
    return new Extent(1, List.of(name));
  }

  /** The product of extents, 1 of none. */
  static Extent product(List<Extent> extents) throws GraphException {
    Extent product = ONE;
    for (Extent extent : extents) {
      product = product.times(extent);
    }
    return product;
  }

  boolean isKnown() {
    return symbols.isEmpty();
  }

  boolean is(long extent) {
    return isKnown() && factor == extent;
  }

  Extent times(Extent other) throws GraphException {
    long high = Math.multiplyHigh(factor, other.factor);
    long product = factor * other.factor;
    if (high != 0 || product < 0 || product > MOST) {
      throw new GraphException("a tensor has more than " + MOST + " elements");
    }
    if (symbols.size() + other.symbols.size() > 8) {
      throw new GraphException("a tensor has more than 8 open axes");
    }
    return new Extent(product, together(symbols, other.symbols));
  }

  private static List<String> together(List<String> some, List<String> others) {
    if (some.isEmpty() || others.isEmpty()) {
      return some.isEmpty() ? others : some;
    }
    return Stream.concat(some.stream(), others.stream()).sorted().toList();
  }

  /** The quotient, or nothing if it is none. */
  Optional<Extent> dividedBy(Extent divisor) {
    List<String> rest = new ArrayList<>(symbols);
    for (String symbol : divisor.symbols) {
      if (!rest.remove(symbol)) {
        return Optional.empty();
      }
    }
    return divisor.factor == 0 || factor % divisor.factor != 0
        ? Optional.empty()
        : Optional.of(new Extent(factor / divisor.factor, List.copyOf(rest)));
  }

  /** The sum of two multiples of the same, or nothing. */
  Optional<Extent> plus(Extent other) {
    return symbols.equals(other.symbols)
        ? Optional.of(new Extent(factor + other.factor, symbols))
        : Optional.empty();
  }

  /** What a record has of its own is put together when it is first used, which takes long. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Extent extent
        && factor == extent.factor
        && symbols.equals(extent.symbols);
  }

  @Override
  public int hashCode() {
    return 31 * symbols.hashCode() + Long.hashCode(factor);
  }

  @Override
  public String toString() {
    String names = String.join("·", symbols);
    return isKnown() ? Long.toString(factor) : factor == 1 ? names : factor + "·" + names;
  }
}
