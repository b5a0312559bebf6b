package io.minimind.infer.constraint;

import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.Automaton.Call;
import io.minimind.infer.constraint.Automaton.Count;
import io.minimind.infer.constraint.Automaton.Jump;
import io.minimind.infer.constraint.Automaton.Loop;
import io.minimind.infer.constraint.Automaton.Pick;
import io.minimind.infer.constraint.Automaton.Read;
import io.minimind.infer.constraint.Automaton.State;
import io.minimind.infer.constraint.Expression.Accepted;
import io.minimind.infer.constraint.Expression.Both;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Counted;
import io.minimind.infer.constraint.Expression.Distinct;
import io.minimind.infer.constraint.Expression.Member;
import io.minimind.infer.constraint.Expression.Members;
import io.minimind.infer.constraint.Expression.Not;
import io.minimind.infer.constraint.Expression.Quoted;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Rule;
import io.minimind.infer.constraint.Expression.Sequence;
import io.minimind.infer.constraint.Expression.Text;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Turns an expression into an automaton, from its end to its beginning. */
final class AutomatonBuilder {
  private static final int MOST_STATES = 1 << 20;

  /** Of what is repeated, so many states are rather copied than counted. */
  private static final int MOST_COPIED = 24;

  private static final int[] NONE = {};

  /** What an expression becomes depends on whether it stands in a string, and on what follows. */
  private record Context(boolean quoted, int next) {}

  private final List<State> states = new ArrayList<>();
  private final List<Integer> blocks = new ArrayList<>();
  private final Map<List<Integer>, Integer> reading = new HashMap<>();
  private final Map<Expression, Map<Context, Integer>> added = new IdentityHashMap<>();
  private final Map<Object, Integer> starts = new IdentityHashMap<>();
  private final Deque<Runnable> pending = new ArrayDeque<>();
  private boolean quoted;
  private int ahead = -1; // of the counted machine that is being added

  private final CharacterSet spelt;

  private AutomatonBuilder(CharacterSet spelt) {
    this.spelt = spelt;
  }

  /**
   * @param spelt characters of which counted texts are made
   * @throws IllegalArgumentException if it would have more than a million states
   */
  static Automaton build(Expression expression, CharacterSet spelt) {
    AutomatonBuilder builder = new AutomatonBuilder(spelt);
    builder.blocks.add(0);
    builder.add(new Jump(NONE)); // END
    int start = builder.add(expression, Automaton.END);
    while (!builder.pending.isEmpty()) {
      builder.blocks.add(builder.states.size());
      builder.pending.remove().run();
    }
    return new Automaton(
        builder.states.toArray(State[]::new),
        builder.blocks.stream().mapToInt(Integer::intValue).toArray(),
        start);
  }

  /** Adds what an expression asks for before a state, and returns where it begins. */
  private int add(Expression expression, int next) {
    if (expression instanceof Text text) {
      return text(text.text(), next);
    }
    // Shared parts stay shared, or what is optional would double the states each time.
    Map<Context, Integer> known = added.computeIfAbsent(expression, e -> new HashMap<>(2));
    Context context = new Context(quoted, next);
    Integer start = known.get(context);
    if (start == null) {
      start = addNew(expression, next);
      known.put(context, start);
    }
    return start;
  }

  private int addNew(Expression expression, int next) {
    if (expression instanceof Characters characters) {
      return characters(characters.set(), next);
    } else if (expression instanceof Sequence sequence) {
      int start = next;
      for (int i = sequence.parts().size() - 1; i >= 0; i--) {
        start = add(sequence.parts().get(i), start);
      }
      return start;
    } else if (expression instanceof Choice choice) {
      return jump(choice.options().stream().mapToInt(option -> add(option, next)).toArray());
    } else if (expression instanceof Repeat repeat) {
      return repeat(Repeats.simplified(repeat), next);
    } else if (expression instanceof Quoted string) {
      int end = text("\"", next);
      boolean outer = quoted;
      quoted = true;
      int start = add(string.value(), end);
      quoted = outer;
      return text("\"", start);
    } else if (expression instanceof Counted counted) {
      return counted(counted, next);
    } else if (expression instanceof Members members) {
      return members(members, next);
    } else if (expression instanceof Distinct distinct) {
      return distinct(distinct, next);
    } else if (expression instanceof Rule rule) {
      return add(new Call(part(rule, () -> add(rule.body(), Automaton.END)), next));
    } else if (expression instanceof Accepted accepted) {
      return machine(accepted.machine(), next, false);
    } else if (expression instanceof Both || expression instanceof Not) {
      return machine(Derivatives.machine(expression), next, false);
    }
    throw new IllegalStateException("Unknown expression " + expression + ".");
  }

