package io.minimind.template;

/**
 * The value of what there is not. It prints as nothing and is false, but cannot be called or asked
 * for attributes.
 *
 * @param problem what is missing, as a clause
 */
record Undefined(String problem) {

  static Undefined variable(String name) {
    return new Undefined("\"" + name + "\" is undefined");
  }

  static Undefined attribute(Object target, Object name) {
    return new Undefined(
        name instanceof String
            ? "%s has no attribute \"%s\"".formatted(Values.kind(target), name)
            : "%s has no such element".formatted(Values.kind(target)));
  }
}
