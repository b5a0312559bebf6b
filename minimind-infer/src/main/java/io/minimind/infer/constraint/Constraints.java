package io.minimind.infer.constraint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.minimind.files.ArgumentException;
import io.minimind.files.JsonErrors;
import io.minimind.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes answers take a form that a program can read: JSON, JSON of a schema, a regular expression,
 * or one of several texts.
 *
 * <pre>{@code
 * TokenConstraint person = model.constraints().jsonSchema("""
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
 * <p>Compiling takes milliseconds, and a constraint becomes faster with use, so keep it; those of
 * the last 64 schemas are kept here. Both are for any number of threads and generations.
 */
public final class Constraints {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  /** Compiled schemas that are kept for whoever asks for the same one again. */
  private static final int MOST_SCHEMAS = 64;

  private final TokenTrie trie;
  private final Map<String, TokenConstraint> schemas = // guarded by itself
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, TokenConstraint> eldest) {
          return size() > MOST_SCHEMAS;
        }
      };

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
   * nested more than some 800 deep.
   */
  public TokenConstraint json() {
    return GrammarConstraint.of(Json.VALUE, trie);
  }

  /**
   * JSON that a schema of draft 4 to 2020-12 validates, on one line, with a space after a comma or
   * colon or without. What is written is always valid. Of what is valid, all is possible that has
   * this form:
   *
   * <ul>
   *   <li>Properties come in the order of the schema, first those of {@code properties}, then those
   *       that other parts of it add. Others are written only if {@code additionalProperties} or
   *       {@code patternProperties} speak of them, or no property has a name; their keys may repeat
   *       each other. Of arrays, items behind those of {@code prefixItems} are written only if they
   *       are described or needed.
   *   <li>Numbers have up to 15 digits before and after the point, integers up to 18 and no point;
   *       numbers with bounds or a {@code multipleOf} have no exponent and up to 15 digits.
   *   <li>A schema without a type gives values of the types that its keywords speak of.
   *   <li>Characters stand for themselves where JSON allows it, and of control characters there are
   *       tabs and new lines only, unless a pattern asks for another.
   * </ul>
   *
   * <p>Keywords that no draft knows are remarks, as are formats other than {@code date}, {@code
   * time}, {@code date-time}, {@code duration}, {@code email}, {@code hostname}, {@code ipv4},
   * {@code ipv6}, {@code uri}, {@code uri-reference}, {@code uri-template}, {@code iri}, {@code
   * iri-reference}, {@code uuid}, {@code json-pointer}, {@code relative-json-pointer}, {@code
   * regex} and those for other scripts. Of these, the usual ones are written: years have four
   * digits, domain names are of ASCII, those of {@code idn-hostname} in small letters. {@code
   * nullable} adds null to the type beside it, as in OpenAPI.
   *
   * <p>{@code allOf}, {@code anyOf}, {@code oneOf}, {@code not}, {@code if}, {@code
   * dependentRequired} and {@code dependentSchemas} join any of the other keywords, as far as it
   * can be told what they allow together. Not supported, and refused by name and place, are {@code
   * unevaluatedProperties}, {@code unevaluatedItems}, {@code minContains} and {@code maxContains};
   * {@code uniqueItems} of items that are not listed by {@code enum}; {@code minProperties} above 1
   * where keys have no name; references to other documents; and look-behind, back references and
   * repeated look-ahead in a {@code pattern}, which is read as in {@link #regex} but found anywhere
   * unless anchored.
   *
   * <p>Lengths and counts may be as large as one likes: they are counted, and cost nothing.
   *
   * @throws IllegalArgumentException if the schema uses what is not supported, is nested too deeply
   *     or takes too many states, allows nothing, or is no JSON; the message names the place in the
   *     schema
   */
  public TokenConstraint jsonSchema(String schema) {
    synchronized (schemas) {
      TokenConstraint kept = schemas.get(schema);
      if (kept != null) {
        return kept;
      }
    }
    TokenConstraint compiled = compile(schema);
    synchronized (schemas) {
      schemas.put(schema, compiled);
    }
    return compiled;
  }

  private TokenConstraint compile(String schema) {
    try {
      return jsonSchema(JSON.readTree(schema));
    } catch (JsonProcessingException e) {
      throw new ArgumentException(
          "The schema is not valid JSON%s: %s."
              .formatted(JsonErrors.place(e), JsonErrors.reason(e)),
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
   * [a-z_]} and {@code [^"]}, {@code \d \w \s \D \W \S} of ASCII, general categories such as {@code
   * \p{L}}, {@code \n \r \t \f \v \xHH \}{@code uHHHH} and a backslash before punctuation; groups
   * {@code (...)}, {@code (?:...)} and with a name; look-ahead {@code (?=...)} and {@code (?!...)}
   * outside of what is repeated, and {@code (?:(?!...).)*} at the end; alternatives {@code |}; and
   * the quantifiers {@code * + ? {m} {m,} {m,n}}, also lazy, with up to 1,000,000. {@code ^} and
   * {@code $} stand for the ends. All texts match in Java and in ECMAScript.
   *
   * @throws IllegalArgumentException if the pattern has anything else, such as look-behind, back
   *     references and possessive quantifiers, or nothing matches; the message names the position
   */
  public TokenConstraint regex(String pattern) {
    try {
      return GrammarConstraint.of(RegexParser.matching(pattern), trie);
    } catch (Derivatives.TooLargeException e) {
      throw new ArgumentException(
          "The pattern takes too many states; use less look-ahead or lower counts.", e);
    }
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
