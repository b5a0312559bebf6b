package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Automaton.Call;
import io.minimind.infer.constraint.Automaton.Count;
import io.minimind.infer.constraint.Automaton.Jump;
import io.minimind.infer.constraint.Automaton.Loop;
import io.minimind.infer.constraint.Automaton.Pick;
import io.minimind.infer.constraint.Automaton.Read;
import io.minimind.infer.constraint.Automaton.State;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * How many tokens suffice from each state of an automaton to the end of its part. This is no more
 * than one token for each byte, and less where several forced bytes are one token. There may be a
 * way with still fewer; what matters is that some token always leads to a lower number.
 */
final class ShortestTexts {
  /** Stands for a state with no way to the end that the vocabulary can spell. */
  static final int IMPOSSIBLE = 1 << 29;

  private static final int[] NONE = {};

  private final State[] states;
  private final TokenTrie trie;
  private final BitSet singleBytes = new BitSet();
  private final int[] tokens;
  private final int[] characters; // tokens to the end of the character, where these are counted
  private final int[] prices; // the most tokens for a character, of states that count

  private ShortestTexts(Automaton automaton, TokenTrie trie) {
    states = automaton.states();
    this.trie = trie;
    tokens = new int[states.length];
    characters = new int[states.length];
    prices = new int[states.length];
    for (int b = 0; b < 256; b++) {
      singleBytes.set(b, isToken(trie.child(-1, b)));
    }
  }

  static ShortestTexts of(Automaton automaton, TokenTrie trie) {
    ShortestTexts texts = new ShortestTexts(automaton, trie);
    int[][] oneTokenAway = texts.oneTokenAway();
    texts.price();
    texts.find(oneTokenAway, automaton.blocks());
    return texts;
  }

  /** From a state to the end of its part; of counted ones, if the number did not matter. */
  int tokens(int state) {
    return tokens[state];
  }

  /** From a state of a counted machine to the end of the character; 0 between two characters. */
  int character(int state) {
    return characters[state];
  }

  /** For one character, at most, of what a state counts. */
  int price(int state) {
    return prices[state];
  }

  /** For so many times as many. */
  static int times(int count, int tokens) {
    return (int) Math.min(IMPOSSIBLE, (long) count * tokens);
  }

  static int sum(int one, int other) {
    return Math.min(IMPOSSIBLE, one + other);
  }

  /** What counted characters take: each as much as the dearest. */
  int counted(int state, Count count, int ahead, int before) {
    int more = count.machine().length(ahead, Math.max(0, count.least() - before));
    return more < 0 || more > count.most() - before ? IMPOSSIBLE : times(more, prices[state]);
  }

  private void find(int[][] oneTokenAway, int[] blocks) {
    Arrays.fill(tokens, IMPOSSIBLE);
    // States were added from the end, and parts after those that call them: few rounds do, except
    // where rules are recursive.
    for (boolean changed = true; changed; ) {
      changed = false;
      for (int block = blocks.length - 1; block >= 0; block--) {
        int end = block + 1 < blocks.length ? blocks[block + 1] : states.length;
        for (int i = blocks[block]; i < end; i++) {
          int found = Math.min(tokens[i], next(i, oneTokenAway[i]));
          changed |= found < tokens[i];
          tokens[i] = found;
        }
      }
    }
  }

  private int next(int i, int[] oneTokenAway) {
    State state = states[i];
    int found = i == Automaton.END ? 0 : IMPOSSIBLE;
    for (int target : oneTokenAway) {
      found = Math.min(found, 1 + tokens[target]);
    }
    if (state instanceof Jump jump) {
      for (int target : jump.targets()) {
        found = Math.min(found, tokens[target]);
      }
    } else if (state instanceof Call call) {
      found = sum(tokens[call.called()], tokens[call.next()]);
    } else if (state instanceof Loop loop) {
      found = sum(times(loop.least(), tokens[loop.called()]), tokens[loop.next()]);
    } else if (state instanceof Count count) {
      found = sum(counted(i, count, 0, 0), tokens[count.next()]);
    } else if (state instanceof Pick pick) {
      found = sum(times(pick.least(), dearest(pick)), tokens[pick.next()]);
    }
    return found;
  }

