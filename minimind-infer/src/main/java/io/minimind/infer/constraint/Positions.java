package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Automaton.State;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * An automaton made deterministic as far as texts get, and which tokens may follow in each
 * position. What was found out is kept up to a bound, and shared by all texts, so it is used by one
 * thread at a time.
 */
final class Positions {
  /** In ints, roughly; that is 32 MB. */
  static final int MOST_KEPT = 1 << 23;

  private final Automaton automaton;
  private final TokenTrie trie;
  private final int[] tokens;
  private final int[] byteClasses = new int[256];
  private final int[] byteOfClass;
  private final Position[] path; // while walking the trie
  private final Map<Set<Place>, Position> known = new HashMap<>();
  private final int mostKept;
  private int kept;

  /**
   * @param mostKept how much to keep, such as {@link #MOST_KEPT}
   */
  Positions(Automaton automaton, TokenTrie trie, int mostKept) {
    this.mostKept = mostKept;
    this.automaton = automaton;
    this.trie = trie;
    tokens = ShortestTexts.tokens(automaton, trie);
    byteOfClass = classify();
    path = new Position[trie.longest() + 1];
  }

  /** Puts bytes that no state tells apart into one class. */
  private int[] classify() {
    BitSet firsts = new BitSet();
    firsts.set(0);
    for (State state : automaton.states()) {
      for (int edge = 0; edge < state.edges().length; edge += 3) {
        firsts.set(state.edges()[edge]);
        firsts.set(state.edges()[edge + 1] + 1);
      }
    }
    firsts.clear(256);
    for (int b = 0; b < 256; b++) {
      byteClasses[b] = firsts.get(0, b + 1).cardinality() - 1;
    }
    return firsts.stream().toArray();
  }

  /** Before the first token. */
  synchronized Position start() {
    Set<Place> places = new HashSet<>();
    add(new Place(automaton.start(), null), places);
    return position(places);
  }

  /** After a token, perhaps dead. */
  synchronized Position after(Position position, int tokenId) {
    if (tokenId >= trie.vocabularySize() || trie.bytes(tokenId).length == 0) {
      return position(Set.of());
    }
    Position reached = position;
    for (byte b : trie.bytes(tokenId)) {
      reached = step(reached, b & 0xFF);
    }
    return reached;
  }

  /**
   * Marks the tokens after which the text can be ended.
   *
   * @param most tokens that may be left to do so
   */
  synchronized void allow(Position position, int most, BitSet allowed) {
    if (position.allowed == null) {
      BitSet found = new BitSet(trie.vocabularySize());
      position.mostAfter = walk(position, ShortestTexts.IMPOSSIBLE - 1, found);
      position.allowed = found;
      kept += trie.vocabularySize() / Integer.SIZE;
    }
    if (position.mostAfter <= most) {
      allowed.or(position.allowed);
    } else {
      walk(position, most, allowed);
    }
  }

  /** Returns the most tokens that suffice after one of those allowed. */
  private int walk(Position position, int most, BitSet allowed) {
    int mostFound = 0;
    path[0] = position;
    for (int node = 0; node < trie.size(); ) {
      int depth = trie.depth(node);
      Position reached = step(path[depth], trie.label(node));
      if (reached.isDead()) {
        node = trie.end(node);
        continue;
      }
      path[depth + 1] = reached;
      if (reached.tokens <= most) {
        for (int place = trie.firstToken(node); place < trie.lastToken(node); place++) {
          allowed.set(trie.token(place));
          mostFound = Math.max(mostFound, reached.tokens);
        }
      }
      node++;
    }
    return mostFound;
  }

  private Position step(Position position, int value) {
    int byteClass = byteClasses[value];
    Position next = position.next[byteClass];
    if (next == null) {
      next = read(position, byteOfClass[byteClass]);
      position.next[byteClass] = next;
    }
    return next;
  }

  private Position read(Position position, int value) {
    Set<Place> places = new HashSet<>();
    for (Place place : position.places) {
      int[] edges = automaton.states()[place.state()].edges();
      for (int edge = 0; edge < edges.length; edge += 3) {
        if (edges[edge] <= value && value <= edges[edge + 1]) {
          add(new Place(edges[edge + 2], place.stack()), places);
        }
      }
    }
    return position(places);
  }

  /** Adds the places that are reached without a byte and from which there is a way to the end. */
  private void add(Place first, Set<Place> places) {
    Set<Place> seen = new HashSet<>();
    Deque<Place> pending = new ArrayDeque<>();
    pending.add(first);
    while (!pending.isEmpty()) {
      Place place = pending.remove();
      Place.Stack stack = place.stack();
      State state = automaton.states()[place.state()];
      if (tokens(place) >= ShortestTexts.IMPOSSIBLE || !seen.add(place)) {
        continue;
      }
      if (place.state() == Automaton.END) {
        if (stack == null) {
          places.add(place);
        } else {
          pending.add(new Place(stack.state, stack.outer));
        }
      } else if (state.called() >= 0) {
        pending.add(new Place(state.called(), pushed(state.next(), stack)));
      } else if (state.edges().length > 0) {
        places.add(place);
      }
      for (int target : state.jumps()) {
        pending.add(new Place(target, stack));
      }
    }
  }

  private Place.Stack pushed(int state, Place.Stack stack) {
    // A call that is the last thing needs no way back, so that lists do not grow a stack.
    return state == Automaton.END
        ? stack
        : new Place.Stack(state, stack, tokens(new Place(state, stack)));
  }

  private int tokens(Place place) {
    int outer = place.stack() == null ? 0 : place.stack().tokens;
    return Math.min(ShortestTexts.IMPOSSIBLE, tokens[place.state()] + outer);
  }

  /** Positions that are in use go on without what was found out about them. */
  private void forget() {
    for (Position position : known.values()) {
      Arrays.fill(position.next, null);
      position.allowed = null;
    }
    known.clear();
    kept = 0;
  }

  private Position position(Set<Place> places) {
    Position position = known.get(places);
    if (position == null) {
      if (kept > mostKept) {
        forget();
      }
      boolean mayEnd = places.contains(new Place(Automaton.END, null));
      int shortest = places.stream().mapToInt(this::tokens).min().orElse(ShortestTexts.IMPOSSIBLE);
      position = new Position(Set.copyOf(places), mayEnd, shortest, byteOfClass.length);
      known.put(position.places, position);
      kept += byteOfClass.length + 32 * (1 + places.size());
    }
    return position;
  }
}
