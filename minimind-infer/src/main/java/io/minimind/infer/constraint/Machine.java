package io.minimind.infer.constraint;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A deterministic automaton over characters. From each of its states there is a way to the end; if
 * nothing is accepted, there is no state.
 */
final class Machine {
  /**
   * What may follow.
   *
   * @param sets disjoint
   * @param targets the next state for each of the sets
   */
  record State(List<CharacterSet> sets, int[] targets, boolean accepting) {
    int after(int codePoint) {
      for (int i = 0; i < targets.length; i++) {
        if (sets.get(i).contains(codePoint)) {
          return targets[i];
        }
      }
      return -1;
    }
  }

  private static final int MOST_LENGTHS = 1 << 12;

  private final State[] states;
  private BitSet[] lengths; // that lead from a state to an end; null until asked for
  private int known; // lengths that were found out
  private int period; // after which the last of them come again, or 0 if there are no longer ones

  /** The first state is the start. */
  Machine(State[] states) {
    this.states = states;
  }

  /** Any number of characters of a set. */
  static Machine any(CharacterSet set) {
    Machine machine = new Machine(new State[] {new State(List.of(set), new int[] {0}, true)});
    machine.findLengths(Expression.UNBOUNDED);
    return machine;
  }

  int size() {
    return states.length;
  }

  State state(int number) {
    return states[number];
  }

  /**
   * Finds out how many characters may follow each state.
   *
   * @param most more are of no interest
   * @return whether that was possible in reasonable time
   */
  boolean findLengths(int most) {
    if (lengths != null) {
      return true;
    }
    BitSet[] found = new BitSet[states.length];
    for (int i = 0; i < states.length; i++) {
      found[i] = new BitSet();
    }
    BitSet ends = new BitSet();
    for (int i = 0; i < states.length; i++) {
      ends.set(i, states[i].accepting());
    }
    Map<BitSet, Integer> seen = new HashMap<>();
    for (int length = 0; ; length++) {
      Integer before = seen.putIfAbsent(ends, length);
      if (before != null || length > most) {
        known = length;
        period = before == null ? 0 : length - before;
        lengths = found;
        return true;
      }
      if (length == MOST_LENGTHS) {
        return false;
      }
      int reached = length;
      ends.stream().forEach(state -> found[state].set(reached));
      BitSet next = new BitSet();
      for (int i = 0; i < states.length; i++) {
        for (int target : states[i].targets()) {
          if (ends.get(target)) {
            next.set(i);
            break;
          }
        }
      }
      ends = next;
    }
  }

  /** The fewest characters from a state to an end, but not fewer than asked for; or -1. */
  int length(int state, int least) {
    int from = least;
    if (least >= known) {
      if (period == 0) {
        return -1;
      }
      from = known - period + (least - known) % period;
    }
    int next = lengths[state].nextSetBit(from);
    if (next < 0 && period > 0) {
      next = lengths[state].nextSetBit(known - period);
      next = next < 0 ? -1 : next + period;
    }
    return next < 0 ? -1 : next + least - from;
  }

  /** The most that the shortest way from any state to an end takes. */
  int longestShortest() {
    int longest = 0;
    for (int state = 0; state < states.length; state++) {
      longest = Math.max(longest, length(state, 0));
    }
    return longest;
  }

  /** The lengths of its texts, from the shortest to the longest; {@code UNBOUNDED} is possible. */
  int[] extent() {
    if (states.length == 0) {
      return new int[] {1, 0};
    }
    int[] distances = new int[states.length];
    Arrays.fill(distances, -1);
    distances[0] = 0;
    int shortest = -1;
    int[] queue = new int[states.length];
    int size = 1;
    for (int i = 0; i < size; i++) {
      int state = queue[i];
      if (states[state].accepting() && shortest < 0) {
        shortest = distances[state];
      }
      for (int target : states[state].targets()) {
        if (distances[target] < 0) {
          distances[target] = distances[state] + 1;
          queue[size++] = target;
        }
      }
    }
    return new int[] {shortest, longest()};
  }

  /** By removing the states that nothing leads to, in turn; a circle is never removed. */
  private int longest() {
    int[] incoming = new int[states.length];
    for (State state : states) {
      for (int target : state.targets()) {
        incoming[target]++;
      }
    }
    if (incoming[0] > 0) {
      return Expression.UNBOUNDED;
    }
    int[] farthest = new int[states.length];
    int[] queue = new int[states.length];
    int size = 1;
    int longest = 0;
    for (int i = 0; i < size; i++) {
      State state = states[queue[i]];
      longest = state.accepting() ? Math.max(longest, farthest[queue[i]]) : longest;
      for (int target : state.targets()) {
        farthest[target] = Math.max(farthest[target], farthest[queue[i]] + 1);
        if (--incoming[target] == 0) {
          queue[size++] = target;
        }
      }
    }
    return size == states.length ? longest : Expression.UNBOUNDED;
  }
}
