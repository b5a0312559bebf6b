package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Both;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Not;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Text;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Strings that belong to some languages and not to others.
 *
 * @param least characters
 * @param most characters, or {@link Expression#UNBOUNDED}
 * @param values the only ones in question, if they are listed
 */
record StringSet(
    Set<Language> in, Set<Language> out, int least, int most, Optional<List<String>> values) {
  static final StringSet ALL =
      new StringSet(Set.of(), Set.of(), 0, Expression.UNBOUNDED, Optional.empty());

  static StringSet of(Language language) {
    return new StringSet(Set.of(language), Set.of(), 0, Expression.UNBOUNDED, Optional.empty());
  }

  static StringSet of(List<String> values) {
    return new StringSet(Set.of(), Set.of(), 0, Expression.UNBOUNDED, Optional.of(values));
  }

  StringSet withLengths(int shortest, int longest) {
    return new StringSet(in, out, shortest, longest, values);
  }

  StringSet and(StringSet other) {
    Optional<List<String>> both = values.or(other::values);
    if (values.isPresent() && other.values.isPresent()) {
      Set<String> listed = new HashSet<>(other.values.get());
      both = Optional.of(values.get().stream().filter(listed::contains).toList());
    }
    StringSet all =
        new StringSet(
            union(in, other.in),
            union(out, other.out),
            Math.max(least, other.least),
            Math.min(most, other.most),
            Optional.empty());
    return both.isEmpty() ? all : of(both.get().stream().filter(all::contains).toList());
  }

  private static Set<Language> union(Set<Language> one, Set<Language> other) {
    Set<Language> union = new LinkedHashSet<>(one);
    union.addAll(other);
    return union;
  }

  boolean contains(String text) {
    int length = text.codePointCount(0, text.length());
    return least <= length
        && length <= most
        && values.map(list -> list.contains(text)).orElse(true)
        && in.stream().allMatch(language -> language.contains(text))
        && out.stream().allMatch(language -> language.excludes(text));
  }

  /** All other strings. */
  List<StringSet> not() {
    List<StringSet> others = new ArrayList<>();
    for (Language language : in) {
      others.add(
          new StringSet(Set.of(), Set.of(language), 0, Expression.UNBOUNDED, Optional.empty()));
    }
    out.forEach(language -> others.add(of(language)));
    if (least > 0) {
      others.add(ALL.withLengths(0, least - 1));
    }
    if (most < Expression.UNBOUNDED) {
      others.add(ALL.withLengths(most + 1, Expression.UNBOUNDED));
    }
    values.ifPresent(
        list -> {
          Expression any = Expression.choice(list.stream().<Expression>map(Text::new).toList());
          others.add(
              new StringSet(
                  Set.of(),
                  Set.of(Language.of("the values", any)),
                  0,
                  Expression.UNBOUNDED,
                  Optional.empty()));
        });
    return others;
  }

  /** Whether it is easy to see that there are none. */
  boolean isEmpty() {
    if (least > most || values.isPresent() && values.get().isEmpty()) {
      return true;
    }
    if (values.isPresent() || in.isEmpty() || in.size() + out.size() < 2) {
      return false;
    }
    return Derivatives.isEmpty(unmeasured()).orElse(false);
  }

  /** The texts without regard to their lengths. */
  private Expression unmeasured() {
    List<Expression> parts = new ArrayList<>();
    in.forEach(language -> parts.add(language.certain()));
    if (parts.isEmpty()) {
      parts.add(Json.CHARACTERS);
    }
    out.forEach(language -> parts.add(new Not(language.possible())));
    return Expression.both(parts);
  }

  /**
   * The texts.
   *
   * @throws Derivatives.TooLargeException if that takes too many states
   */
  Expression texts() {
    if (values.isPresent()) {
      return Expression.choice(values.get().stream().<Expression>map(Text::new).toList());
    }
    Expression all = unmeasured();
    boolean measured = least > 0 || most < Expression.UNBOUNDED;
    if (all instanceof Both || all instanceof Not) {
      all = new Expression.Accepted(Derivatives.machine(all));
    }
    return measured ? measured(all) : all;
  }

  private Expression measured(Expression all) {
    if (least > most) {
      return Expression.NOTHING;
    }
    Lengths lengths = Lengths.of(all);
    if (least <= lengths.least() && lengths.most() <= most) {
      return all;
    }
    if (least > lengths.most() || most < lengths.least()) {
      return Expression.NOTHING;
    }
    if (all instanceof Repeat repeat && repeat.body() instanceof Characters characters) {
      return new Expression.Counted(
          Machine.any(characters.set()),
          Math.max(least, repeat.least()),
          Math.min(most, repeat.most()));
    }
    Machine machine =
        Derivatives.machine(most == Expression.UNBOUNDED ? all : Repeats.bounded(all, most));
    if (machine.size() > 0 && !machine.findLengths(most)) {
      throw new Derivatives.TooLargeException();
    }
    return new Expression.Counted(machine, least, most);
  }
}
