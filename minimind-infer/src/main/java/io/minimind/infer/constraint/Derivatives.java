package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Accepted;
import io.minimind.infer.constraint.Expression.Both;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Not;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Sequence;
import io.minimind.infer.constraint.Expression.Text;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes regular expressions, also with "both" and "not", deterministic. What may follow a character
 * is again an expression, its derivative (Brzozowski 1964); equal ones are one object, so that a
 * state is an expression, and counts stay counts in it.
 */
final class Derivatives {
  private static final int MOST_NODES = 1 << 16;
  private static final int MOST_STATES = 10_000;
  private static final int MOST_SEARCHED = 1_000;

  /** There would be more states than can be worked with. */
  static final class TooLargeException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private enum Kind {
    EMPTY,
    SET,
    SEQUENCE,
    CHOICE,
    BOTH,
    NOT,
    REPEAT,
    MACHINE
  }

  /** What a node is made of. */
  private record Key(
      Kind kind, CharacterSet set, List<Integer> parts, int least, int most, Machine machine) {}

  /** Compared by identity, as there is one for each key. */
  private static final class Node {
    private final int id;
    private final Key key;
    private final boolean nullable;

    Node(int id, Key key, boolean nullable) {
      this.id = id;
      this.key = key;
      this.nullable = nullable;
    }

    int id() {
      return id;
    }

    Key key() {
      return key;
    }

    boolean nullable() {
      return nullable;
    }
  }

  private final List<Node> nodes = new ArrayList<>();
  private final Map<Key, Node> known = new HashMap<>();
  private final Map<Integer, Map<CharacterSet, Node>> steps = new HashMap<>();
  private final Node empty = node(Kind.EMPTY, null, List.of(), 0, 0, null, true);
  private final Node nothing = node(Kind.CHOICE, null, List.of(), 0, 0, null, false);
  private final Node anything =
      repeat(
          node(Kind.SET, CharacterSet.ALL, List.of(), 0, 0, null, false), 0, Expression.UNBOUNDED);

  private Derivatives() {}

  /**
   * @throws TooLargeException if that takes too many states
   */
  static Machine machine(Expression expression) {
    Derivatives derivatives = new Derivatives();
    return derivatives.explore(derivatives.node(expression));
  }

  /** Whether a text matches as a whole. */
  static boolean matches(Expression expression, String text) {
    Derivatives derivatives = new Derivatives();
    Node node = derivatives.node(expression);
    for (int c : text.codePoints().toArray()) {
      node = derivatives.after(node, CharacterSet.range(c, c));
    }
    return node.nullable();
  }

  /**
   * Whether nothing matches.
   *
   * @return nothing if that takes too much to find out
   */
  static Optional<Boolean> isEmpty(Expression expression) {
    try {
      Derivatives derivatives = new Derivatives();
      return derivatives.finds(derivatives.node(expression));
    } catch (TooLargeException e) {
      return Optional.empty();
    }
  }

  private Optional<Boolean> finds(Node start) {
    Set<Node> seen = new LinkedHashSet<>();
    Deque<Node> pending = new ArrayDeque<>();
    seen.add(start);
    pending.add(start);
    while (!pending.isEmpty()) {
      Node node = pending.remove();
      if (node.nullable()) {
        return Optional.of(false);
      }
      for (CharacterSet set : classes(node)) {
        Node next = after(node, set);
        if (next != nothing && seen.add(next)) {
          pending.add(next);
        }
      }
      if (seen.size() > MOST_SEARCHED) {
        return Optional.empty();
      }
    }
    return Optional.of(true);
  }

