package io.minimind.template;

import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template has. */
final class Globals {

  private Globals() {}

  static Scope scope(Clock clock, Budget budget) {
    Scope scope = new Scope(null);
    scope.put("range", (Function) arguments -> range(arguments, budget));
    scope.put("dict", (Function) arguments -> dict(arguments, budget));
    scope.put("namespace", (Function) arguments -> namespace(arguments, budget));
    scope.put("cycler", (Function) Globals::cycler);
    scope.put("joiner", (Function) Globals::joiner);
    scope.put("raise_exception", (Function) arguments -> raise(arguments, budget));
    scope.put(
        "strftime_now",
        (Function)
            arguments -> Strftime.format(arguments.bind("format").text("format"), clock, budget));
    return scope;
  }

  private static Object range(Arguments arguments, Budget budget) {
    List<Long> bounds = arguments.positional().stream().map(Numbers::toLong).toList();
    if (bounds.isEmpty() || bounds.size() > 3 || !arguments.named().isEmpty()) {
      throw new Failure("\"range\" takes one to three integers");
    }
    long start = bounds.size() == 1 ? 0 : bounds.get(0);
    long stop = bounds.size() == 1 ? bounds.get(0) : bounds.get(1);
    long step = bounds.size() < 3 ? 1 : bounds.get(2);
    if (step == 0) {
      throw new Failure("the step of a range is 0");
    }
    int limit = 1 << 30;
    if (Math.max(Math.abs(start), Math.max(Math.abs(stop), Math.abs(step))) > limit) {
      throw new Failure("the bounds of a range are beyond %d", limit);
    }
    int count = Slices.count(start, stop, step);
    budget.spendItems(count);
    return Slices.numbers(start, step, count);
  }

  private static Map<Object, Object> dict(Arguments arguments, Budget budget) {
    Map<Object, Object> entries = new LinkedHashMap<>();
    if (arguments.positional().size() > 1) {
      throw new Failure("expected at most one argument without a name");
    }
    for (Object source : arguments.positional()) {
      if (source instanceof Map<?, ?> map) {
        entries.putAll(map);
      } else {
        for (Object entry : Values.iterate(source, budget)) {
          List<?> pair = Values.iterate(entry, budget);
          if (pair.size() != 2) {
            throw new Failure("expected pairs of a key and a value");
          }
          entries.put(Values.key(pair.get(0)), pair.get(1));
        }
      }
    }
    entries.putAll(arguments.named());
    budget.spendItems(entries.size());
    return entries;
  }

  private static Namespace namespace(Arguments arguments, Budget budget) {
    Namespace namespace = new Namespace();
    dict(arguments, budget)
        .forEach((name, value) -> namespace.members().put(Values.toText(name, budget), value));
    return namespace;
  }

  private static Object cycler(Arguments arguments) {
    if (arguments.positional().isEmpty() || !arguments.named().isEmpty()) {
      throw new Failure("\"cycler\" wants values to cycle through");
    }
    return new Cycler(arguments.positional());
  }

  /** A function that gives nothing when it is called first, and then the separator. */
  private static Object joiner(Arguments arguments) {
    String separator = arguments.bind("sep").text("sep", ", ");
    boolean[] used = new boolean[1];
    return (Function)
        none -> {
          String text = used[0] ? separator : "";
          used[0] = true;
          return text;
        };
  }

  private static Object raise(Arguments arguments, Budget budget) {
    throw new Failure("%s", Values.toText(arguments.bind("message").get("message"), budget));
  }
}
