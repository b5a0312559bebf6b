package io.minimind.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.infer.constraint.Expression.Choice;
import io.minimind.infer.constraint.Expression.Repeat;
import io.minimind.infer.constraint.Expression.Rule;
import io.minimind.infer.constraint.Expression.Sequence;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Turns a JSON schema into an expression of texts that it validates. */
final class SchemaCompiler {
  private static final int DEEPEST = 200;

  private final SchemaMerger merger;
  private final Map<JsonNode, Rule> rules = new IdentityHashMap<>();
  private int depth;

  private SchemaCompiler(JsonNode root) {
    merger = new SchemaMerger(root);
  }

  /**
   * @throws IllegalArgumentException if the schema uses what is not supported, or contradicts
   *     itself; the message is a sentence that names the place
   */
  static Expression compile(JsonNode schema) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(schema.toString())) {
      throw SchemaNode.refusal("#", "holds half a character, an unpaired surrogate");
    }
    return new SchemaCompiler(schema).rule(schema, "#");
  }

  /** What a schema allows; the same for the same object, so that recursion ends. */
  private Rule rule(JsonNode schema, String at) {
    Rule known = rules.get(schema);
    if (known != null) {
      return known;
    }
    if (++depth > DEEPEST) {
      throw SchemaNode.refusal(at, "is nested too deeply or grows without end");
    }
    Rule rule = new Rule();
    rules.put(schema, rule);
    rule.define(expression(schema, at));
    depth--;
    return rule;
  }

  private Expression expression(JsonNode json, String at) {
    if (json.isBoolean() && json.booleanValue()) {
      return Json.VALUE;
    }
    if (!(json instanceof ObjectNode object)) {
      throw SchemaNode.refusal(at, "is " + json + " but must be an object or true");
    }
    SchemaNode schema = new SchemaNode(object, at);
    if (schema.keywords().equals(Set.of("$ref"))) {
      return rule(merger.target(schema), schema.text("$ref").orElseThrow());
    }
    SchemaNode flat = merger.flat(schema);
    flat.checkKeywords();
    boolean nullable = flat.json().path("nullable").asBoolean();
    Expression value = choice(flat.without("nullable"));
    return nullable ? Expression.choice(value, Json.NULL) : value;
  }

  private Expression choice(SchemaNode schema) {
    if (schema.keywords().isEmpty()) {
      return Json.VALUE;
    }
    boolean one = schema.json().has("oneOf");
    if (one || schema.json().has("anyOf")) {
      String keyword = one ? "oneOf" : "anyOf";
      return alternatives(schema, keyword, schema.json().get(keyword));
    }
    Optional<List<JsonNode>> values = schema.values();
    if (values.isPresent()) {
      return values(schema, values.get());
    }
    return new Choice(schema.types().stream().map(type -> typed(schema, type)).toList());
  }

  private Expression alternatives(SchemaNode schema, String keyword, JsonNode options) {
    if (!options.isArray() || options.isEmpty()) {
      throw SchemaNode.refusal(schema.below(keyword), "must be an array of schemas");
    }
    SchemaNode common = schema.without(keyword);
    List<Expression> expressions = new ArrayList<>();
    List<SchemaNode> merged = new ArrayList<>();
    for (int i = 0; i < options.size(); i++) {
      String at = schema.below(keyword) + "/" + i;
      boolean alone = common.keywords().isEmpty();
      JsonNode option =
          alone
              ? options.get(i)
              : merger.merged(new SchemaNode(common.json(), at), options.get(i)).json();
      expressions.add(rule(option, at));
      merged.add(
          option instanceof ObjectNode object
              ? new SchemaNode(object, at)
              : new SchemaNode(schema.json().objectNode(), at));
    }
    if (keyword.equals("oneOf")) {
      checkExclusive(merged);
    }
    return new Choice(expressions);
  }

  private void checkExclusive(List<SchemaNode> options) {
    for (int i = 0; i < options.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!merger.exclude(options.get(i), options.get(j))) {
          throw options
              .get(i)
              .refusal(
                  "may allow the same as "
                      + options.get(j).at()
                      + ", which oneOf forbids; give them different types, or objects with a"
                      + " required property of different constants, or use anyOf");
        }
      }
    }
  }

  private static Expression values(SchemaNode schema, List<JsonNode> values) {
    Set<String> others = new TreeSet<>(schema.keywords());
    others.removeAll(Set.of("type", "enum", "const"));
    if (!others.isEmpty()) {
      throw schema.refusal("has " + others + " beside enum or const, which is not supported");
    }
    if (values.isEmpty()) {
      throw schema.refusal("allows no value");
    }
    return new Choice(values.stream().map(Json::literal).toList());
  }

  private Expression typed(SchemaNode schema, String type) {
    return switch (type) {
      case "null" -> Json.NULL;
      case "boolean" -> Json.BOOLEAN;
      case "integer", "number" -> number(schema, type.equals("integer"));
      case "string" -> StringSchema.compile(schema);
      case "array" -> array(schema);
      default -> object(schema);
    };
  }

  private static Expression number(SchemaNode schema, boolean whole) {
    NumberRange range = new NumberRange(bound(schema, "minimum", 1), bound(schema, "maximum", -1));
    if (!whole && range.isUnbounded()) {
      return Json.NUMBER;
    }
    if (whole ? !range.isReasonable() : !range.fitsDoubles()) {
      throw schema.refusal(
          "has bounds of more than %d digits, which is not supported".formatted(whole ? 100 : 15));
    }
    return (whole ? range.integers() : range.numbers())
        .orElseThrow(() -> schema.refusal("allows no number"));
  }

  /**
   * The stricter of an inclusive and an exclusive bound.
   *
   * @param direction 1 for a lower bound, -1 for an upper one
   */
  private static Optional<NumberRange.Bound> bound(
      SchemaNode schema, String inclusive, int direction) {
    String exclusive = direction > 0 ? "exclusiveMinimum" : "exclusiveMaximum";
    Optional<NumberRange.Bound> in =
        schema.number(inclusive).map(value -> new NumberRange.Bound(value, false));
    Optional<NumberRange.Bound> ex =
        schema.number(exclusive).map(value -> new NumberRange.Bound(value, true));
    if (in.isEmpty() || ex.isEmpty()) {
      return in.or(() -> ex);
    }
    return direction * in.get().value().compareTo(ex.get().value()) > 0 ? in : ex;
  }

  private Expression array(SchemaNode schema) {
    int least = schema.count("minItems", 0);
    int most = schema.count("maxItems", Expression.UNBOUNDED);
    JsonNode first = schema.json().path("prefixItems");
    if (!first.isMissingNode() && !first.isArray()) {
      throw SchemaNode.refusal(schema.below("prefixItems"), "must be an array of schemas");
    }
    Optional<JsonNode> rest = schema.get("items");
    if (rest.isPresent() && rest.get().isArray()) {
      throw SchemaNode.refusal(
          schema.below("items"), "is an array, as in old drafts; expected prefixItems instead");
    }
    boolean none = rest.isPresent() && rest.get().isBoolean() && !rest.get().booleanValue();
    // More than the known first items only where they are described or needed.
    boolean closed = none || !first.isEmpty() && rest.isEmpty() && least <= first.size();
    most = closed ? Math.min(most, first.size()) : most;
    if (least > most) {
      throw schema.refusal("allows no array: it needs more items than it may have");
    }
    Expression item =
        closed
            ? Expression.EMPTY
            : rest.map(json -> rule(json, schema.below("items"))).orElse(Json.VALUE);
    int known = Math.min(first.size(), most);
    Expression items =
        Json.list(
            item, Math.max(0, least - known), most == Expression.UNBOUNDED ? most : most - known);
    for (int i = known - 1; i >= 0; i--) {
      items = first(schema, first, i, known, least, most, item, items);
    }
    return Json.array(items);
  }

  /** The items from a known one on; those behind it may be left out beyond the least number. */
  private Expression first(
      SchemaNode schema,
      JsonNode first,
      int i,
      int known,
      int least,
      int most,
      Expression item,
      Expression behind) {
    Expression one = rule(first.get(i), schema.below("prefixItems") + "/" + i);
    Expression more;
    if (i + 1 < known) {
      Expression next = Expression.sequence(Json.COMMA, mandatory(behind));
      more = i + 1 < least ? next : Expression.optional(next);
    } else {
      more =
          new Repeat(
              Expression.sequence(Json.COMMA, item),
              Math.max(0, least - known),
              most == Expression.UNBOUNDED ? most : most - known);
    }
    Expression all = Expression.sequence(one, more);
    return i < least ? all : Expression.optional(all);
  }

  private static Expression mandatory(Expression list) {
    return list instanceof Repeat repeat ? repeat.body() : list;
  }

  private Expression object(SchemaNode schema) {
    Optional<JsonNode> extra = schema.get("additionalProperties");
    boolean none = extra.isPresent() && extra.get().isBoolean() && !extra.get().booleanValue();
    ObjectNode properties = schema.json().objectNode().setAll(schema.properties());
    Set<String> required = schema.required();
    for (String name : required) {
      if (!properties.has(name)) {
        if (none) {
          throw schema.refusal(
              "requires the property \"" + name + "\", which additionalProperties forbids");
        }
        properties.set(name, extra.orElse(schema.json().booleanNode(true)));
      }
    }
    boolean open = extra.isPresent() ? !none : properties.isEmpty();
    Expression rest = Expression.EMPTY;
    Expression restAfter = Expression.EMPTY;
    if (open) {
      Expression value =
          extra
              .<Expression>map(json -> rule(json, schema.below("additionalProperties")))
              .orElse(Json.VALUE);
      List<String> names = properties.properties().stream().map(Map.Entry::getKey).toList();
      Expression member = Json.member(Json.key(names), value);
      rest = Json.list(member, 0, Expression.UNBOUNDED);
      restAfter = Expression.any(Expression.sequence(Json.COMMA, member));
    }
    List<Map.Entry<String, JsonNode>> entries = new ArrayList<>(properties.properties());
    for (int i = entries.size() - 1; i >= 0; i--) {
      String name = entries.get(i).getKey();
      JsonNode json = entries.get(i).getValue();
      boolean optional = !required.contains(name);
      if (optional && json.isBoolean() && !json.booleanValue()) {
        continue;
      }
      Expression value = rule(json, SchemaNode.below(schema.below("properties"), name));
      Expression member = Json.member(Json.literal(schema.json().textNode(name)), value);
      Expression first = new Sequence(List.of(member, restAfter));
      Expression later = new Sequence(List.of(Json.COMMA, member, restAfter));
      rest = optional ? Expression.choice(first, rest) : first;
      restAfter = optional ? Expression.choice(later, restAfter) : later;
    }
    return Json.object(rest);
  }
}
