package io.minimind.infer.graph;

import io.minimind.files.Quoted;
import io.minimind.infer.graph.OnnxModel.Node;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A node and its inputs, as the rule of its operator asks for them. */
final class NodeCheck {
  private final Node node;
  private final List<Value> inputs;
  private final Set<String> asked = new HashSet<>();
  private final GraphState state;

  /**
   * @param inputs null for those that are left out
   */
  NodeCheck(Node node, List<Value> inputs, GraphState state) {
    this.node = node;
    this.inputs = inputs;
    this.state = state;
  }

  /** What concerns the graph as a whole. */
  GraphState state() {
    return state;
  }

  /** All inputs, of which there must be so many. */
  List<Value> inputs(int least, int most) throws GraphException {
    if (inputs.size() < least || inputs.size() > most || inputs.contains(null)) {
      throw new GraphException("it has " + inputs.size() + " inputs");
    }
    return inputs;
  }

  /** Whether an input is there. */
  boolean has(int index) {
    return index < inputs.size() && inputs.get(index) != null;
  }

  Value input(int index) throws GraphException {
    if (!has(index)) {
      throw new GraphException("its input " + index + " is missing");
    }
    return inputs.get(index);
  }

  Value input(int index, int type) throws GraphException {
    Value value = input(index);
    require(value.type() == type, "its input %s has elements of another type", index);
    return value;
  }

  Value input(int index, int type, int rank) throws GraphException {
    Value value = input(index, type);
    require(value.rank() == rank, "its input %s has the shape %s", index, value);
    return value;
  }

  int outputs() {
    return node.outputs().size();
  }

  /** A whole number in a range, or its default where it is not given. */
  long integer(String name, long absent, long least, long most) throws GraphException {
    asked.add(name);
    Object value = node.attributes().getOrDefault(name, absent);
    if (!(value instanceof Long number) || number < least || number > most) {
      throw outside(name, value);
    }
    return number;
  }

  /** An axis of a tensor, of which negative ones count from its end. */
  int axis(String name, long absent, int rank) throws GraphException {
    long axis = integer(name, absent, -rank, rank - 1L);
    return (int) (axis < 0 ? axis + rank : axis);
  }

  /** A finite number in a range, or its default where it is not given. */
  float real(String name, float absent, float least, float most) throws GraphException {
    asked.add(name);
    Object value = node.attributes().getOrDefault(name, absent);
    if (!(value instanceof Float number) || !(number >= least && number <= most)) {
      throw outside(name, value);
    }
    return number;
  }

  /** Whole numbers, none where they are not given. */
  @SuppressWarnings("unchecked") // lists in attributes are of numbers
  List<Long> integers(String name) throws GraphException {
    asked.add(name);
    Object value = node.attributes().getOrDefault(name, List.of());
    if (!(value instanceof List<?> numbers) || numbers.size() > 8) {
      throw outside(name, value);
    }
    return (List<Long>) numbers;
  }

  /** No attribute may stand there that no rule asked for. */
  void requireNoOtherAttributes() throws GraphException {
    List<String> others = new ArrayList<>(node.attributes().keySet());
    others.removeAll(asked);
    if (!others.isEmpty()) {
      throw new GraphException("it has the attribute " + Quoted.text(String.join(", ", others)));
    }
  }

  /**
   * @param otherwise what is wrong, in which {@code %s} stands for each of the values; it is put
   *     together only then
   */
  static void require(boolean holds, String otherwise, Object... values) throws GraphException {
    if (!holds) {
      throw new GraphException(otherwise.formatted(values));
    }
  }

  private static GraphException outside(String name, Object value) {
    return new GraphException("its attribute %s is %.80s".formatted(name, value));
  }
}
