package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Rule;
import io.minimind.infer.constraint.Expression.Sequence;
import io.minimind.infer.constraint.Expression.Text;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Cuts an expression down to texts of some lengths in characters. */
final class Lengths {
  private static final long ENDLESS = 1L << 40; // leaves room for sums
  private static final Expression NOTHING = new Choice(List.of());

  private final Map<Expression, Map<Integer, Expression>> known = new IdentityHashMap<>();
  private final Map<Repeat, Repeat> rests = new IdentityHashMap<>();
  private final Map<Sequence, Sequence> tails = new IdentityHashMap<>();

  private Lengths() {}

  /** The texts of an expression without recursion that have from least to most characters. */
  static Expression between(Expression expression, int least, int most) {
    Lengths lengths = new Lengths();
    List<Expression> options = new ArrayList<>();
    for (int length = least; length <= most; length++) {
      options.add(lengths.exactly(expression, length));
    }
    return choice(options);
  }

  /** The length of the shortest text. */
  static long least(Expression expression) {
    if (expression instanceof Text text) {
      return text.text().codePoints().count();
    } else if (expression instanceof Sequence sequence) {
      return sequence.parts().stream().mapToLong(Lengths::least).sum();
    } else if (expression instanceof Choice choice) {
      return choice.options().stream().mapToLong(Lengths::least).min().orElse(0);
    } else if (expression instanceof Repeat repeat) {
      return Math.min(
          ENDLESS, Math.min(Expression.UNBOUNDED, least(repeat.body())) * repeat.least());
    }
    return 1;
  }

  /** The length of the longest text, or {@link Expression#UNBOUNDED} and more. */
  static long most(Expression expression) {
    if (expression instanceof Text text) {
      return text.text().codePoints().count();
    } else if (expression instanceof Sequence sequence) {
      return sequence.parts().stream().mapToLong(Lengths::most).sum();
    } else if (expression instanceof Choice choice) {
      return choice.options().stream().mapToLong(Lengths::most).max().orElse(0);
    } else if (expression instanceof Repeat repeat) {
      return Math.min(ENDLESS, Math.min(Expression.UNBOUNDED, most(repeat.body())) * repeat.most());
    }
    return 1;
  }

  private Expression exactly(Expression expression, int length) {
    Map<Integer, Expression> found = known.computeIfAbsent(expression, e -> new HashMap<>());
    Expression cut = found.get(length);
    if (cut == null) {
      cut = find(expression, length);
      // As a rule, it is not compiled again for each way to get there.
      cut = cut instanceof Choice choice && choice.options().size() > 1 ? new Rule(cut) : cut;
      found.put(length, cut);
    }
    return cut;
  }

  private Expression find(Expression expression, int length) {
    if (length < 0 || length < least(expression) || length > most(expression)) {
      return NOTHING;
    } else if (expression instanceof Characters || expression instanceof Text) {
      return expression;
    } else if (expression instanceof Choice choice) {
      return choice(choice.options().stream().map(option -> exactly(option, length)).toList());
    } else if (expression instanceof Sequence sequence) {
      if (sequence.parts().isEmpty()) {
        return Expression.EMPTY;
      }
      Sequence tail = tails.computeIfAbsent(sequence, Lengths::tail);
      return joined(sequence.parts().get(0), tail, length, 0);
    } else if (expression instanceof Repeat repeat) {
      if (length == 0) {
        return Expression.EMPTY;
      }
      Repeat rest = rests.computeIfAbsent(repeat, Lengths::less);
      return joined(repeat.body(), rest, length, 1);
    }
    throw new IllegalStateException("A pattern has no rules.");
  }

  private static Sequence tail(Sequence sequence) {
    return new Sequence(sequence.parts().subList(1, sequence.parts().size()));
  }

  private static Repeat less(Repeat repeat) {
    if (repeat.least() == 0 && repeat.most() == Expression.UNBOUNDED) {
      return repeat; // the same object, so that it is cut down once
    }
    int most = repeat.most() == Expression.UNBOUNDED ? repeat.most() : repeat.most() - 1;
    return new Repeat(repeat.body(), Math.max(0, repeat.least() - 1), most);
  }

  /** One after the other, with at least so many characters in the first. */
  private Expression joined(Expression first, Expression second, int length, int least) {
    List<Expression> options = new ArrayList<>();
    for (int head = least; head <= length; head++) {
      Expression one = exactly(first, head);
      Expression two = one == NOTHING ? NOTHING : exactly(second, length - head);
      if (two != NOTHING) {
        options.add(Expression.sequence(one, two));
      }
    }
    return choice(options);
  }

  private static Expression choice(List<Expression> options) {
    List<Expression> possible = options.stream().filter(option -> option != NOTHING).toList();
    if (possible.isEmpty()) {
      return NOTHING;
    }
    return possible.size() == 1 ? possible.get(0) : new Choice(possible);
  }
}
