package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Automaton.State;
import java.util.Arrays;
import java.util.BitSet;

/**
 * How many tokens suffice from each state of an automaton to the end of its part. This is no more
 * than one token for each byte, and less where several forced bytes are one token. There may be a
 * way with still fewer; what matters is that some token always leads to a lower number.
 */
final class ShortestTexts {
  /** Stands for a state with no way to the end that the vocabulary can spell. */
  static final int IMPOSSIBLE = 1 << 29;

  private ShortestTexts() {}

  static int[] tokens(Automaton automaton, TokenTrie trie) {
    State[] states = automaton.states();
    int[][] oneTokenAway = oneTokenAway(states, trie);
    int[] tokens = new int[states.length];
    Arrays.fill(tokens, IMPOSSIBLE);
    tokens[Automaton.END] = 0;
    // States were added from the end, so few rounds do, except where rules are recursive.
    for (boolean changed = true; changed; ) {
      changed = false;
      for (int i = 0; i < states.length; i++) {
        int found = tokens[i];
        for (int target : oneTokenAway[i]) {
          found = Math.min(found, 1 + tokens[target]);
        }
        for (int target : states[i].jumps()) {
          found = Math.min(found, tokens[target]);
        }
        if (states[i].called() >= 0) {
          found = Math.min(found, tokens[states[i].called()] + tokens[states[i].next()]);
        }
        changed |= found < tokens[i];
        tokens[i] = found;
      }
    }
    return tokens;
  }

  private static int[][] oneTokenAway(State[] states, TokenTrie trie) {
    BitSet singleBytes = new BitSet();
    for (int b = 0; b < 256; b++) {
      singleBytes.set(b, isToken(trie, trie.child(-1, b)));
    }
    int[][] targets = new int[states.length][];
    for (int i = 0; i < states.length; i++) {
      BitSet found = new BitSet();
      int[] edges = states[i].edges();
      for (int edge = 0; edge < edges.length; edge += 3) {
        int byteValue = singleBytes.nextSetBit(edges[edge]);
        if (byteValue >= 0 && byteValue <= edges[edge + 1]) {
          found.set(edges[edge + 2]);
        }
      }
      addForced(states, i, trie, found);
      targets[i] = found.stream().toArray();
    }
    return targets;
  }

  private static void addForced(State[] states, int start, TokenTrie trie, BitSet found) {
    int node = -1;
    int at = start;
    while (states[at].isForced()) {
      node = trie.child(node, states[at].edges()[0]);
      at = states[at].edges()[2];
      if (node < 0) {
        return;
      }
      if (isToken(trie, node)) {
        found.set(at);
      }
    }
  }

  private static boolean isToken(TokenTrie trie, int node) {
    return node >= 0 && trie.firstToken(node) < trie.lastToken(node);
  }
}