  /** Where a part begins that is called; its states come later. */
  private int part(Object identity, java.util.function.IntSupplier body) {
    return starts.computeIfAbsent(
        identity,
        unknown -> {
          int start = jump();
          boolean inString = quoted;
          pending.add(
              () -> {
                quoted = inString;
                states.set(start, new Jump(new int[] {body.getAsInt()}));
                quoted = false;
              });
          return start;
        });
  }

  private int text(String text, int next) {
    int start = next;
    byte[] bytes = (quoted ? Json.escaped(text) : text).getBytes(StandardCharsets.UTF_8);
    for (int i = bytes.length - 1; i >= 0; i--) {
      start = add(new Read(new int[] {bytes[i] & 0xFF, bytes[i] & 0xFF, start}, false, ahead));
    }
    return start;
  }

  private int jump(int... targets) {
    return add(new Jump(targets));
  }

  private int repeat(Repeat repeat, int next) {
    Expression body = repeat.body();
    int least = repeat.least();
    int most = repeat.most();
    boolean unbounded = most == Expression.UNBOUNDED;
    if (unbounded && least > 0) {
      // From the least on, nothing is counted.
      return add(new Repeat(body, least, least), repeat(new Repeat(body, 0, most), next));
    }
    if (unbounded) {
      int start = jump();
      states.set(start, new Jump(new int[] {add(body, start), next}));
      return start;
    }
    if (most > 1 && (long) most * Repeats.weight(body) > MOST_COPIED) {
      int called = part(body, () -> add(body, Automaton.END));
      return add(new Loop(called, next, least, most));
    }
    int start = next;
    for (int i = most; i > 0; i--) {
      start = add(body, start);
      if (i > least) {
        start = jump(start, next);
      }
    }
    return start;
  }

