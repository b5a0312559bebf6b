package io.minimind.template;

import io.minimind.template.Expression.FilterCall;
import io.minimind.template.Statement.Assignment;
import io.minimind.template.Statement.Branch;
import io.minimind.template.Statement.Routine;
import io.minimind.template.Statement.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Executes statements; one for each rendering. */
final class Renderer {

  /** How a statement ends. */
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private final Source source;
  private final Budget budget;
  private final Evaluator evaluator;
  private final boolean marks;
  private Output output = new Output();

  /** Whether the output is that of a macro or block, and not the rendered text itself. */
  private boolean captures;

  private boolean insideGeneration;

  /**
   * @param marks whether spans are asked for
   */
  Renderer(Source source, Budget budget, boolean marks) {
    this.marks = marks;
    this.source = source;
    this.budget = budget;
    this.evaluator = new Evaluator(source, budget);
  }

  MarkedText render(List<Statement> statements, Scope scope) {
    execute(statements, scope);
    return output.marked();
  }

  private Flow execute(List<Statement> statements, Scope scope) {
    for (Statement statement : statements) {
      Flow flow = execute(statement, scope);
      if (flow != Flow.ON) {
        return flow;
      }
    }
    return Flow.ON;
  }

  private Flow execute(Statement statement, Scope scope) {
    try {
      budget.spend(1);
      budget.enter();
      Flow flow = flow(statement, scope);
      budget.leave();
      return flow;
    } catch (Failure e) {
      throw source.error(statement.offset(), e.getMessage());
    }
  }

  private Flow flow(Statement statement, Scope scope) {
    if (statement instanceof Statement.Text text) {
      output.append(text.text());
    } else if (statement instanceof Statement.Print print) {
      output.append(Values.toText(evaluator.evaluate(print.value(), scope), budget));
    } else if (statement instanceof Statement.If branches) {
      return executeIf(branches, scope);
    } else if (statement instanceof Statement.For loop) {
      List<?> items = Values.iterate(evaluator.evaluate(loop.items(), scope), budget);
      executeFor(loop, items, scope, 0);
    } else if (statement instanceof Assignment assignment) {
      assign(assignment.target(), evaluator.evaluate(assignment.value(), scope), scope);
    } else if (statement instanceof Statement.BlockAssignment block) {
      Object value = filtered(block.filters(), capture(block.body(), new Scope(scope)), scope);
      assign(block.target(), value, scope);
    } else if (statement instanceof Statement.MacroDefinition macro) {
      scope.put(macro.routine().name(), new Macro(macro.routine(), scope));
    } else if (statement instanceof Statement.CallBlock block) {
      Macro caller = new Macro(block.caller(), scope);
      Object text = evaluator.call(block.call(), scope, Map.of("caller", caller));
      output.append(Values.toText(text, budget));
    } else if (statement instanceof Statement.FilterBlock block) {
      String text = capture(block.body(), new Scope(scope));
      output.append(Values.toText(filtered(block.filters(), text, scope), budget));
    } else if (statement instanceof Statement.With with) {
      Scope inner = new Scope(scope);
      for (Assignment one : with.assignments()) {
        assign(one.target(), evaluator.evaluate(one.value(), scope), inner);
      }
      return execute(with.body(), inner);
    } else if (statement instanceof Statement.Generation generation) {
      executeGeneration(generation, scope);
    } else {
      return statement instanceof Statement.Break ? Flow.BREAK : Flow.CONTINUE;
    }
    return Flow.ON;
  }

  private Flow executeIf(Statement.If branches, Scope scope) {
    for (Branch branch : branches.branches()) {
      if (evaluator.isTrue(branch.condition(), scope)) {
        return execute(branch.body(), scope);
      }
    }
    return execute(branches.otherwise(), scope);
  }

  private void executeFor(Statement.For loop, List<?> all, Scope scope, int depth) {
    List<?> items = all;
    if (loop.condition().isPresent()) {
      items = all.stream().filter(item -> isChosen(loop, item, scope)).toList();
    }
    boolean completed = false;
    Loop state = new Loop(items, depth, budget, inner -> capture(loop, inner, scope, depth + 1));
    for (Object item : items) {
      state.advance();
      Scope inner = new Scope(scope);
      inner.put("loop", state);
      assign(loop.target(), item, inner);
      Flow flow = execute(loop.body(), inner);
      if (flow == Flow.BREAK) {
        break;
      }
      completed |= flow == Flow.ON;
    }
    // As in jinja2, a loop that was left in its first round counts as empty.
    if (!completed) {
      execute(loop.otherwise(), new Scope(scope));
    }
  }

  private boolean isChosen(Statement.For loop, Object item, Scope scope) {
    Scope inner = new Scope(scope);
    assign(loop.target(), item, inner);
    return evaluator.isTrue(loop.condition().orElseThrow(), inner);
  }

