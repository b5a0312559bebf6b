package io.minimind.infer.constraint;

import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.Automaton.State;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Rule;
import io.minimind.infer.constraint.Expression.Sequence;
import io.minimind.infer.constraint.Expression.Text;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Turns an expression into an automaton, from its end to its beginning. */
final class AutomatonBuilder {
  private static final int MOST_STATES = 1 << 20;

  private final List<State> states = new ArrayList<>();
  private final Map<List<Integer>, Integer> reading = new HashMap<>();
  private final Map<Expression, Map<Integer, Integer>> added = new IdentityHashMap<>();
  private final Map<Rule, Integer> ruleStarts = new IdentityHashMap<>();
  private final Deque<Rule> pending = new ArrayDeque<>();

  private AutomatonBuilder() {}

  /**
   * @throws IllegalArgumentException if it would have more than a million states
   */
  static Automaton build(Expression expression) {
    AutomatonBuilder builder = new AutomatonBuilder();
    builder.add(State.jumping()); // END
    int start = builder.add(expression, Automaton.END);
    while (!builder.pending.isEmpty()) {
      Rule rule = builder.pending.remove();
      int body = builder.add(rule.body(), Automaton.END);
      builder.states.set(builder.ruleStarts.get(rule), State.jumping(body));
    }
    return new Automaton(builder.states.toArray(State[]::new), start);
  }

  /** Adds what an expression asks for before a state, and returns where it begins. */
  private int add(Expression expression, int next) {
    // Shared parts stay shared, or optional properties would double the states each time.
    Map<Integer, Integer> known = added.computeIfAbsent(expression, e -> new HashMap<>());
    Integer start = known.get(next);
    if (start == null) {
      start = addNew(expression, next);
      known.put(next, start);
    }
    return start;
  }

  private int addNew(Expression expression, int next) {
    int start = next;
    if (expression instanceof Text text) {
      byte[] bytes = text.text().getBytes(StandardCharsets.UTF_8);
      for (int i = bytes.length - 1; i >= 0; i--) {
        start = read(List.of(bytes[i] & 0xFF, bytes[i] & 0xFF, start));
      }
    } else if (expression instanceof Characters characters) {
      start = characters(characters.set(), next);
    } else if (expression instanceof Sequence sequence) {
      for (int i = sequence.parts().size() - 1; i >= 0; i--) {
        start = add(sequence.parts().get(i), start);
      }
    } else if (expression instanceof Choice choice) {
      start =
          add(
              State.jumping(
                  choice.options().stream().mapToInt(option -> add(option, next)).toArray()));
    } else if (expression instanceof Repeat repeat) {
      start = repeat(repeat, next);
    } else if (expression instanceof Rule rule) {
      start = add(State.calling(ruleStart(rule), next));
    }
    return start;
  }

  private int ruleStart(Rule rule) {
    return ruleStarts.computeIfAbsent(
        rule,
        unknown -> {
          pending.add(rule);
          return add(State.jumping());
        });
  }

  private int repeat(Repeat repeat, int next) {
    boolean unbounded = repeat.most() == Expression.UNBOUNDED;
    int copies = unbounded ? repeat.least() + 1 : repeat.most();
    // A rule keeps the copies small: each is one call.
    Expression body = copies > 1 ? new Rule(repeat.body()) : repeat.body();
    int start = next;
    if (unbounded) {
      start = add(State.jumping());
      states.set(start, State.jumping(add(body, start), next));
    }
    for (int i = unbounded ? repeat.least() : copies; i > 0; i--) {
      start = add(body, start);
      if (i > repeat.least()) {
        start = add(State.jumping(start, next));
      }
    }
    return start;
  }

  private int characters(BitSet set, int next) {
    List<Integer> edges = new ArrayList<>();
    for (int low = set.nextSetBit(0); low >= 0; ) {
      int high = set.nextClearBit(low) - 1;
      addRange(low, high, next, edges);
      low = set.nextSetBit(high + 1);
    }
    return read(edges);
  }

  private void addRange(int low, int high, int next, List<Integer> edges) {
    int from = low;
    for (int last : new int[] {0x7F, 0x7FF, 0xFFFF, Character.MAX_CODE_POINT}) {
      if (from <= Math.min(last, high)) {
        addBytes(utf8(from), utf8(Math.min(last, high)), next, edges);
        from = last + 1;
      }
    }
  }

  /** Adds the byte sequences from one to another of the same length. */
  private void addBytes(byte[] low, byte[] high, int next, List<Integer> edges) {
    int first = low[0] & 0xFF;
    int last = high[0] & 0xFF;
    if (low.length == 1) {
      edges.addAll(List.of(first, last, next));
      return;
    }
    byte[] lowRest = Arrays.copyOfRange(low, 1, low.length);
    byte[] highRest = Arrays.copyOfRange(high, 1, high.length);
    byte[] lowest = filled(lowRest.length, 0x80);
    byte[] highest = filled(lowRest.length, 0xBF);
    if (first == last) {
      addLead(first, last, lowRest, highRest, next, edges);
      return;
    }
    if (!Arrays.equals(lowRest, lowest)) {
      addLead(first, first, lowRest, highest, next, edges);
      first++;
    }
    if (!Arrays.equals(highRest, highest)) {
      addLead(last, last, lowest, highRest, next, edges);
      last--;
    }
    if (first <= last) {
      addLead(first, last, lowest, highest, next, edges);
    }
  }

  private void addLead(
      int first, int last, byte[] low, byte[] high, int next, List<Integer> edges) {
    List<Integer> rest = new ArrayList<>();
    addBytes(low, high, next, rest);
    edges.addAll(List.of(first, last, read(rest)));
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static byte[] utf8(int codePoint) {
    return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
  }

  private int read(List<Integer> edges) {
    Integer known = reading.get(edges);
    if (known == null) {
      known = add(State.reading(edges.stream().mapToInt(Integer::intValue).toArray()));
      reading.put(List.copyOf(edges), known);
    }
    return known;
  }

  private int add(State state) {
    if (states.size() == MOST_STATES) {
      throw new ArgumentException(
          "The constraint is too large: it repeats too much, or too much of it is repeated.");
    }
    states.add(state);
    return states.size() - 1;
  }
}
