package io.minimind.infer.constraint;

import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.Expression.Repeat;
import java.util.Map;

/** Compiles what a schema says about strings. */
final class StringSchema {
  /** Bounds the work of cutting a pattern down to the lengths that are allowed. */
  private static final int LONGEST_CUT = 256;

  private static final String DATE =
      "[1-9]\\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))";
  private static final String TIME =
      "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|\\+(0\\d|1[0-3]):[0-5]\\d|-(0[1-9]|1[0-1]):[0-5]\\d)";
  private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

  /** Validators know which there are. */
  private static final String DOMAIN =
      "(com|org|net|edu|gov|info|io|dev|eu|at|au|br|ca|ch|cn|de|es|fr|in|it|jp|kr|nl|ru|uk|us)";

  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "uuid",
          "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
          "ipv4",
          BYTE + "(\\." + BYTE + "){3}",
          "email",
          "[a-z0-9]{1,20}(\\.[a-z0-9]{1,20}){0,2}@([a-z0-9]{1,20}\\.){1,2}" + DOMAIN);

  private StringSchema() {}

  static Expression compile(SchemaNode schema) {
    int least = schema.count("minLength", 0);
    int most = schema.count("maxLength", Expression.UNBOUNDED);
    if (least > most) {
      throw schema.refusal("allows no string: minLength is above maxLength");
    }
    String format = schema.text("format").orElse(null);
    String pattern = schema.text("pattern").orElse(null);
    if (format != null && !FORMATS.containsKey(format)) {
      throw SchemaNode.refusal(
          schema.below("format"),
          "is \"%s\", which is not supported; expected date, time, date-time, uuid, ipv4 or email"
              .formatted(format));
    }
    if (format != null && pattern != null) {
      throw schema.refusal("has both a format and a pattern, which is not supported");
    }
    if (format != null) {
      return Json.string(cut(schema, RegexParser.matching(FORMATS.get(format)), least, most));
    }
    if (pattern != null) {
      return Json.string(cut(schema, pattern(schema, pattern), least, most));
    }
    return Json.string(new Repeat(Json.CHARACTER, least, most));
  }

  private static Expression pattern(SchemaNode schema, String pattern) {
    try {
      return RegexParser.containing(pattern, Expression.any(Json.CHARACTER));
    } catch (IllegalArgumentException e) {
      throw new ArgumentException(
          "In the schema at %s: %s".formatted(schema.below("pattern"), e.getMessage()), e);
    }
  }

  /** The texts with the right number of characters. */
  private static Expression cut(SchemaNode schema, Expression value, int least, int most) {
    boolean shortEnough = most == Expression.UNBOUNDED || Lengths.most(value) <= most;
    if (least <= Lengths.least(value) && shortEnough) {
      return value;
    }
    long longest = Math.min(most, Lengths.most(value));
    if (longest > LONGEST_CUT) {
      throw schema.refusal(
          "has a length beside a pattern or format, for which it also needs a maxLength of at most "
              + LONGEST_CUT);
    }
    return Lengths.between(value, least, (int) longest);
  }
}
