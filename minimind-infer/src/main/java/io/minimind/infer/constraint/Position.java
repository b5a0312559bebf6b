package io.minimind.infer.constraint;

import java.util.BitSet;
import java.util.Set;

/** All the ways in which a text so far fits, with what was found out about how it may go on. */
final class Position {
  final Set<Place> places;
  final boolean mayEnd;

  /** Tokens that suffice to the end of the text. */
  final int tokens;

  /** The most calls that are not over in one of the places. */
  final int depth;

  /** By class of bytes; null where not found out yet. */
  final Position[] next;

  /** Where the same tokens may follow, perhaps here; null while not found out. */
  Position near;

  /** The tokens that may follow; null while not found out. */
  BitSet allowed;

  /** The most that {@link #tokens} is after one of the allowed tokens. */
  int mostAfter;

  Position(Set<Place> places, boolean mayEnd, int tokens, int byteClasses) {
    this.places = places;
    this.mayEnd = mayEnd;
    this.tokens = tokens;
    depth = places.stream().mapToInt(Place::depth).max().orElse(0);
    next = new Position[byteClasses];
  }

  /** Whether the text does not fit. */
  boolean isDead() {
    return places.isEmpty();
  }
}
