package io.minimind.template;

import io.minimind.template.Expression.CallArguments;
import io.minimind.template.Expression.Comparand;
import io.minimind.template.Expression.FilterCall;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Gives expressions their values. */
final class Evaluator {

  private final Source source;
  private final Budget budget;
  private final Operators operators;

  Evaluator(Source source, Budget budget) {
    this.source = source;
    this.budget = budget;
    this.operators = new Operators(budget);
  }

  /**
   * @throws TemplateException if there is no value, with the innermost place that is to blame
   */
  Object evaluate(Expression expression, Scope scope) {
    try {
      budget.spend(1);
      budget.enter();
      Object value = value(expression, scope);
      budget.leave();
      return value;
    } catch (Failure e) {
      throw source.error(expression.offset(), e.getMessage());
    }
  }

  boolean isTrue(Expression condition, Scope scope) {
    return Values.isTrue(evaluate(condition, scope));
  }

  private Object value(Expression expression, Scope scope) {
    if (expression instanceof Expression.Constant constant) {
      return constant.value();
    } else if (expression instanceof Expression.Name name) {
      return scope.get(name.name());
    } else if (expression instanceof Expression.Attribute attribute) {
      return Attributes.attribute(evaluate(attribute.target(), scope), attribute.name(), budget);
    } else if (expression instanceof Expression.Subscript subscript) {
      return Attributes.item(
          evaluate(subscript.target(), scope), evaluate(subscript.index(), scope), budget);
    } else if (expression instanceof Expression.Slice slice) {
      return slice(slice, scope);
    } else if (expression instanceof Expression.Call call) {
      return call(call, scope, Map.of());
    } else if (expression instanceof Expression.Filtered filtered) {
      return filter(filtered.filter(), evaluate(filtered.target(), scope), scope);
    } else if (expression instanceof Expression.Tested tested) {
      return Tests.test(
          tested.name(),
          evaluate(tested.target(), scope),
          arguments(tested.arguments(), scope),
          budget);
    } else if (expression instanceof Expression.Unary unary) {
      return operators.unary(unary.operator(), evaluate(unary.operand(), scope));
    } else if (expression instanceof Expression.Binary binary) {
      return operators.binary(
          binary.operator(), evaluate(binary.left(), scope), evaluate(binary.right(), scope));
    } else if (expression instanceof Expression.Logical logical) {
      Object left = evaluate(logical.left(), scope);
      return Values.isTrue(left) == logical.isAnd() ? evaluate(logical.right(), scope) : left;
    } else if (expression instanceof Expression.Comparison comparison) {
      return compare(comparison, scope);
    } else if (expression instanceof Expression.Concatenation concatenation) {
      return operators.concatenate(evaluateAll(concatenation.parts(), scope));
    } else if (expression instanceof Expression.Conditional conditional) {
      return conditional(conditional, scope);
    } else if (expression instanceof Expression.Items items) {
      List<Object> values = evaluateAll(items.items(), scope);
      return items.isTuple() ? new Tuple(values) : values;
    }
    return dictionary((Expression.Dictionary) expression, scope);
  }

  private List<Object> evaluateAll(List<Expression> expressions, Scope scope) {
    List<Object> values = new ArrayList<>();
    expressions.forEach(one -> values.add(evaluate(one, scope)));
    return values;
  }

  private Map<Object, Object> dictionary(Expression.Dictionary dictionary, Scope scope) {
    Map<Object, Object> values = new LinkedHashMap<>();
    for (Expression.Entry entry : dictionary.entries()) {
      values.put(Values.key(evaluate(entry.key(), scope)), evaluate(entry.value(), scope));
    }
    return values;
  }

  private boolean compare(Expression.Comparison comparison, Scope scope) {
    Object left = evaluate(comparison.first(), scope);
    for (Comparand other : comparison.others()) {
      Object right = evaluate(other.operand(), scope);
      if (!operators.compare(other.operator(), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object conditional(Expression.Conditional conditional, Scope scope) {
    if (isTrue(conditional.condition(), scope)) {
      return evaluate(conditional.value(), scope);
    } else if (conditional.otherwise().isPresent()) {
      return evaluate(conditional.otherwise().get(), scope);
    }
    return new Undefined("the condition is false, and there is no \"else\"");
  }

  private Object slice(Expression.Slice slice, Scope scope) {
    Object target = evaluate(slice.target(), scope);
    Object start = bound(slice.start(), scope);
    Object stop = bound(slice.stop(), scope);
    Object step = bound(slice.step(), scope);
    if (target instanceof String text) {
      budget.spendText(text.length());
      return Text.slice(text, Slices.range(Text.length(text), start, stop, step));
    } else if (target instanceof List<?> list) {
      Slices.Range range = Slices.range(list.size(), start, stop, step);
      budget.spendItems(range.count());
      return Slices.of(list, range);
    } else if (target instanceof Undefined undefined) {
      throw new Failure("%s", undefined.problem());
    }
    throw new Failure("%s cannot be sliced; expected a list or a string", Values.kind(target));
  }

  private Object bound(Optional<Expression> bound, Scope scope) {
    return bound.map(expression -> evaluate(expression, scope)).orElse(null);
  }

  /**
   * @param named arguments besides those that are written
   */
  Object call(Expression.Call call, Scope scope, Map<String, Object> named) {
    try {
      Object target = evaluate(call.target(), scope);
      Arguments arguments = arguments(call.arguments(), scope);
      arguments.named().putAll(named);
      if (target instanceof Function function) {
        return function.call(arguments);
      } else if (target instanceof Undefined undefined) {
        throw new Failure("%s, so it cannot be called", undefined.problem());
      }
      throw new Failure("%s cannot be called", Values.kind(target));
    } catch (Failure e) {
      throw source.error(call.offset(), e.getMessage());
    }
  }

  Object filter(FilterCall filter, Object value, Scope scope) {
    try {
      return Filters.apply(filter.name(), value, arguments(filter.arguments(), scope), budget);
    } catch (Failure e) {
      throw source.error(
          filter.offset(), "the filter \"" + filter.name() + "\": " + e.getMessage());
    }
  }

  private Arguments arguments(CallArguments written, Scope scope) {
    List<Object> positional = evaluateAll(written.positional(), scope);
    Map<String, Object> named = new LinkedHashMap<>();
    written.keywords().forEach(one -> named.put(one.name(), evaluate(one.value(), scope)));
    if (written.more().isPresent()) {
      List<?> more = Values.iterate(evaluate(written.more().get(), scope), budget);
      budget.spendItems(more.size());
      positional.addAll(more);
    }
    if (written.moreKeywords().isPresent()) {
      if (!(evaluate(written.moreKeywords().get(), scope) instanceof Map<?, ?> more)) {
        throw new Failure("expected a mapping after \"**\"");
      }
      budget.spendItems(more.size());
      more.forEach((name, value) -> named.put(Values.toText(name, budget), value));
    }
    return new Arguments(positional, named);
  }
}
