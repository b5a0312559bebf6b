package io.minimind.template;

import java.util.List;

/** What {@code cycler("odd", "even")} gives: values that come again and again. */
final class Cycler {

  private final List<?> items;
  private int at;

  Cycler(List<?> items) {
    this.items = items;
  }

  Object attribute(String name) {
    return switch (name) {
      case "current" -> items.get(at);
      case "next" -> (Function) this::next;
      case "reset" -> (Function) this::reset;
      default -> Undefined.attribute(this, name);
    };
  }

  private Object next(Arguments arguments) {
    arguments.bind();
    Object current = items.get(at);
    at = (at + 1) % items.size();
    return current;
  }

  private Object reset(Arguments arguments) {
    arguments.bind();
    at = 0;
    return null;
  }
}