  private int machine(Machine machine, int next, boolean count) {
    if (machine.size() == 0) {
      return jump();
    }
    int[] starts = new int[machine.size()];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = jump();
    }
    int outer = ahead;
    for (int i = 0; i < starts.length; i++) {
      Machine.State state = machine.state(i);
      List<Integer> edges = new ArrayList<>();
      for (int edge = 0; edge < state.targets().length; edge++) {
        int target = state.targets()[edge];
        ahead = count ? target : outer;
        addCharacters(state.sets().get(edge), starts[target], edges);
      }
      ahead = count ? i : outer;
      int read = add(new Read(ints(edges), count, ahead));
      int[] targets = state.accepting() ? new int[] {read, next} : new int[] {read};
      states.set(starts[i], new Jump(targets));
    }
    ahead = outer;
    return starts[0];
  }

  private int counted(Counted counted, int next) {
    Machine machine = spelt(counted.machine(), counted.most());
    if (machine.size() == 0) {
      return jump();
    }
    int called = part(machine, () -> machine(machine, Automaton.END, true));
    return add(
        new Count(
            called, next, machine, counted.least(), counted.most(), machine.longestShortest()));
  }

  /** What can be spelt of the texts of a machine. */
  private Machine spelt(Machine machine, int most) {
    if (spelt.equals(CharacterSet.ALL)) {
      return machine;
    }
    Machine possible =
        Derivatives.machine(
            new Both(List.of(new Accepted(machine), Expression.any(new Characters(spelt)))));
    return possible.findLengths(most) ? possible : new Machine(new Machine.State[0]);
  }

  private int distinct(Distinct distinct, int next) {
    int size = distinct.options().size();
    int[] first = new int[size];
    int[] later = new int[size];
    for (int i = 0; i < size; i++) {
      first[i] = add(distinct.options().get(i), Automaton.END);
      later[i] = add(distinct.separator(), first[i]);
    }
    return add(new Pick(first, later, next, distinct.least(), distinct.most()));
  }

  /** From the last member to the first, for each number of members that were written before. */
  private int members(Members members, int next) {
    boolean bounded = members.most() != Expression.UNBOUNDED;
    boolean needs = !members.needed().equals(Expression.NOTHING);
    int levels = needs ? 1 : bounded ? members.most() : members.least();
    int least = needs ? 1 : members.least();
    if ((members.named().size() + 1L) * (levels + 1L) > MOST_STATES) {
      throw tooLarge();
    }
    // How many count after one more, or -1 if there may be no more.
    int[] after = new int[levels + 1];
    for (int level = 0; level <= levels; level++) {
      after[level] = needs ? level : bounded && level == levels ? -1 : Math.min(level + 1, levels);
    }
    // Where a named member is next, or the end; others are written only before the next one.
    int first = least == 0 ? next : jump();
    int[] named = new int[levels + 1];
    for (int level = 0; level <= levels; level++) {
      named[level] = level >= least ? next : jump();
    }
    int[] any = others(members, named, after);
    int firstOther = other(members, any, after);
    for (int i = members.named().size() - 1; i >= 0; i--) {
      Member member = members.named().get(i);
      int begun = after[0] < 0 ? jump() : member(member, any[after[0]]);
      first = member.required() ? begun : jump(begun, first);
      for (int level = 0; level <= levels; level++) {
        int written =
            after[level] < 0 ? jump() : add(Json.COMMA, member(member, any[after[level]]));
        named[level] = member.required() ? written : jump(written, named[level]);
      }
      any = others(members, named, after);
      firstOther = other(members, any, after);
    }
    return jump(first, firstOther);
  }

  /** Where others are possible too, after at least one member. */
  private int[] others(Members members, int[] named, int[] after) {
    if (members.other().equals(Expression.NOTHING) && members.needed().equals(Expression.NOTHING)) {
      return named.clone();
    }
    int[] any = new int[named.length];
    for (int level = 0; level < any.length; level++) {
      any[level] = jump();
    }
    for (int level = 0; level < any.length; level++) {
      int other = after[level] < 0 ? jump() : other(Json.COMMA, members.other(), any[after[level]]);
      int needed = other(Json.COMMA, members.needed(), any[Math.min(1, any.length - 1)]);
      states.set(any[level], new Jump(new int[] {named[level], other, needed}));
    }
    return any;
  }

  private int other(Members members, int[] any, int[] after) {
    if (members.other().equals(Expression.NOTHING) && members.needed().equals(Expression.NOTHING)) {
      return jump();
    }
    int other = after[0] < 0 ? jump() : other(Expression.EMPTY, members.other(), any[after[0]]);
    return jump(other, other(Expression.EMPTY, members.needed(), any[Math.min(1, any.length - 1)]));
  }

  private int other(Expression before, Expression member, int next) {
    return member.equals(Expression.NOTHING) ? jump() : add(before, add(member, next));
  }

  private int member(Member member, int next) {
    return add(member.key(), add(Json.COLON, add(member.value(), next)));
  }

  // Characters

  private int characters(CharacterSet set, int next) {
    List<Integer> edges = new ArrayList<>();
    addCharacters(set, next, edges);
    return read(edges);
  }

  private void addCharacters(CharacterSet set, int next, List<Integer> edges) {
    CharacterSet plain = set;
    if (quoted) {
      plain = set.minus(Json.ESCAPED);
      for (int[] range : set.and(Json.ESCAPED).ranges()) {
        for (int c = range[0]; c <= range[1]; c++) {
          byte[] bytes = Json.escaped(Character.toString(c)).getBytes(StandardCharsets.UTF_8);
          int start = next;
          for (int i = bytes.length - 1; i > 0; i--) {
            start = read(List.of((int) bytes[i], (int) bytes[i], start));
          }
          edges.addAll(List.of((int) bytes[0], (int) bytes[0], start));
        }
      }
    }
    for (int[] range : plain.ranges()) {
      addRange(range[0], range[1], next, edges);
    }
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
    List<Integer> key = new ArrayList<>(edges);
    key.add(ahead);
    Integer known = reading.get(key);
    if (known == null) {
      known = add(new Read(ints(edges), false, ahead));
      reading.put(key, known);
    }
    return known;
  }

  private static int[] ints(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }

  private int add(State state) {
    if (states.size() == MOST_STATES) {
      throw tooLarge();
    }
    states.add(state);
    return states.size() - 1;
  }

  private static IllegalArgumentException tooLarge() {
    return new ArgumentException(
        "The constraint is too large: it would take more than a million states.");
  }
}
