package io.minimind.template;

import io.minimind.template.Expression.CallArguments;
import io.minimind.template.Expression.Comparand;
import io.minimind.template.Expression.Entry;
import io.minimind.template.Expression.FilterCall;
import io.minimind.template.Expression.Keyword;
import io.minimind.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Expressions, with the precedence that jinja2 gives their operators, loosest first. */
final class ExpressionParser {

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<Kind> ARGUMENT_STARTS =
      Set.of(Kind.NAME, Kind.STRING, Kind.INTEGER, Kind.FLOAT);

  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /** An expression, or several with commas between them, which make a tuple. */
  Expression parseTuple() {
    return parseTuple(true);
  }

  /**
   * @param withConditional whether an {@code if} belongs to the expression
   */
  Expression parseTuple(boolean withConditional) {
    int offset = tokens.offset();
    Expression first = withConditional ? parse() : parseOr();
    if (!tokens.isAtOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",") && !isAtTupleEnd()) {
      items.add(withConditional ? parse() : parseOr());
    }
    return new Expression.Items(offset, items, true);
  }

  private boolean isAtTupleEnd() {
    return tokens.isAt(Kind.PRINT_END)
        || tokens.isAt(Kind.TAG_END)
        || tokens.isAtOperator(")")
        || tokens.isAtName("recursive");
  }

  Expression parse() {
    tokens.enter();
    int offset = tokens.offset();
    Expression value = parseOr();
    while (tokens.skipName("if")) {
      Expression condition = parseOr();
      Optional<Expression> otherwise =
          tokens.skipName("else") ? Optional.of(parse()) : Optional.empty();
      value = new Expression.Conditional(offset, condition, value, otherwise);
    }
    tokens.leave();
    return value;
  }

  private Expression parseOr() {
    Expression left = parseAnd();
    while (tokens.isAtName("or")) {
      int offset = tokens.take().offset();
      left = new Expression.Logical(offset, false, left, parseAnd());
    }
    return left;
  }

  private Expression parseAnd() {
    Expression left = parseNot();
    while (tokens.isAtName("and")) {
      int offset = tokens.take().offset();
      left = new Expression.Logical(offset, true, left, parseNot());
    }
    return left;
  }

  private Expression parseNot() {
    if (!tokens.isAtName("not")) {
      return parseComparison();
    }
    tokens.enter();
    int offset = tokens.take().offset();
    Expression operand = parseNot();
    tokens.leave();
    return new Expression.Unary(offset, "not", operand);
  }

  private Expression parseComparison() {
    int offset = tokens.offset();
    Expression first = parseSum();
    List<Comparand> others = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        offset = others.isEmpty() ? token.offset() : offset;
        others.add(new Comparand(tokens.take().text(), parseSum()));
      } else if (tokens.skipName("in")) {
        others.add(new Comparand("in", parseSum()));
      } else if (tokens.isAtName("not") && tokens.next().is(Kind.NAME, "in")) {
        tokens.take();
        tokens.take();
        others.add(new Comparand("not in", parseSum()));
      } else {
        return others.isEmpty() ? first : new Expression.Comparison(offset, first, others);
      }
    }
  }

  private Expression parseSum() {
    Expression left = parseConcatenation();
    while (tokens.isAtOperator("+") || tokens.isAtOperator("-")) {
      Token operator = tokens.take();
      left = new Expression.Binary(operator.offset(), operator.text(), left, parseConcatenation());
    }
    return left;
  }

  private Expression parseConcatenation() {
    int offset = tokens.offset();
    List<Expression> parts = new ArrayList<>(List.of(parseProduct()));
    while (tokens.skipOperator("~")) {
      parts.add(parseProduct());
    }
    return parts.size() == 1 ? parts.get(0) : new Expression.Concatenation(offset, parts);
  }

  private Expression parseProduct() {
    Expression left = parsePower();
    while (tokens.isAtOperator("*")
        || tokens.isAtOperator("/")
        || tokens.isAtOperator("//")
        || tokens.isAtOperator("%")) {
      Token operator = tokens.take();
      left = new Expression.Binary(operator.offset(), operator.text(), left, parsePower());
    }
    return left;
  }

  private Expression parsePower() {
    Expression left = parseUnary(true);
    while (tokens.isAtOperator("**")) {
      int offset = tokens.take().offset();
      left = new Expression.Binary(offset, "**", left, parseUnary(true));
    }
    return left;
  }

  private Expression parseUnary(boolean withFilters) {
    tokens.enter();
    Expression value;
    if (tokens.isAtOperator("-") || tokens.isAtOperator("+")) {
      Token operator = tokens.take();
      value = new Expression.Unary(operator.offset(), operator.text(), parseUnary(false));
    } else {
      value = parsePrimary();
    }
    value = parsePostfix(value);
    value = withFilters ? parseFiltersAndTests(value) : value;
    tokens.leave();
    return value;
  }

  Expression parsePrimary() {
    Token token = tokens.current();
    switch (token.kind()) {
      case NAME:
        tokens.take();
        return nameOrConstant(token);
      case STRING:
        StringBuilder text = new StringBuilder();
        while (tokens.isAt(Kind.STRING)) {
          text.append(tokens.take().text());
        }
        return new Expression.Constant(token.offset(), text.toString());
      case INTEGER, FLOAT:
        tokens.take();
        return new Expression.Constant(token.offset(), number(token));
      default:
        if (tokens.skipOperator("(")) {
          return parseParentheses(token.offset());
        } else if (tokens.skipOperator("[")) {
          return new Expression.Items(token.offset(), parseUntil("]"), false);
        } else if (tokens.skipOperator("{")) {
          return parseDictionary(token.offset());
        }
        throw tokens.unexpected("an expression");
    }
  }

  private Expression nameOrConstant(Token token) {
    switch (token.text()) {
      case "true", "True":
        return new Expression.Constant(token.offset(), true);
      case "false", "False":
        return new Expression.Constant(token.offset(), false);
      case "none", "None":
        return new Expression.Constant(token.offset(), null);
      default:
        tokens.noteName(token.text());
        return new Expression.Name(token.offset(), token.text());
    }
  }

  private Object number(Token token) {
    try {
      return token.kind() == Kind.FLOAT
          ? (Object) Double.valueOf(token.text().replace("_", ""))
          : (Object) Numbers.parseLiteral(token.text());
    } catch (NumberFormatException e) {
      throw tokens.error(
          token.offset(), "\"" + token.text() + "\" is no number, or does not fit into 64 bits");
    }
  }

  private Expression parseParentheses(int offset) {
    if (tokens.skipOperator(")")) {
      return new Expression.Items(offset, List.of(), true);
    }
    Expression inner = parseTuple();
    tokens.expectOperator(")");
    return inner;
  }

  private List<Expression> parseUntil(String bracket) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.skipOperator(bracket)) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(bracket)) {
          break;
        }
      }
      items.add(parse());
    }
    return items;
  }

  private Expression parseDictionary(int offset) {
    List<Entry> entries = new ArrayList<>();
    while (!tokens.skipOperator("}")) {
      if (!entries.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator("}")) {
          break;
        }
      }
      Expression key = parse();
      tokens.expectOperator(":");
      entries.add(new Entry(key, parse()));
    }
    return new Expression.Dictionary(offset, entries);
  }

  private Expression parsePostfix(Expression start) {
    Expression value = start;
    while (true) {
      int offset = tokens.offset();
      if (tokens.skipOperator(".")) {
        value = parseAttribute(offset, value);
      } else if (tokens.skipOperator("[")) {
        value = parseSubscript(offset, value);
      } else if (tokens.isAtOperator("(")) {
        value = new Expression.Call(offset, value, parseArguments());
      } else {
        return value;
      }
    }
  }

  private Expression parseAttribute(int offset, Expression target) {
    if (tokens.isAt(Kind.INTEGER)) {
      Token index = tokens.take();
      return new Expression.Subscript(
          offset, target, new Expression.Constant(index.offset(), number(index)));
    }
    return new Expression.Attribute(offset, target, tokens.expectName("a name after the dot"));
  }

  private Expression parseSubscript(int offset, Expression target) {
    Optional<Expression> start = tokens.isAtOperator(":") ? Optional.empty() : Optional.of(parse());
    if (tokens.isAtOperator(",") && start.isPresent()) {
      List<Expression> items = new ArrayList<>(List.of(start.get()));
      while (tokens.skipOperator(",")) {
        items.add(parse());
      }
      start = Optional.of(new Expression.Items(offset, items, true));
    }
    if (tokens.skipOperator("]")) {
      return new Expression.Subscript(offset, target, start.orElseThrow());
    }
    tokens.expectOperator(":");
    Optional<Expression> stop = parseBound();
    Optional<Expression> step = tokens.skipOperator(":") ? parseBound() : Optional.empty();
    tokens.expectOperator("]");
    return new Expression.Slice(offset, target, start, stop, step);
  }

  private Optional<Expression> parseBound() {
    return tokens.isAtOperator(":") || tokens.isAtOperator("]")
        ? Optional.empty()
        : Optional.of(parse());
  }

  CallArguments parseArguments() {
    tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    List<Keyword> keywords = new ArrayList<>();
    Optional<Expression> more = Optional.empty();
    Optional<Expression> moreKeywords = Optional.empty();
    boolean first = true;
    while (!tokens.skipOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(")")) {
          break;
        }
      }
      first = false;
      int offset = tokens.offset();
      if (tokens.skipOperator("*")) {
        if (more.isPresent() || moreKeywords.isPresent()) {
          throw tokens.error(offset, "unexpected \"*\"; there may be one, before any \"**\"");
        }
        more = Optional.of(parse());
      } else if (tokens.skipOperator("**")) {
        if (moreKeywords.isPresent()) {
          throw tokens.error(offset, "unexpected second \"**\"");
        }
        moreKeywords = Optional.of(parse());
      } else if (tokens.isAt(Kind.NAME) && tokens.next().is(Kind.OPERATOR, "=")) {
        String name = tokens.take().text();
        tokens.take();
        keywords.add(new Keyword(name, parse()));
      } else {
        if (!keywords.isEmpty() || more.isPresent() || moreKeywords.isPresent()) {
          throw tokens.error(offset, "a positional argument follows one with a name");
        }
        positional.add(parse());
      }
    }
    return new CallArguments(positional, keywords, more, moreKeywords);
  }

  private Expression parseFiltersAndTests(Expression start) {
    Expression value = start;
    while (true) {
      if (tokens.isAtOperator("|")) {
        value = new Expression.Filtered(value, parseFilter());
      } else if (tokens.isAtName("is")) {
        value = parseTest(value);
      } else if (tokens.isAtOperator("(")) {
        value = new Expression.Call(tokens.offset(), value, parseArguments());
      } else {
        return value;
      }
    }
  }

  /** Filters one after the other, where the first may stand without its {@code |}. */
  List<FilterCall> parseFilters(boolean firstIsBare) {
    List<FilterCall> filters = new ArrayList<>();
    if (firstIsBare) {
      filters.add(parseFilterAfterBar());
    }
    while (tokens.isAtOperator("|")) {
      filters.add(parseFilter());
    }
    return filters;
  }

  private FilterCall parseFilter() {
    tokens.expectOperator("|");
    return parseFilterAfterBar();
  }

  private FilterCall parseFilterAfterBar() {
    int offset = tokens.offset();
    String name = tokens.expectName("the name of a filter");
    if (!Filters.ALL.containsKey(name)) {
      throw tokens.error(offset, "there is no filter named \"" + name + "\"");
    }
    return new FilterCall(
        offset, name, tokens.isAtOperator("(") ? parseArguments() : CallArguments.NONE);
  }

  private Expression parseTest(Expression target) {
    tokens.take();
    boolean negated = tokens.skipName("not");
    int offset = tokens.offset();
    String name = tokens.expectName("the name of a test");
    if (!Tests.ALL.containsKey(name)) {
      throw tokens.error(offset, "there is no test named \"" + name + "\"");
    }
    CallArguments arguments = CallArguments.NONE;
    if (tokens.isAtOperator("(")) {
      arguments = parseArguments();
    } else if (isAtTestArgument()) {
      if (tokens.isAtName("is")) {
        throw tokens.error(tokens.offset(), "tests cannot be chained with \"is\"");
      }
      Expression argument = parsePostfix(parsePrimary());
      arguments =
          new CallArguments(List.of(argument), List.of(), Optional.empty(), Optional.empty());
    }
    Expression test = new Expression.Tested(offset, target, name, arguments);
    return negated ? new Expression.Unary(offset, "not", test) : test;
  }

  private boolean isAtTestArgument() {
    return (ARGUMENT_STARTS.contains(tokens.current().kind())
            || tokens.isAtOperator("[")
            || tokens.isAtOperator("{"))
        && !tokens.isAtName("else")
        && !tokens.isAtName("or")
        && !tokens.isAtName("and");
  }
}
