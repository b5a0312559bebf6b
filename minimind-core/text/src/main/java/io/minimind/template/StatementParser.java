package io.minimind.template;

import io.minimind.template.Expression.FilterCall;
import io.minimind.template.Statement.Assignment;
import io.minimind.template.Statement.Branch;
import io.minimind.template.Statement.Parameter;
import io.minimind.template.Statement.Routine;
import io.minimind.template.Statement.Target;
import io.minimind.template.Token.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Text and tags. */
final class StatementParser {

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private boolean insideLoop;
  private boolean marksGeneration;

  StatementParser(Source source) {
    this.tokens = new TokenStream(source);
    this.expressions = new ExpressionParser(tokens);
  }

  List<Statement> parse() {
    List<Statement> statements = parseUntil();
    if (!tokens.isAt(Kind.END)) {
      throw tokens.unexpected("the end of the template");
    }
    return statements;
  }

  /** Whether there was a generation block. */
  boolean marksGeneration() {
    return marksGeneration;
  }

  /**
   * Statements up to a tag with one of the names, or the end of the template if there are none.
   * What comes next is that name.
   */
  private List<Statement> parseUntil(String... ends) {
    tokens.enter();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      if (token.kind() == Kind.TEXT) {
        tokens.take();
        statements.add(new Statement.Text(token.offset(), token.text()));
      } else if (token.kind() == Kind.PRINT_START) {
        tokens.take();
        statements.add(new Statement.Print(token.offset(), expressions.parseTuple()));
        tokens.expect(Kind.PRINT_END, "\"}}\"");
      } else if (token.kind() == Kind.TAG_START) {
        tokens.take();
        if (Arrays.stream(ends).anyMatch(tokens::isAtName)) {
          break;
        }
        statements.add(parseTag(token.offset(), ends));
        tokens.expect(Kind.TAG_END, "\"%}\"");
      } else if (ends.length == 0) {
        break;
      } else {
        throw tokens.unexpected("{% " + String.join(" %} or {% ", ends) + " %}");
      }
    }
    tokens.leave();
    return statements;
  }

  private List<Statement> parseBody(String... ends) {
    tokens.expect(Kind.TAG_END, "\"%}\"");
    return parseUntil(ends);
  }

  /** Everything up to a closing tag, of which the name is taken. */
  private List<Statement> parseBlock(String end) {
    List<Statement> body = parseBody(end);
    tokens.take();
    return body;
  }

  private Statement parseTag(int offset, String... ends) {
    Token name = tokens.expect(Kind.NAME, "the name of a tag");
    return switch (name.text()) {
      case "if" -> parseIf(offset);
      case "for" -> parseFor(offset);
      case "set" -> parseSet(offset);
      case "macro" -> parseMacro(offset);
      case "call" -> parseCall(offset);
      case "filter" -> {
        List<FilterCall> filters = expressions.parseFilters(true);
        yield new Statement.FilterBlock(offset, filters, parseBlock("endfilter"));
      }
      case "with" -> parseWith(offset);
      case "generation" -> {
        marksGeneration = true;
        yield new Statement.Generation(offset, outsideLoop(() -> parseBlock("endgeneration")));
      }
      case "break" -> {
        requireLoop(name);
        yield new Statement.Break(offset);
      }
      case "continue" -> {
        requireLoop(name);
        yield new Statement.Continue(offset);
      }
      default ->
          throw tokens.error(
              name.offset(),
              ends.length == 0
                  ? "unknown tag \"" + name.text() + "\""
                  : "unknown tag \"%s\", where {%% %s %%} is still to come"
                      .formatted(name.text(), String.join(" %} or {% ", ends)));
    };
  }

  private void requireLoop(Token name) {
    if (!insideLoop) {
      throw tokens.error(name.offset(), "\"" + name.text() + "\" stands outside of a loop");
    }
  }

  private interface Part<T> {
    T parse();
  }

  private <T> T outsideLoop(Part<T> part) {
    return inLoop(false, part);
  }

  private <T> T inLoop(boolean inside, Part<T> part) {
    boolean before = insideLoop;
    insideLoop = inside;
    T parsed = part.parse();
    insideLoop = before;
    return parsed;
  }

  private Statement parseIf(int offset) {
    List<Branch> branches = new ArrayList<>();
    do {
      Expression condition = expressions.parseTuple(false);
      branches.add(new Branch(condition, parseBody("elif", "else", "endif")));
    } while (tokens.skipName("elif"));
    List<Statement> otherwise = List.of();
    if (tokens.skipName("else")) {
      otherwise = parseBody("endif");
    }
    tokens.take();
    return new Statement.If(offset, branches, otherwise);
  }

  private Statement parseFor(int offset) {
    Target target = parseTarget();
    if (!tokens.skipName("in")) {
      throw tokens.unexpected("\"in\"");
    }
    Expression items = expressions.parseTuple(false);
    Optional<Expression> condition =
        tokens.skipName("if") ? Optional.of(expressions.parse()) : Optional.empty();
    boolean recursive = tokens.skipName("recursive");
    List<Statement> body = inLoop(true, () -> parseBody("else", "endfor"));
    List<Statement> otherwise = List.of();
    if (tokens.skipName("else")) {
      otherwise = parseBody("endfor");
    }
    tokens.take();
    return new Statement.For(offset, target, items, condition, recursive, body, otherwise);
  }

  private Statement parseSet(int offset) {
    Target target = parseTarget();
    if (tokens.skipOperator("=")) {
      return new Assignment(offset, target, expressions.parseTuple());
    }
    if (!tokens.isAtOperator("|") && !tokens.isAt(Kind.TAG_END)) {
      throw tokens.unexpected("\"=\" or \"%}\"");
    }
    List<FilterCall> filters = expressions.parseFilters(false);
    return new Statement.BlockAssignment(offset, target, filters, parseBlock("endset"));
  }

  private Target parseTarget() {
    Target first = parseOneTarget();
    if (!tokens.isAtOperator(",")) {
      return first;
    }
    List<Target> targets = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",")) {
      if (!tokens.isAt(Kind.NAME) && !tokens.isAtOperator("(")) {
        break;
      }
      targets.add(parseOneTarget());
    }
    return new Target.Several(targets);
  }

  private Target parseOneTarget() {
    if (tokens.skipOperator("(")) {
      tokens.enter();
      Target inner = parseTarget();
      tokens.expectOperator(")");
      tokens.leave();
      return inner;
    }
    int offset = tokens.offset();
    String name = tokens.expectName("the name of a variable");
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw tokens.error(offset, "\"" + name + "\" is a constant; expected the name of a variable");
    }
    return tokens.skipOperator(".")
        ? new Target.Member(offset, name, tokens.expectName("a name after the dot"))
        : new Target.Variable(name);
  }

  private Statement parseMacro(int offset) {
    String name = tokens.expectName("the name of the macro");
    return new Statement.MacroDefinition(offset, parseRoutine(name, "endmacro"));
  }

  private Statement parseCall(int offset) {
    // The parameters of the block come first, and then who it is given to.
    List<Parameter> parameters = tokens.isAtOperator("(") ? parseParameters() : List.of();
    int start = tokens.offset();
    if (!(expressions.parse() instanceof Expression.Call call)) {
      throw tokens.error(start, "expected the call of a macro");
    }
    return new Statement.CallBlock(offset, call, parseRoutine("caller", parameters, "endcall"));
  }

  private Routine parseRoutine(String name, String end) {
    return parseRoutine(name, parseParameters(), end);
  }

  private Routine parseRoutine(String name, List<Parameter> parameters, String end) {
    Set<String> outer = tokens.swapNames(new HashSet<>());
    List<Statement> body = outsideLoop(() -> parseBlock(end));
    Set<String> names = tokens.swapNames(outer);
    outer.addAll(names);
    return new Routine(
        name,
        parameters,
        body,
        names.contains("caller"),
        names.contains("varargs"),
        names.contains("kwargs"));
  }

  private List<Parameter> parseParameters() {
    tokens.expectOperator("(");
    List<Parameter> parameters = new ArrayList<>();
    while (!tokens.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      int offset = tokens.offset();
      String name = tokens.expectName("the name of a parameter");
      Optional<Expression> value =
          tokens.skipOperator("=") ? Optional.of(expressions.parse()) : Optional.empty();
      if (value.isEmpty() && !parameters.isEmpty() && last(parameters).value().isPresent()) {
        throw tokens.error(offset, "the parameter \"" + name + "\" needs a default as well");
      }
      parameters.add(new Parameter(name, value));
    }
    return parameters;
  }

  private static Parameter last(List<Parameter> parameters) {
    return parameters.get(parameters.size() - 1);
  }

  private Statement parseWith(int offset) {
    List<Assignment> assignments = new ArrayList<>();
    while (!tokens.isAt(Kind.TAG_END)) {
      if (!assignments.isEmpty()) {
        tokens.expectOperator(",");
      }
      int start = tokens.offset();
      Target target = parseOneTarget();
      tokens.expectOperator("=");
      assignments.add(new Assignment(start, target, expressions.parse()));
    }
    return new Statement.With(offset, assignments, parseBlock("endwith"));
  }
}
