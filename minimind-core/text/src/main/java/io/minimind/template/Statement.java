package io.minimind.template;

import io.minimind.template.Expression.FilterCall;
import java.util.List;
import java.util.Optional;

/** What is executed. Every node knows its offset in the source. */
sealed interface Statement {

  int offset();

  record Text(int offset, String text) implements Statement {}

  record Print(int offset, Expression value) implements Statement {}

  record If(int offset, List<Branch> branches, List<Statement> otherwise) implements Statement {}

  record Branch(Expression condition, List<Statement> body) {}

  record For(
      int offset,
      Target target,
      Expression items,
      Optional<Expression> condition,
      boolean recursive,
      List<Statement> body,
      List<Statement> otherwise)
      implements Statement {}

  record Assignment(int offset, Target target, Expression value) implements Statement {}

  record BlockAssignment(int offset, Target target, List<FilterCall> filters, List<Statement> body)
      implements Statement {}

  record MacroDefinition(int offset, Routine routine) implements Statement {}

  record CallBlock(int offset, Expression.Call call, Routine caller) implements Statement {}

  record FilterBlock(int offset, List<FilterCall> filters, List<Statement> body)
      implements Statement {}

  record With(int offset, List<Assignment> assignments, List<Statement> body)
      implements Statement {}

  record Generation(int offset, List<Statement> body) implements Statement {}

  record Break(int offset) implements Statement {}

  record Continue(int offset) implements Statement {}

  /**
   * What a macro or a call block defines.
   *
   * @param usesCaller whether the body reads {@code caller}; {@code varargs} and {@code kwargs}
   *     alike
   */
  record Routine(
      String name,
      List<Parameter> parameters,
      List<Statement> body,
      boolean usesCaller,
      boolean usesVarargs,
      boolean usesKwargs) {}

  record Parameter(String name, Optional<Expression> value) {}

  /** Where a value goes. */
  sealed interface Target {

    record Variable(String name) implements Target {}

    record Member(int offset, String namespace, String name) implements Target {}

    record Several(List<Target> targets) implements Target {}
  }
}
