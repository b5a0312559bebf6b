package io.minimind.infer.constraint;

/**
 * A nondeterministic automaton over bytes, with calls: a state may pass through another part of the
 * automaton before it goes on. State 0 ends the part that was called, or the text.
 *
 * @param states by number
 * @param start where a text begins
 */
record Automaton(State[] states, int start) {
  static final int END = 0;
  private static final int[] NONE = {};

  /**
   * What follows; one of the three is used.
   *
   * @param edges (lowest byte, highest byte, next state), one after the other
   * @param jumps states that are reached without a byte
   * @param called first state of the part that is called, or -1
   * @param next where to go on after the call
   */
  record State(int[] edges, int[] jumps, int called, int next) {
    static State reading(int... edges) {
      return new State(edges, NONE, -1, -1);
    }

    static State jumping(int... targets) {
      return new State(NONE, targets, -1, -1);
    }

    static State calling(int called, int next) {
      return new State(NONE, NONE, called, next);
    }

    /** Whether exactly one byte leads on. */
    boolean isForced() {
      return edges.length == 3 && edges[0] == edges[1];
    }
  }
}
