package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Accepted;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Sequence;
import io.minimind.infer.constraint.Expression.Text;

/**
 * How many characters the texts of an expression have.
 *
 * @param least of the shortest
 * @param most of the longest; {@link Expression#UNBOUNDED} and more for no bound
 */
record Lengths(long least, long most) {
  private static final long ENDLESS = 1L << 40; // leaves room for sums

  /** Of a regular expression without "both" and "not". */
  static Lengths of(Expression expression) {
    if (expression instanceof Text text) {
      long length = text.text().codePoints().count();
      return new Lengths(length, length);
    } else if (expression instanceof Characters) {
      return new Lengths(1, 1);
    } else if (expression instanceof Sequence sequence) {
      long least = 0;
      long most = 0;
      for (Expression part : sequence.parts()) {
        Lengths lengths = of(part);
        least = Math.min(ENDLESS, least + lengths.least);
        most = Math.min(ENDLESS, most + lengths.most);
      }
      return new Lengths(least, most);
    } else if (expression instanceof Choice choice) {
      long least = ENDLESS;
      long most = 0;
      for (Expression option : choice.options()) {
        Lengths lengths = of(option);
        least = Math.min(least, lengths.least);
        most = Math.max(most, lengths.most);
      }
      return new Lengths(least, most);
    } else if (expression instanceof Repeat repeat) {
      Lengths body = of(repeat.body());
      return new Lengths(times(body.least, repeat.least()), times(body.most, repeat.most()));
    } else if (expression instanceof Accepted accepted) {
      int[] extent = accepted.machine().extent();
      return new Lengths(extent[0], extent[1]);
    }
    throw new IllegalStateException("Unknown length of " + expression + ".");
  }

  private static long times(long length, int count) {
    return Math.min(ENDLESS, Math.min(Expression.UNBOUNDED, length) * count);
  }
}
