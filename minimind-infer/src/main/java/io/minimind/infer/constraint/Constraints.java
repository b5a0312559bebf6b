package io.minimind.infer.constraint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.minimind.files.ArgumentException;
import io.minimind.files.JsonErrors;
import io.minimind.infer.TokenConstraint;
import io.minimind.tokenizer.Tokenizer;
import java.util.List;

/**
 * Makes answers take a form that a program can read: JSON, JSON of a schema, a regular expression,
 * or one of several texts.
 *
 * <pre>{@code
 * Constraints constraints = Constraints.of(model.tokenizer());
 * TokenConstraint person = constraints.jsonSchema("""
 *     {"type": "object",
 *      "properties": {"name": {"type": "string", "maxLength": 40},
 *                     "age": {"type": "integer", "minimum": 0, "maximum": 150}},
 *      "required": ["name", "age"]}""");
 * String json =
 *     model.generate(prompt, GenerationOptions.defaults().withConstraint(person)).text();
 * }</pre>
 *
 * <p>The answer always has the form, and always comes to its end within {@code maxNewTokens} and
 * the context: when few tokens are left, only those remain that lead to an end. If there are too
 * few from the beginning, the generation throws an {@link IllegalArgumentException} that says how
 * many suffice. Two things can still end an answer early, a stop string and cancelling, and
 * forbidding tokens can leave none that may follow. A text within the form is not always a good
 * one: the prompt should describe what is wanted.
 *
 * <p>Compiling takes milliseconds, and a constraint becomes faster with use, so keep it and these
 * constraints. Both are for any number of threads and generations.
 */
public final class Constraints {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private final TokenTrie trie;

  private Constraints(TokenTrie trie) {
    this.trie = trie;
  }

  /**
   * For models with this tokenizer.
   *
   * @throws UnsupportedOperationException if the tokenizer does not tell the bytes of its tokens
   */
  public static Constraints of(Tokenizer tokenizer) {
    return new Constraints(TokenTrie.of(tokenizer));
  }

  /**
   * Any JSON value. Objects may repeat a key, of which most parsers take the last, and nothing is
   * nested more than some 400 deep.
   */
  public TokenConstraint json() {
    return GrammarConstraint.of(Json.VALUE, trie);
  }

  /**
   * JSON that a schema of draft 2020-12 validates, on one line, with numbers of up to 18 digits.
   *
   * <ul>
   *   <li>Supported are {@code type}, {@code enum} and {@code const}; {@code anyOf}, {@code oneOf}
   *       whose parts exclude each other, {@code allOf} whose parts can be made one, {@code $ref}
   *       within the schema, also recursive, and {@code nullable} as in OpenAPI.
   *   <li>Of objects, {@code properties}, {@code required} and {@code additionalProperties}. The
   *       properties come in the order of the schema, and those that are not required may be left
   *       out. Others are written only if {@code additionalProperties} is given, or neither
   *       properties nor required ones are; their keys may repeat each other.
   *   <li>Of arrays, {@code items}, {@code prefixItems}, {@code minItems} and {@code maxItems}.
   *       What comes after the prefix is written only if it is described or needed.
   *   <li>Of strings, {@code minLength} and {@code maxLength}, {@code pattern} as in {@link #regex}
   *       but found anywhere unless anchored, and as {@code format} date, time, date-time, uuid,
   *       ipv4 and email. A length beside a pattern or format may be up to 256.
   *   <li>Of numbers, {@code minimum}, {@code maximum}, {@code exclusiveMinimum} and {@code
   *       exclusiveMaximum}; numbers with bounds have no exponent and up to 15 digits.
   * </ul>
   *
   * <p>A schema without a type gives values of the types that its keywords speak of.
   *
   * @throws IllegalArgumentException if the schema uses anything else, allows nothing, or is no
   *     JSON; the message names the place in the schema
   */
  public TokenConstraint jsonSchema(String schema) {
    try {
      return jsonSchema(JSON.readTree(schema));
    } catch (JsonProcessingException e) {
      throw new ArgumentException(
          "The schema is not valid JSON at line %d, column %d: %s."
              .formatted(
                  e.getLocation().getLineNr(), e.getLocation().getColumnNr(), JsonErrors.reason(e)),
          e);
    }
  }

  /** As {@link #jsonSchema(String)}; the schema must not be changed meanwhile. */
  public TokenConstraint jsonSchema(JsonNode schema) {
    return GrammarConstraint.of(SchemaCompiler.compile(schema), trie);
  }

  /**
   * Texts that match a regular expression as a whole.
   *
   * <p>There are characters, {@code .} for any but the end of a line, classes such as {@code
   * [a-z_]} and {@code [^"]}, {@code \d \w \s \D \W \S} of ASCII, {@code \n \r \t \f \xHH \}{@code
   * uHHHH} and a backslash before punctuation; groups {@code (...)} and {@code (?:...)};
   * alternatives {@code |}; and the quantifiers {@code * + ? {m} {m,} {m,n}} with up to 10,000.
   * {@code ^} and {@code $} may stand at the ends. All texts match in Java and in ECMAScript.
   *
   * @throws IllegalArgumentException if the pattern has anything else, such as look-around, back
   *     references and lazy quantifiers, or nothing matches; the message names the position
   */
  public TokenConstraint regex(String pattern) {
    return GrammarConstraint.of(RegexParser.matching(pattern), trie);
  }

  /**
   * One of these texts.
   *
   * @throws IllegalArgumentException if there are none
   */
  public TokenConstraint choices(List<String> texts) {
    if (texts.isEmpty()) {
      throw new ArgumentException("There are no choices; give at least one text.");
    }
    List<Expression> options = texts.stream().<Expression>map(Expression.Text::new).toList();
    return GrammarConstraint.of(new Expression.Choice(options), trie);
  }

  /** As {@link #choices(List)}. */
  public TokenConstraint choices(String... texts) {
    return choices(List.of(texts));
  }
}
