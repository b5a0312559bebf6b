package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.infer.constraint.Expression.Accepted;
import io.minimind.infer.constraint.Expression.Characters;
import io.minimind.infer.constraint.Expression.Member;
import io.minimind.infer.constraint.Expression.Members;
import io.minimind.infer.constraint.Expression.Quoted;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Rule;
import io.minimind.infer.constraint.Expression.Text;
import io.minimind.infer.constraint.ObjectSet.Others;
import io.minimind.infer.constraint.Shape.Constant;
import io.minimind.infer.constraint.Shape.Type;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Turns a JSON schema into an expression of texts that it validates. */
final class SchemaCompiler {
  private static final int MOST_RULES = 50_000;

  private final Shapes shapes;
  private final Map<Goal, Rule> rules = new HashMap<>();
  private final Map<StringSet, Expression> strings = new HashMap<>();
  private final Map<NumberSet, Expression> numbers = new HashMap<>();
  private final Deque<Goal> pending = new ArrayDeque<>();

  private SchemaCompiler(Shapes shapes) {
    this.shapes = shapes;
  }

  /**
   * @throws IllegalArgumentException if the schema uses what is not supported; the message is a
   *     sentence that names the place
   */
  static Expression compile(JsonNode schema) {
    checkText(schema);
    SchemaReferences references = new SchemaReferences(schema);
    SchemaCompiler compiler = new SchemaCompiler(new Shapes(references));
    Goal goal = Goal.of(references.root());
    if (compiler.shapes.isEmpty(goal)) {
      throw SchemaNode.refusal(
          compiler.shapes.emptyPlace(goal), "allows nothing: its keywords contradict each other");
    }
    Expression root = compiler.rule(goal);
    while (!compiler.pending.isEmpty()) {
      Goal next = compiler.pending.remove();
      compiler.rules.get(next).define(compiler.supported(next));
    }
    return root;
  }

  private static void checkText(JsonNode schema) {
    CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
    Deque<JsonNode> nodes = new ArrayDeque<>();
    nodes.add(schema);
    while (!nodes.isEmpty()) {
      JsonNode node = nodes.remove();
      node.forEach(nodes::add);
      boolean whole = !node.isTextual() || encoder.canEncode(node.textValue());
      for (Iterator<String> names = node.fieldNames(); names.hasNext() && whole; ) {
        whole = encoder.canEncode(names.next());
      }
      if (!whole) {
        throw SchemaNode.refusal("#", "holds half a character, an unpaired surrogate");
      }
    }
  }

  /** What a goal allows; the same for the same goal, so that recursion ends. */
  private Expression rule(Goal goal) {
    if (goal.isAnything()) {
      return Json.VALUE;
    }
    if (goal.impossible()) {
      return Expression.NOTHING;
    }
    Rule rule = rules.get(goal);
    if (rule == null) {
      if (rules.size() == MOST_RULES) {
        throw SchemaNode.refusal(goal.at(), "grows without end");
      }
      rule = new Rule();
      rules.put(goal, rule);
      pending.add(goal);
    }
    return rule;
  }

  private Expression supported(Goal goal) {
    try {
      return expression(goal);
    } catch (UnsupportedOperationException e) {
      throw SchemaNode.refusal(goal.at(), e.getMessage() + ", which is not supported");
    } catch (Derivatives.TooLargeException e) {
      throw SchemaNode.refusal(
          goal.at(), "has patterns or lengths that take too many states together");
    }
  }

  private Expression expression(Goal goal) {
    Shape shape = shapes.shape(goal);
    if (shape == Shape.ALL) {
      return Json.VALUE;
    }
    Map<Type, List<Expression>> options = new LinkedHashMap<>();
    for (Constant constant : shape.constants()) {
      Type type = constant == Constant.NULL ? Type.NULL : Type.BOOLEAN;
      add(options, type, new Text(constant.name().toLowerCase(java.util.Locale.ROOT)));
    }
    Set<Type> wanted = wanted(shape);
    if (wanted.contains(Type.NUMBER)) {
      shape.numbers().forEach(set -> add(options, Type.NUMBER, number(set)));
    }
    if (wanted.contains(Type.STRING)) {
      shape.strings().forEach(set -> add(options, Type.STRING, string(set)));
    }
    if (wanted.contains(Type.ARRAY)) {
      for (ArraySet set : shape.arrays()) {
        shapes.ways(set).forEach(way -> add(options, Type.ARRAY, array(way)));
      }
    }
    if (wanted.contains(Type.OBJECT)) {
      for (ObjectSet set : shape.objects()) {
        shapes.ways(set).forEach(way -> add(options, Type.OBJECT, object(way)));
      }
    }
    options.keySet().retainAll(wanted);
    return Expression.choice(options.values().stream().flatMap(List::stream).toList());
  }