  /** The most that one of the parts takes that can be spelt at all. */
  int dearest(Pick pick) {
    int dearest = 0;
    int possible = 0;
    for (int part : pick.later()) {
      if (tokens[part] < IMPOSSIBLE) {
        dearest = Math.max(dearest, tokens[part]);
        possible++;
      }
    }
    return possible < pick.least() ? IMPOSSIBLE : dearest;
  }

  private int[][] oneTokenAway() {
    int[][] targets = new int[states.length][];
    for (int i = 0; i < states.length; i++) {
      if (!(states[i] instanceof Read read)) {
        targets[i] = NONE;
      } else if (read.isForced()) {
        targets[i] = forced(i);
      } else {
        int[] edges = read.edges();
        int[] found = new int[edges.length / 3];
        int size = 0;
        for (int edge = 0; edge < edges.length; edge += 3) {
          if (isSpelt(edges[edge], edges[edge + 1])) {
            found[size++] = edges[edge + 2];
          }
        }
        targets[i] = Arrays.copyOf(found, size);
      }
    }
    return targets;
  }

  private boolean isSpelt(int lowest, int highest) {
    int value = singleBytes.nextSetBit(lowest);
    return value >= 0 && value <= highest;
  }

  /** Where tokens end that begin here and consist of forced bytes. */
  private int[] forced(int start) {
    int[] found = new int[trie.longest()];
    int size = 0;
    int node = -1;
    int at = start;
    while (states[at] instanceof Read read && read.isForced()) {
      node = trie.child(node, read.edges()[0]);
      at = read.edges()[2];
      if (node < 0) {
        break;
      }
      if (isToken(node)) {
        found[size++] = at;
      }
    }
    return Arrays.copyOf(found, size);
  }

  private boolean isToken(int node) {
    return node >= 0 && trie.firstToken(node) < trie.lastToken(node);
  }

  /** Finds the prices of counted characters; states within one were added from its end. */
  private void price() {
    Map<Machine, Integer> dearest = new HashMap<>();
    for (int i = 0; i < states.length; i++) {
      if (states[i] instanceof Read read && read.ahead() >= 0 && !read.begins()) {
        characters[i] = IMPOSSIBLE;
        int[] edges = read.edges();
        for (int edge = 0; edge < edges.length; edge += 3) {
          if (isSpelt(edges[edge], edges[edge + 1])) {
            characters[i] = Math.min(characters[i], 1 + characters[edges[edge + 2]]);
          }
        }
      }
    }
    for (int i = 0; i < states.length; i++) {
      if (states[i] instanceof Count count) {
        prices[i] = dearest.computeIfAbsent(count.machine(), m -> dearest(count.called()));
      }
    }
  }

  /** The dearest character, each spelt in the cheapest way, of the machine that begins here. */
  private int dearest(int called) {
    BitSet seen = new BitSet();
    java.util.ArrayDeque<Integer> pending = new java.util.ArrayDeque<>();
    pending.add(called);
    int price = 1;
    while (!pending.isEmpty()) {
      int at = pending.remove();
      if (seen.get(at)) {
        continue;
      }
      seen.set(at);
      if (states[at] instanceof Jump jump) {
        Arrays.stream(jump.targets()).forEach(pending::add);
      } else if (states[at] instanceof Read read) {
        Map<Integer, Integer> cheapest = new HashMap<>();
        int[] edges = read.edges();
        for (int edge = 0; edge < edges.length; edge += 3) {
          int target = edges[edge + 2];
          pending.add(target);
          if (read.begins()) {
            // Within a character there is one way on; between two, the next state tells them apart.
            int ahead = states[target] instanceof Read inside ? -1 - inside.ahead() : target;
            int tokens =
                isSpelt(edges[edge], edges[edge + 1]) ? 1 + characters[target] : IMPOSSIBLE;
            cheapest.merge(ahead, tokens, Math::min);
          }
        }
        for (int tokens : cheapest.values()) {
          price = Math.max(price, tokens);
        }
      }
    }
    return price;
  }
}
