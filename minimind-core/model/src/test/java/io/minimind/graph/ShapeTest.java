package io.minimind.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ShapeTest {

  /** Primes that no known factor contains: a product then tells what it was made of. */
  private static final Map<String, Long> VALUES = Map.of("a", 101L, "b", 103L, "c", 107L);

  @Provide
  Arbitrary<Dimension> dimensions() {
    return Combinators.combine(
            Arbitraries.longs().between(0, 20), Arbitraries.of(VALUES.keySet()).list().ofMaxSize(3))
        .as(Dimension::new);
  }

  @Provide
  Arbitrary<Shape> shapes() {
    Arbitrary<Dimension> few =
        Arbitraries.of(
            Dimension.of(1), Dimension.of(2), Dimension.of(3), Dimension.symbol("batch"));
    return few.list().ofMaxSize(4).map(Shape::new);
  }

  private static long value(Dimension dimension) {
    return dimension.symbols().stream()
        .mapToLong(VALUES::get)
        .reduce(dimension.factor(), Math::multiplyExact);
  }

  @Property
  void aProductOfDimensionsHasTheProductOfTheirValues(
      @ForAll("dimensions") Dimension x, @ForAll("dimensions") Dimension y) {
    assertEquals(value(x) * value(y), value(x.times(y)));
  }

  @Property
  void dimensionsAreEqualWhenTheirValuesAre(
      @ForAll("dimensions") Dimension x, @ForAll("dimensions") Dimension y) {
    assertEquals(value(x) == value(y), x.equals(y));
    assertEquals(x.times(y), y.times(x));
    assertEquals(x.times(y).toString(), y.times(x).toString());
  }

  @Property
  void onlyKnownDimensionsHaveAnExtent(@ForAll("dimensions") Dimension x) {
    if (x.isKnown()) {
      assertEquals(x.factor(), x.extent());
      assertEquals(Long.toString(x.factor()), x.toString());
    } else {
      String message = assertThrows(IllegalStateException.class, x::extent).getMessage();
      assertTrue(message.contains(x.toString()), message);
    }
  }

  @Example
  void dimensionsAreNeitherNegativeNorBeyondALong() {
    assertThrows(IllegalArgumentException.class, () -> Dimension.of(-1));
    Dimension large = Dimension.of(1L << 40);
    assertThrows(ArithmeticException.class, () -> large.times(large));
  }

  @Property
  void axesCountFromBothEnds(@ForAll("shapes") Shape shape) {
    for (int axis = 0; axis < shape.rank(); axis++) {
      assertEquals(shape.dimension(axis), shape.dimension(axis - shape.rank()));
      Dimension nine = Dimension.of(9);
      Shape changed = shape.with(axis, nine);
      assertEquals(changed, shape.with(axis - shape.rank(), nine));
      assertEquals(nine, changed.dimension(axis));
      assertEquals(shape, changed.with(axis, shape.dimension(axis)));
    }
  }

  @Property
  void aPermutationKeepsElementsAndHasAnInverse(@ForAll("shapes") Shape shape, @ForAll long seed) {
    List<Integer> order = new ArrayList<>();
    for (int axis = 0; axis < shape.rank(); axis++) {
      order.add(axis);
    }
    Collections.shuffle(order, new Random(seed));
    int[] permutation = order.stream().mapToInt(Integer::intValue).toArray();
    int[] inverse = order.stream().sorted().mapToInt(order::indexOf).toArray();
    Shape permuted = shape.permuted(permutation);
    assertEquals(shape.elements(), permuted.elements());
    assertEquals(shape, permuted.permuted(inverse));
  }

  @Property
  void knownShapesHaveExtents(@ForAll("shapes") Shape shape) {
    if (shape.isKnown()) {
      assertEquals(shape, Shape.of(shape.extents()));
    } else {
      assertThrows(IllegalStateException.class, shape::extents);
    }
  }

  @Property
  void broadcastingIsSymmetricAndStable(@ForAll("shapes") Shape x, @ForAll("shapes") Shape y) {
    assertEquals(x.broadcast(y), y.broadcast(x));
    assertEquals(Optional.of(x), x.broadcast(x));
    assertEquals(Optional.of(x), x.broadcast(Shape.SCALAR));
    x.broadcast(y).ifPresent(both -> assertEquals(Optional.of(both), both.broadcast(x)));
  }

  @Property
  void broadcastExtentsAreThoseOfEitherSide(@ForAll("shapes") Shape x, @ForAll("shapes") Shape y) {
    Dimension one = Dimension.of(1);
    boolean possible = true;
    for (int axis = 1; axis <= Math.min(x.rank(), y.rank()); axis++) {
      Dimension mine = x.dimension(-axis);
      Dimension theirs = y.dimension(-axis);
      possible &= mine.equals(theirs) || mine.equals(one) || theirs.equals(one);
    }
    Optional<Shape> both = x.broadcast(y);
    assertEquals(possible, both.isPresent());
    if (possible) {
      assertEquals(Math.max(x.rank(), y.rank()), both.get().rank());
      for (int axis = 1; axis <= both.get().rank(); axis++) {
        Dimension mine = axis <= x.rank() ? x.dimension(-axis) : one;
        Dimension theirs = axis <= y.rank() ? y.dimension(-axis) : one;
        assertEquals(mine.equals(one) ? theirs : mine, both.get().dimension(-axis));
      }
    }
  }

  @Example
  void shapesReadLikeTheyAreWritten() {
    Dimension tokens = Dimension.symbol("length").times(Dimension.symbol("batch"));
    Shape shape = Shape.of(tokens.times(Dimension.of(16)), tokens, Dimension.of(8));
    assertEquals("[16·batch·length, batch·length, 8]", shape.toString());
    assertEquals("[]", Shape.SCALAR.toString());
    assertArrayEquals(new long[0], Shape.SCALAR.extents());
    assertEquals(Dimension.of(1), Shape.SCALAR.elements());
  }
}