  private static void add(Map<Type, List<Expression>> options, Type type, Expression option) {
    options.computeIfAbsent(type, t -> new ArrayList<>()).add(option);
  }

  /** The types that the schema speaks of, or all if none of those is possible. */
  private static Set<Type> wanted(Shape shape) {
    Set<Type> possible = EnumSet.noneOf(Type.class);
    for (Constant constant : shape.constants()) {
      possible.add(constant == Constant.NULL ? Type.NULL : Type.BOOLEAN);
    }
    if (!shape.numbers().isEmpty()) {
      possible.add(Type.NUMBER);
    }
    if (!shape.strings().isEmpty()) {
      possible.add(Type.STRING);
    }
    if (!shape.arrays().isEmpty()) {
      possible.add(Type.ARRAY);
    }
    if (!shape.objects().isEmpty()) {
      possible.add(Type.OBJECT);
    }
    Set<Type> wanted = EnumSet.copyOf(possible);
    wanted.retainAll(shape.spoken());
    return wanted.isEmpty() ? possible : wanted;
  }

  private Expression number(NumberSet set) {
    Expression known = numbers.get(set);
    if (known == null) {
      known = new Rule(Numbers.expression(set));
      numbers.put(set, known);
    }
    return known;
  }

  private Expression string(StringSet set) {
    if (set.equals(StringSet.ALL)) {
      return Json.STRING;
    }
    Expression known = strings.get(set);
    if (known == null) {
      known = new Rule(new Quoted(set.texts()));
      strings.put(set, known);
    }
    return known;
  }

  // Arrays

  private Expression array(ArraySet set) {
    int least = set.least();
    int most = set.most();
    boolean found = set.some().stream().allMatch(goal -> set.rest().implies(goal));
    if (found && !set.some().isEmpty()) {
      least = Math.max(1, least);
    }
    // More than the known first items only where they are described or needed.
    int known = set.first().size();
    boolean closed = set.rest().impossible() || known > 0 && !set.described() && least <= known;
    most = closed ? Math.min(most, known) : most;
    if (least > most) {
      return Expression.NOTHING;
    }
    if (set.distinct() && most > 1) {
      return distinct(set, least, most);
    }
    if (!found) {
      return containing(set, least, most);
    }
    return Json.array(items(set, least, most));
  }

  private Expression items(ArraySet set, int least, int most) {
    int known = Math.min(set.first().size(), most);
    Expression item = most > known ? rule(set.rest()) : Expression.NOTHING;
    int more = most == Expression.UNBOUNDED ? most : most - known;
    if (known == 0) {
      return Json.list(item, least, most);
    }
    Expression behind =
        new Repeat(Expression.sequence(Json.COMMA, item), Math.max(0, least - known), more);
    for (int i = known - 1; i >= 0; i--) {
      Expression one = rule(set.first().get(i));
      Expression here =
          i == 0 ? Expression.sequence(one, behind) : Expression.sequence(Json.COMMA, one, behind);
      // As a rule, long lists are no deep expressions.
      behind = i < least ? new Rule(here) : Expression.optional(new Rule(here));
    }
    return behind;
  }

  /** Different items of those that are listed. */
  private Expression distinct(ArraySet set, int least, int most) {
    Optional<List<Expression>> values =
        set.first().isEmpty() && set.some().isEmpty() ? listed(set.rest()) : Optional.empty();
    List<Expression> options =
        values.orElseThrow(
            () ->
                new UnsupportedOperationException(
                    "wants unique items, of which not all are listed"));
    if (options.size() < least) {
      return Expression.NOTHING;
    }
    int bound = Math.min(most, options.size());
    return Json.array(new Expression.Distinct(options, Json.COMMA, least, bound));
  }

