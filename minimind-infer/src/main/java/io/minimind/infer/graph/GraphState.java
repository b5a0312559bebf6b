package io.minimind.infer.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the rules of operators learn of the graph as a whole. */
final class GraphState {
  private final Map<List<Extent>, Extent> wholes = new HashMap<>();
  private int parts;
  private long positions = Integer.MAX_VALUE;

  /**
   * Cuts an axis into parts whose extents are computed when the graph runs, as those of a mixture
   * of experts are. They get symbols of their own.
   */
  List<Extent> cut(Extent whole, int count) {
    List<Extent> extents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      extents.add(Extent.symbol("part " + parts++));
    }
    wholes.put(List.copyOf(extents), whole);
    return extents;
  }

  /** What the parts of an axis are, one after the other. */
  Optional<Extent> joined(List<Extent> extents) {
    return Optional.ofNullable(wholes.get(extents));
  }

  /** Tells that attention has a table of angles for so many positions. */
  void knowsPositions(long count) {
    positions = Math.min(positions, count);
  }

  /** The positions for which every attention has angles. */
  long positions() {
    return positions;
  }
}
