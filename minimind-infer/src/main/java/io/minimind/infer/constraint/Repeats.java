package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Accepted;
import io.minimind.infer.constraint.Expression.Both;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Not;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Sequence;
import io.minimind.infer.constraint.Expression.Text;
import java.util.ArrayList;
import java.util.List;

/** Brings repetitions into a form in which they can be counted. */
final class Repeats {
  private static final Expression SOMETHING =
      new Repeat(new Characters(CharacterSet.ALL), 1, Expression.UNBOUNDED);

  private Repeats() {}

  /** The same texts by a repetition whose body is neither empty nor, if possible, a repetition. */
  static Repeat simplified(Repeat repeat) {
    Expression body = repeat.body();
    int least = repeat.least();
    if (isNullable(body)) {
      body = nonEmpty(body);
      least = 0;
    }
    if (body instanceof Repeat inner) {
      Repeat simple = simplified(inner);
      // So many times one count or more, without a gap: it is one repetition.
      boolean gapless =
          least == repeat.most()
              || simple.least() <= 1
              || least > 0 && (least + 1L) * simple.least() <= times(least, simple.most()) + 1L;
      if (gapless) {
        return new Repeat(
            simple.body(), times(least, simple.least()), times(repeat.most(), simple.most()));
      }
      body = simple;
    } else if (body instanceof Choice choice && choice.options().size() == 1) {
      return simplified(new Repeat(choice.options().get(0), least, repeat.most()));
    } else if (body instanceof Sequence sequence && sequence.parts().size() == 1) {
      return simplified(new Repeat(sequence.parts().get(0), least, repeat.most()));
    }
    return new Repeat(body, least, repeat.most());
  }

  private static int times(int one, int other) {
    if (one == 0 || other == 0) {
      return 0;
    }
    return one == Expression.UNBOUNDED || other == Expression.UNBOUNDED
        ? Expression.UNBOUNDED
        : (int) Math.min((long) one * other, Expression.UNBOUNDED - 1);
  }

  /** Whether the empty text matches. */
  static boolean isNullable(Expression expression) {
    if (expression instanceof Text text) {
      return text.text().isEmpty();
    } else if (expression instanceof Sequence sequence) {
      return sequence.parts().stream().allMatch(Repeats::isNullable);
    } else if (expression instanceof Choice choice) {
      return choice.options().stream().anyMatch(Repeats::isNullable);
    } else if (expression instanceof Repeat repeat) {
      return repeat.least() == 0 || isNullable(repeat.body());
    } else if (expression instanceof Both both) {
      return both.parts().stream().allMatch(Repeats::isNullable);
    } else if (expression instanceof Not not) {
      return !isNullable(not.body());
    } else if (expression instanceof Accepted accepted) {
      return accepted.machine().size() > 0 && accepted.machine().state(0).accepting();
    }
    return false;
  }

  /** What matches, but for the empty text. */
  private static Expression nonEmpty(Expression expression) {
    if (!isNullable(expression)) {
      return expression;
    } else if (expression instanceof Sequence sequence) {
      Expression result = Expression.NOTHING;
      Expression rest = Expression.EMPTY;
      for (int i = sequence.parts().size() - 1; i >= 0; i--) {
        Expression part = sequence.parts().get(i);
        result = Expression.choice(Expression.sequence(nonEmpty(part), rest), result);
        rest = Expression.sequence(part, rest);
      }
      return result;
    } else if (expression instanceof Choice choice) {
      return Expression.choice(
          choice.options().stream()
              .map(Repeats::nonEmpty)
              .filter(option -> !option.equals(Expression.NOTHING))
              .toList());
    } else if (expression instanceof Repeat repeat) {
      return repeat.most() == 0
          ? Expression.NOTHING
          : new Repeat(nonEmpty(repeat.body()), 1, repeat.most());
    } else if (expression instanceof Text) {
      return Expression.NOTHING;
    }
    return new Both(List.of(expression, SOMETHING));
  }

  /** About how many states an expression takes. */
  static long weight(Expression expression) {
    long weight = 1;
    if (expression instanceof Text text) {
      weight = text.text().length();
    } else if (expression instanceof Sequence sequence) {
      weight = sum(sequence.parts());
    } else if (expression instanceof Choice choice) {
      weight = 1 + sum(choice.options());
    } else if (expression instanceof Repeat repeat) {
      long body = weight(repeat.body());
      weight = repeat.most() == Expression.UNBOUNDED ? 1 + body : repeat.most() * body;
    } else if (expression instanceof Both both) {
      weight = 100 * sum(both.parts());
    } else if (expression instanceof Not not) {
      weight = 100 * weight(not.body());
    } else if (expression instanceof Accepted accepted) {
      weight = accepted.machine().size();
    }
    return Math.min(weight, Integer.MAX_VALUE);
  }

  private static long sum(List<Expression> parts) {
    return parts.stream().mapToLong(Repeats::weight).sum();
  }

  /** The same with no count above a bound; texts up to that length stay the same. */
  static Expression bounded(Expression expression, int bound) {
    if (expression instanceof Sequence sequence) {
      return new Sequence(bounded(sequence.parts(), bound));
    } else if (expression instanceof Choice choice) {
      return new Choice(bounded(choice.options(), bound));
    } else if (expression instanceof Repeat repeat) {
      Repeat simple = simplified(repeat);
      boolean longer = simple.most() != Expression.UNBOUNDED && simple.most() > bound;
      return new Repeat(
          bounded(simple.body(), bound),
          Math.min(simple.least(), bound + 1),
          longer ? bound + 1 : simple.most());
    }
    return expression;
  }

  private static List<Expression> bounded(List<Expression> parts, int bound) {
    List<Expression> result = new ArrayList<>();
    parts.forEach(part -> result.add(bounded(part, bound)));
    return result;
  }
}