  private Optional<List<Expression>> listed(Goal goal) {
    Shape shape = shapes.shape(goal);
    boolean listed =
        shape.arrays().isEmpty()
            && shape.objects().isEmpty()
            && shape.strings().stream().allMatch(set -> set.values().isPresent())
            && shape.numbers().stream().allMatch(set -> set.spelling().isPresent());
    if (!listed) {
      return Optional.empty();
    }
    List<Expression> options = new ArrayList<>();
    shape
        .constants()
        .forEach(c -> options.add(new Text(c.name().toLowerCase(java.util.Locale.ROOT))));
    Set<java.math.BigDecimal> seen = new LinkedHashSet<>();
    for (NumberSet set : shape.numbers()) {
      if (seen.add(set.least().orElseThrow().value().stripTrailingZeros())) {
        options.add(number(set));
      }
    }
    Set<String> texts = new LinkedHashSet<>();
    shape.strings().forEach(set -> texts.addAll(set.values().orElseThrow()));
    texts.forEach(text -> options.add(new Quoted(new Text(text))));
    return Optional.of(options);
  }

  /** Any items with one among them that meets a goal. */
  private Expression containing(ArraySet set, int least, int most) {
    if (set.some().size() > 1
        || !set.first().isEmpty()
        || least > 1
        || most != Expression.UNBOUNDED) {
      throw new UnsupportedOperationException(
          "wants an item of some kind beside other conditions on the items");
    }
    Expression item = rule(set.rest());
    Expression found = rule(set.rest().and(set.some().get(0)));
    return Json.array(
        Expression.sequence(
            Expression.any(Expression.sequence(item, Json.COMMA)),
            found,
            Expression.any(Expression.sequence(Json.COMMA, item))));
  }

  // Objects

  private Expression object(ObjectSet set) {
    Map<String, Goal> properties = new LinkedHashMap<>(set.properties());
    for (String name : set.required()) {
      properties.computeIfAbsent(name, set::value);
    }
    List<Member> members = new ArrayList<>();
    for (Map.Entry<String, Goal> entry : properties.entrySet()) {
      boolean required = set.required().contains(entry.getKey());
      if (required || !shapes.isEmpty(entry.getValue())) {
        Expression key = new Quoted(new Text(entry.getKey()));
        members.add(new Member(key, rule(entry.getValue()), required));
      }
    }
    if (!set.some().isEmpty()) {
      return withSome(set, members, properties.keySet());
    }
    int least = set.least() <= set.required().size() ? 0 : set.least();
    boolean needed = least > members.size();
    Expression other =
        set.possible(!members.isEmpty() && !needed)
            .map(others -> other(others, properties.keySet()))
            .orElse(Expression.NOTHING);
    boolean closed = other.equals(Expression.NOTHING);
    if (closed && least > members.size() || set.most() < set.required().size()) {
      return Expression.NOTHING;
    }
    if (least > 1 && !closed) {
      // Others may repeat each other's keys, so that two of them count as one.
      throw new UnsupportedOperationException(
          "has minProperties above 1 beside properties that have no name");
    }
    int most = closed && set.most() >= members.size() ? Expression.UNBOUNDED : set.most();
    return Json.object(
        members.isEmpty()
            ? Json.list(other, least, closed ? 0 : most)
            : new Members(members, other, Expression.NOTHING, least, most));
  }

  /** With an other member that must be there. */
  private Expression withSome(ObjectSet set, List<Member> members, Set<String> names) {
    if (set.some().size() > 1
        || set.least() > set.required().size() + 1
        || set.most() < Expression.UNBOUNDED) {
      throw new UnsupportedOperationException(
          "wants a property without a name beside other conditions on their number");
    }
    Expression other =
        set.possible(!members.isEmpty())
            .map(others -> other(others, names))
            .orElse(Expression.NOTHING);
    return Json.object(
        new Members(members, other, other(set.some(), names), 0, Expression.UNBOUNDED));
  }

  /** A member of a key that is not named. */
  private Expression other(List<Others> others, Set<String> names) {
    List<Expression> options = new ArrayList<>();
    for (Others other : others) {
      Expression key = Json.key(names);
      if (!other.keys().equals(StringSet.ALL)) {
        Machine machine =
            Derivatives.machine(new Expression.Both(List.of(key, unmeasured(other.keys()))));
        if (machine.size() == 0) {
          continue;
        }
        key = new Accepted(machine);
      }
      options.add(Json.other(key, rule(other.value())));
    }
    return options.isEmpty() ? Expression.NOTHING : new Rule(Expression.choice(options));
  }

  private static Expression unmeasured(StringSet keys) {
    Expression texts = keys.withLengths(0, Expression.UNBOUNDED).texts();
    return keys.least() == 0 && keys.most() == Expression.UNBOUNDED
        ? texts
        : new Expression.Both(
            List.of(
                texts, new Repeat(new Characters(CharacterSet.ALL), keys.least(), keys.most())));
  }
}
