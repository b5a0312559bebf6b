package io.minimind.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.ArgumentException;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Rewards of answers that can be verified: 1 if what is said is what the row expects, else 0. */
final class Verified {

  private static final Pattern NUMBER =
      Pattern.compile("[-−+]?(?:\\d{1,3}(?:,\\d{3})+|\\d+)(?:\\.\\d+)?");

  private Verified() {}

  /** The last number is the expected one, however it is written. */
  static double number(Answer answer) {
    String expected = expected(answer, "number");
    BigDecimal wanted =
        lastNumber(expected)
            .orElseThrow(
                () ->
                    new ArgumentException(
                        "the row expects \"%s\", which holds no number".formatted(expected)));
    return lastNumber(answer.said()).filter(said -> said.compareTo(wanted) == 0).isPresent()
        ? 1
        : 0;
  }

  static double text(Answer answer) {
    return answer.said().strip().equals(expected(answer, "text").strip()) ? 1 : 0;
  }

  static double pattern(Answer answer) {
    String pattern = expected(answer, "regular expression");
    try {
      return Pattern.compile(pattern, Pattern.DOTALL).matcher(answer.said().strip()).matches()
          ? 1
          : 0;
    } catch (PatternSyntaxException e) {
      throw new ArgumentException(
          "the row expects \"%s\", which is no regular expression: %s"
              .formatted(pattern, e.getDescription()),
          e);
    }
  }

  static double schema(Answer answer) {
    return SchemaCheck.accepts(answer.expected(), answer.said().strip()) ? 1 : 0;
  }

  /** The last number of a text; a minus that follows a digit or a letter is an operator. */
  static Optional<BigDecimal> lastNumber(String text) {
    Matcher numbers = NUMBER.matcher(text);
    Optional<BigDecimal> last = Optional.empty();
    while (numbers.find()) {
      String number = numbers.group().replace(",", "").replace('−', '-');
      int before = numbers.start() - 1;
      boolean isOperator =
          !Character.isDigit(number.charAt(0))
              && before >= 0
              && Character.isLetterOrDigit(text.charAt(before));
      last = Optional.of(new BigDecimal(isOperator ? number.substring(1) : number));
    }
    return last;
  }

  private static String expected(Answer answer, String what) {
    JsonNode expected = answer.expected();
    if (!expected.isValueNode() || expected.isNull()) {
      throw new ArgumentException(
          "the row has no %s in its column gt or answer, but %s".formatted(what, expected));
    }
    return expected.asText();
  }
}