  private String capture(Statement.For loop, Object items, Scope scope, int depth) {
    if (!loop.recursive()) {
      throw new Failure("the loop cannot be called; expected \"recursive\" at its start");
    }
    return capture(() -> executeFor(loop, Values.iterate(items, budget), scope, depth));
  }

  private void executeGeneration(Statement.Generation generation, Scope scope) {
    if (marks && captures) {
      throw new Failure(
          "a generation block stands inside of a macro, call, set or filter block, where its place"
              + " in the text is unknown");
    }
    int start = output.length();
    boolean outermost = !insideGeneration;
    insideGeneration |= outermost;
    execute(generation.body(), new Scope(scope));
    if (outermost) {
      insideGeneration = false;
      output.mark(start);
    }
  }

  private void assign(Target target, Object value, Scope scope) {
    if (target instanceof Target.Variable variable) {
      scope.put(variable.name(), value);
    } else if (target instanceof Target.Member member) {
      if (!(scope.get(member.namespace()) instanceof Namespace namespace)) {
        throw source.error(
            member.offset(),
            "only attributes of a namespace can be set, and \""
                + member.namespace()
                + "\" is "
                + Values.kind(scope.get(member.namespace())));
      }
      namespace.members().put(member.name(), value);
    } else {
      List<Target> targets = ((Target.Several) target).targets();
      List<?> values = Values.iterate(value, budget);
      if (values.size() != targets.size()) {
        throw new Failure("%d values do not go into %d variables", values.size(), targets.size());
      }
      for (int i = 0; i < targets.size(); i++) {
        assign(targets.get(i), values.get(i), scope);
      }
    }
  }

  private Object filtered(List<FilterCall> filters, Object text, Scope scope) {
    Object value = text;
    for (FilterCall filter : filters) {
      value = evaluator.filter(filter, value, scope);
    }
    return value;
  }

  private String capture(List<Statement> body, Scope scope) {
    return capture(() -> execute(body, scope));
  }

  private String capture(Runnable rendering) {
    Output outer = output;
    boolean nested = captures;
    output = new Output();
    captures = true;
    try {
      // One level for the caller, and one for what it takes of the stack besides.
      budget.enter();
      budget.enter();
      rendering.run();
      budget.leave();
      budget.leave();
      budget.spendText(output.length());
      return output.toString();
    } finally {
      output = outer;
      captures = nested;
    }
  }

  /** A macro, or the block of a call, with the scope where it was defined. */
  final class Macro implements Function {

    private final Routine routine;
    private final Scope scope;

    Macro(Routine routine, Scope scope) {
      this.routine = routine;
      this.scope = scope;
    }

    Object attribute(String name) {
      return switch (name) {
        case "name" -> routine.name();
        case "arguments" ->
            new Tuple(routine.parameters().stream().map(Statement.Parameter::name).toList());
        case "catch_kwargs" -> routine.usesKwargs();
        case "catch_varargs" -> routine.usesVarargs();
        case "caller" -> routine.usesCaller();
        default -> Undefined.attribute(this, name);
      };
    }

    @Override
    public Object call(Arguments arguments) {
      Scope inner = new Scope(scope);
      Map<String, Object> named = new LinkedHashMap<>(arguments.named());
      Object caller =
          named.containsKey("caller") ? named.remove("caller") : Undefined.variable("caller");
      List<Object> positional = arguments.positional();
      int used = 0;
      for (Statement.Parameter parameter : routine.parameters()) {
        String name = parameter.name();
        if (used < positional.size()) {
          inner.put(name, positional.get(used++));
          if (named.containsKey(name)) {
            throw new Failure("the argument \"%s\" of \"%s\" is given twice", name, routine.name());
          }
        } else if (named.containsKey(name)) {
          inner.put(name, named.remove(name));
        } else {
          inner.put(
              name,
              parameter.value().isPresent()
                  ? evaluator.evaluate(parameter.value().get(), inner)
                  : new Undefined("the parameter \"" + name + "\" was not given"));
        }
      }
      bindRest(inner, positional.subList(used, positional.size()), named, caller);
      return capture(routine.body(), inner);
    }

    private void bindRest(
        Scope inner, List<Object> positional, Map<String, Object> named, Object caller) {
      if (!positional.isEmpty() && !routine.usesVarargs()) {
        throw new Failure(
            "\"%s\" takes at most %d arguments", routine.name(), routine.parameters().size());
      } else if (!named.isEmpty() && !routine.usesKwargs()) {
        throw new Failure(
            "\"%s\" has no argument named \"%s\"",
            routine.name(), named.keySet().iterator().next());
      } else if (!(caller instanceof Undefined) && !routine.usesCaller()) {
        throw new Failure("\"%s\" does not call its caller", routine.name());
      }
      if (routine.usesVarargs()) {
        inner.put("varargs", new Tuple(positional));
      }
      if (routine.usesKwargs()) {
        inner.put("kwargs", named);
      }
      if (routine.usesCaller() && !routine.name().equals("caller")) {
        inner.put("caller", caller);
      }
    }
  }
}
