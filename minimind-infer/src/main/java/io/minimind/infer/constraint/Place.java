package io.minimind.infer.constraint;

/**
 * One way in which a text so far fits an automaton.
 *
 * @param state where it is
 * @param stack where the calls go on that are not over, the innermost first; null if there are none
 */
record Place(int state, Stack stack) {

  /** Where a call goes on. Compared without recursion, because it may be as deep as the text. */
  static final class Stack {
    final int state;
    final Stack outer;
    final int tokens; // that suffice from here to the end of the text
    private final int hash;

    Stack(int state, Stack outer, int tokens) {
      this.state = state;
      this.outer = outer;
      this.tokens = tokens;
      hash = 31 * state + (outer == null ? 7 : 17 * outer.hash);
    }

    @Override
    public boolean equals(Object other) {
      Stack one = this;
      Stack two = other instanceof Stack stack ? stack : null;
      while (one != two) {
        if (one == null || two == null || one.hash != two.hash || one.state != two.state) {
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
}
