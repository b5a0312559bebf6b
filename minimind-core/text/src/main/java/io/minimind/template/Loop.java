package io.minimind.template;

import java.util.List;

/** The variable {@code loop}. */
final class Loop implements Function {

  /** Renders the loop over other elements. */
  interface Recursion {
    String render(Object items);
  }

  private final List<?> items;
  private final int depth;
  private final Budget budget;
  private final Recursion recursion;
  private int index = -1;
  private List<Object> changing = List.of();

  Loop(List<?> items, int depth, Budget budget, Recursion recursion) {
    this.items = items;
    this.depth = depth;
    this.budget = budget;
    this.recursion = recursion;
  }

  void advance() {
    index++;
  }

  Object attribute(String name) {
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) items.size() - index;
      case "revindex0" -> items.size() - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == items.size() - 1;
      case "length" -> (long) items.size();
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" -> neighbour(index - 1);
      case "nextitem" -> neighbour(index + 1);
      case "cycle" -> (Function) this::cycle;
      case "changed" -> (Function) this::changed;
      default -> Undefined.attribute(this, name);
    };
  }

  private Object neighbour(int position) {
    return position >= 0 && position < items.size()
        ? items.get(position)
        : new Undefined("there is no such element in the loop");
  }

  private Object cycle(Arguments arguments) {
    if (arguments.positional().isEmpty()) {
      throw new Failure("\"cycle\" needs values to cycle through");
    }
    return arguments.positional().get(index % arguments.positional().size());
  }

  private Object changed(Arguments arguments) {
    boolean changed =
        changing.isEmpty() || !Values.equal(changing.get(0), arguments.positional(), budget);
    changing = List.of(arguments.positional());
    return changed;
  }

  @Override
  public Object call(Arguments arguments) {
    return recursion.render(arguments.bind("items").get("items"));
  }
}
