package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Automaton.Calling;
import io.minimind.infer.constraint.Automaton.Count;
import io.minimind.infer.constraint.Automaton.Loop;
import java.util.BitSet;
import java.util.Objects;

/**
 * One way in which a text so far fits an automaton.
 *
 * @param state where it is
 * @param stack the calls that are not over, the innermost first; null if there are none
 */
record Place(int state, Stack stack) {

  /** A call that is not over. Compared without recursion, because it may be as deep as the text. */
  static final class Stack {
    final int state; // that calls
    final Calling calling;
    final int least; // times that the part was begun, or characters, at least
    final int most; // and at most: all numbers between are possible
    final BitSet picked; // null unless parts are picked
    final Stack outer;
    final int depth;
    final int tokens; // that suffice from the end of the part to the end of the text

    /** With the lowest counts that allow the same within a token. */
    final Stack near;

    private final int hash;

    /**
     * @param reach the longest token in bytes
     */
    Stack(
        int state,
        Calling calling,
        int least,
        int most,
        BitSet picked,
        Stack outer,
        int tokens,
        int reach) {
      this.state = state;
      this.calling = calling;
      this.least = least;
      this.most = most;
      this.picked = picked;
      this.outer = outer;
      this.tokens = tokens;
      depth = outer == null ? 1 : outer.depth + 1;
      int own = 31 * (31 * state + least) + most + 7 * Objects.hashCode(picked);
      hash = own + (outer == null ? 7 : 17 * outer.hash);
      int lowest = lowest(reach);
      Stack outerNear = outer == null ? null : outer.near;
      near =
          lowest == least && outerNear == outer
              ? this
              : new Stack(
                  state,
                  calling,
                  lowest,
                  lowest == least ? most : lowest,
                  picked,
                  outerNear,
                  tokens,
                  reach);
    }

    private int lowest(int reach) {
      int needed = 0;
      int room = 0;
      if (calling instanceof Loop loop) {
        needed = Math.max(1, loop.least());
        room = loop.most() - reach - 1;
      } else if (calling instanceof Count count) {
        needed = count.least();
        room = count.most() - reach - count.farthest() - 1;
      }
      return least > needed && least <= room ? needed : least;
    }

    @Override
    public boolean equals(Object other) {
      Stack one = this;
      Stack two = other instanceof Stack stack ? stack : null;
      while (one != two) {
        if (one == null
            || two == null
            || one.hash != two.hash
            || one.state != two.state
            || one.least != two.least
            || one.most != two.most
            || !Objects.equals(one.picked, two.picked)) {
          return false;
        }
        one = one.outer;
        two = two.outer;
      }
      return true;
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  int depth() {
    return stack == null ? 0 : stack.depth;
  }

  @Override
  public int hashCode() {
    return 31 * state + (stack == null ? 0 : stack.hash);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Place place
        && state == place.state
        && Objects.equals(stack, place.stack);
  }
}