  private Machine explore(Node start) {
    Map<Node, Integer> numbers = new LinkedHashMap<>();
    List<List<CharacterSet>> sets = new ArrayList<>();
    List<List<Integer>> targets = new ArrayList<>();
    Deque<Node> pending = new ArrayDeque<>();
    numbers.put(start, 0);
    pending.add(start);
    while (!pending.isEmpty()) {
      Node node = pending.remove();
      Map<Integer, CharacterSet> edges = new LinkedHashMap<>();
      for (CharacterSet set : classes(node)) {
        Node next = after(node, set);
        if (next == nothing) {
          continue;
        }
        Integer number = numbers.get(next);
        if (number == null) {
          number = numbers.size();
          if (number == MOST_STATES) {
            throw new TooLargeException();
          }
          numbers.put(next, number);
          pending.add(next);
        }
        edges.merge(number, set, CharacterSet::or);
      }
      sets.add(List.copyOf(edges.values()));
      targets.add(List.copyOf(edges.keySet()));
    }
    return trimmed(List.copyOf(numbers.keySet()), sets, targets);
  }

  /** Leaves out the states from which there is no way to the end. */
  private static Machine trimmed(
      List<Node> states, List<List<CharacterSet>> sets, List<List<Integer>> targets) {
    int size = states.size();
    List<List<Integer>> sources = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      sources.add(new ArrayList<>());
    }
    BitSet live = new BitSet();
    Deque<Integer> pending = new ArrayDeque<>();
    for (int i = 0; i < size; i++) {
      for (int target : targets.get(i)) {
        sources.get(target).add(i);
      }
      if (states.get(i).nullable()) {
        live.set(i);
        pending.add(i);
      }
    }
    while (!pending.isEmpty()) {
      for (int source : sources.get(pending.remove())) {
        if (!live.get(source)) {
          live.set(source);
          pending.add(source);
        }
      }
    }
    if (!live.get(0)) {
      return new Machine(new Machine.State[0]);
    }
    int[] numbers = new int[size];
    int count = 0;
    for (int i = 0; i < size; i++) {
      numbers[i] = live.get(i) ? count++ : -1;
    }
    Machine.State[] kept = new Machine.State[count];
    for (int i = live.nextSetBit(0); i >= 0; i = live.nextSetBit(i + 1)) {
      List<CharacterSet> keptSets = new ArrayList<>();
      List<Integer> keptTargets = new ArrayList<>();
      for (int edge = 0; edge < targets.get(i).size(); edge++) {
        if (live.get(targets.get(i).get(edge))) {
          keptSets.add(sets.get(i).get(edge));
          keptTargets.add(numbers[targets.get(i).get(edge)]);
        }
      }
      kept[numbers[i]] =
          new Machine.State(
              keptSets,
              keptTargets.stream().mapToInt(Integer::intValue).toArray(),
              states.get(i).nullable());
    }
    return new Machine(kept);
  }

  // Nodes

  private Node node(Expression expression) {
    if (expression instanceof Text text) {
      Node result = empty;
      int[] characters = text.text().codePoints().toArray();
      for (int i = characters.length - 1; i >= 0; i--) {
        result = sequence(set(CharacterSet.range(characters[i], characters[i])), result);
      }
      return result;
    } else if (expression instanceof Characters characters) {
      return set(characters.set());
    } else if (expression instanceof Sequence sequence) {
      Node result = empty;
      for (int i = sequence.parts().size() - 1; i >= 0; i--) {
        result = sequence(node(sequence.parts().get(i)), result);
      }
      return result;
    } else if (expression instanceof Choice choice) {
      return choice(choice.options().stream().map(this::node).toList());
    } else if (expression instanceof Repeat repeat) {
      return repeat(node(repeat.body()), repeat.least(), repeat.most());
    } else if (expression instanceof Both both) {
      return both(both.parts().stream().map(this::node).toList());
    } else if (expression instanceof Not not) {
      return not(node(not.body()));
    } else if (expression instanceof Accepted accepted) {
      return accepted.machine().size() == 0 ? nothing : machine(accepted.machine(), 0);
    }
    throw new IllegalStateException("There is no derivative of " + expression + ".");
  }

  private Node node(
      Kind kind,
      CharacterSet set,
      List<Integer> parts,
      int least,
      int most,
      Machine machine,
      boolean nullable) {
    Key key = new Key(kind, set, parts, least, most, machine);
    Node node = known.get(key);
    if (node == null) {
      if (nodes.size() == MOST_NODES) {
        throw new TooLargeException();
      }
      node = new Node(nodes.size(), key, nullable);
      nodes.add(node);
      known.put(key, node);
    }
    return node;
  }

  private Node set(CharacterSet set) {
    return set.isEmpty() ? nothing : node(Kind.SET, set, List.of(), 0, 0, null, false);
  }

  private Node machine(Machine machine, int state) {
    return node(Kind.MACHINE, null, List.of(), state, 0, machine, machine.state(state).accepting());
  }

  private Node sequence(Node first, Node second) {
    if (first == nothing || second == nothing) {
      return nothing;
    }
    if (first == empty) {
      return second;
    }
    if (second == empty) {
      return first;
    }
    if (first.key().kind() == Kind.SEQUENCE) {
      List<Node> parts = new ArrayList<>();
      Node rest = first;
      for (; rest.key().kind() == Kind.SEQUENCE; rest = part(rest, 1)) {
        parts.add(part(rest, 0));
      }
      Node result = sequence(rest, second);
      for (int i = parts.size() - 1; i >= 0; i--) {
        result = sequence(parts.get(i), result);
      }
      return result;
    }
    if (first == anything && second == anything) {
      return anything;
    }
    return node(
        Kind.SEQUENCE,
        null,
        List.of(first.id(), second.id()),
        0,
        0,
        null,
        first.nullable() && second.nullable());
  }

  private Node repeat(Node body, int least, int most) {
    int needed = body.nullable() ? 0 : least;
    if (body == nothing || body == empty || most == 0) {
      return body == nothing && needed > 0 ? nothing : empty;
    }
    if (needed == 1 && most == 1) {
      return body;
    }
    return node(Kind.REPEAT, null, List.of(body.id()), needed, most, null, needed == 0);
  }

  private Node choice(List<Node> options) {
    Set<Node> flat = new LinkedHashSet<>();
    for (Node option : options) {
      if (option.key().kind() == Kind.CHOICE) {
        option.key().parts().forEach(id -> flat.add(nodes.get(id)));
      } else {
        flat.add(option);
      }
    }
    if (flat.contains(anything)) {
      return anything;
    }
    Set<Integer> ids = new TreeSet<>();
    merged(flat).forEach(option -> ids.add(option.id()));
    if (ids.size() == 1) {
      return nodes.get(ids.iterator().next());
    }
    boolean nullable = ids.stream().anyMatch(id -> nodes.get(id).nullable());
    return node(Kind.CHOICE, null, List.copyOf(ids), 0, 0, null, nullable);
  }

  /** Makes one repetition of several that differ only in their counts, where these touch. */
  private List<Node> merged(Set<Node> options) {
    Map<List<Integer>, List<int[]>> counts = new LinkedHashMap<>();
    List<Node> result = new ArrayList<>();
    for (Node option : options) {
      Node head = option.key().kind() == Kind.SEQUENCE ? part(option, 0) : option;
      if (head.key().kind() == Kind.REPEAT) {
        int tail = head == option ? empty.id() : part(option, 1).id();
        counts
            .computeIfAbsent(List.of(part(head, 0).id(), tail), k -> new ArrayList<>())
            .add(new int[] {head.key().least(), head.key().most()});
      } else {
        result.add(option);
      }
    }
    counts.forEach(
        (parts, ranges) -> {
          ranges.sort((a, b) -> Integer.compare(a[0], b[0]));
          int[] last = null;
          List<int[]> joined = new ArrayList<>();
          for (int[] range : ranges) {
            if (last != null && range[0] - 1 <= last[1]) {
              last[1] = Math.max(last[1], range[1]);
            } else {
              last = range.clone();
              joined.add(last);
            }
          }
          for (int[] range : joined) {
            result.add(
                sequence(
                    repeat(nodes.get(parts.get(0)), range[0], range[1]), nodes.get(parts.get(1))));
          }
        });
    return result;
  }

  private Node both(List<Node> parts) {
    Set<Integer> ids = new TreeSet<>();
    for (Node part : parts) {
      if (part.key().kind() == Kind.BOTH) {
        ids.addAll(part.key().parts());
      } else {
        ids.add(part.id());
      }
    }
    if (ids.contains(nothing.id())) {
      return nothing;
    }
    ids.remove(anything.id());
    if (ids.size() < 2) {
      return ids.isEmpty() ? anything : nodes.get(ids.iterator().next());
    }
    boolean nullable = ids.stream().allMatch(id -> nodes.get(id).nullable());
    return node(Kind.BOTH, null, List.copyOf(ids), 0, 0, null, nullable);
  }

  private Node not(Node body) {
    if (body.key().kind() == Kind.NOT) {
      return part(body, 0);
    }
    if (body == nothing) {
      return anything;
    }
    if (body == anything) {
      return nothing;
    }
    return node(Kind.NOT, null, List.of(body.id()), 0, 0, null, !body.nullable());
  }

  private Node part(Node node, int index) {
    return nodes.get(node.key().parts().get(index));
  }

  // Steps

  /** What may follow the characters of a set that a node does not tell apart. */
  private Node after(Node node, CharacterSet set) {
    Map<CharacterSet, Node> found = steps.computeIfAbsent(node.id(), id -> new HashMap<>());
    Node next = found.get(set);
    if (next == null) {
      next = derivative(node, set);
      found.put(set, next);
    }
    return next;
  }

  private Node derivative(Node node, CharacterSet set) {
    Key key = node.key();
    switch (key.kind()) {
      case SET:
        return key.set().contains(set.first()) ? empty : nothing;
      case MACHINE:
        int target = key.machine().state(key.least()).after(set.first());
        return target < 0 ? nothing : machine(key.machine(), target);
      case SEQUENCE:
        Node first = sequence(after(part(node, 0), set), part(node, 1));
        return part(node, 0).nullable() ? choice(List.of(first, after(part(node, 1), set))) : first;
      case REPEAT:
        int most = key.most() == Expression.UNBOUNDED ? key.most() : key.most() - 1;
        return sequence(
            after(part(node, 0), set), repeat(part(node, 0), Math.max(0, key.least() - 1), most));
      case CHOICE:
        return choice(key.parts().stream().map(id -> after(nodes.get(id), set)).toList());
      case BOTH:
        return both(key.parts().stream().map(id -> after(nodes.get(id), set)).toList());
      case NOT:
        return not(after(part(node, 0), set));
      default:
        return nothing;
    }
  }

  /** All characters, in sets that a node does not tell apart. */
  private List<CharacterSet> classes(Node node) {
    Set<CharacterSet> sets = new LinkedHashSet<>();
    addSets(node, sets);
    List<CharacterSet> distinguished = List.copyOf(sets);
    int[] bounds =
        java.util.stream.IntStream.concat(
                Arrays.stream(CharacterSet.ALL.bounds()),
                distinguished.stream().flatMapToInt(set -> Arrays.stream(set.bounds())))
            .sorted()
            .distinct()
            .toArray();
    Map<BitSet, List<int[]>> classes = new LinkedHashMap<>();
    for (int i = 0; i + 1 < bounds.length; i++) {
      int first = bounds[i];
      if (CharacterSet.ALL.contains(first)) {
        BitSet members = new BitSet();
        for (int s = 0; s < distinguished.size(); s++) {
          members.set(s, distinguished.get(s).contains(first));
        }
        classes
            .computeIfAbsent(members, k -> new ArrayList<>())
            .add(new int[] {first, bounds[i + 1] - 1});
      }
    }
    return classes.values().stream().map(CharacterSet::ofRanges).toList();
  }

  private void addSets(Node node, Set<CharacterSet> sets) {
    Key key = node.key();
    switch (key.kind()) {
      case SET:
        sets.add(key.set());
        break;
      case MACHINE:
        sets.addAll(key.machine().state(key.least()).sets());
        break;
      case SEQUENCE:
        addSets(part(node, 0), sets);
        if (part(node, 0).nullable()) {
          addSets(part(node, 1), sets);
        }
        break;
      default:
        key.parts().forEach(id -> addSets(nodes.get(id), sets));
    }
  }
}
