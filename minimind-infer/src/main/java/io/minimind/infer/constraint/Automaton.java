package io.minimind.infer.constraint;

/**
 * A nondeterministic automaton over bytes, with calls: a state may pass through another part of the
 * automaton before it goes on, once or a counted number of times. State 0 ends the part that was
 * called, or the text.
 *
 * @param states by number
 * @param blocks where the states begin of each part; a part is called by those before it, or by
 *     itself
 * @param start where a text begins
 */
record Automaton(State[] states, int[] blocks, int start) {
  static final int END = 0;

  /** What follows. */
  sealed interface State permits Read, Jump, Calling {}

  /**
   * A byte follows.
   *
   * @param edges (lowest byte, highest byte, next state), one after the other
   * @param begins whether it is the first byte of a character that is counted
   * @param ahead the state of the counted machine that is reached with this character, or is when
   *     one begins; -1 where nothing is counted
   */
  record Read(int[] edges, boolean begins, int ahead) implements State {
    /** Whether exactly one byte leads on. */
    boolean isForced() {
      return edges.length == 3 && edges[0] == edges[1];
    }
  }

  /** One of these states, without a byte. */
  record Jump(int[] targets) implements State {}

  /** What another part matches, and then the next state. */
  sealed interface Calling extends State permits Call, Loop, Count, Pick {
    int next();
  }

  /** The part that begins at a state, once. */
  record Call(int called, int next) implements Calling {}

  /**
   * A part several times. It is never empty.
   *
   * @param most may be {@link Expression#UNBOUNDED}
   */
  record Loop(int called, int next, int least, int most) implements Calling {}

  /** What a machine accepts of a number of characters. */
  record Count(int called, int next, Machine machine, int least, int most, int farthest)
      implements Calling {}

  /**
   * Different parts, each at most once.
   *
   * @param first where they begin as the first
   * @param later where they begin after another
   */
  record Pick(int[] first, int[] later, int next, int least, int most) implements Calling {}
}
