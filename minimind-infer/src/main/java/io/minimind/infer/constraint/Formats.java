package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Expression.Accepted;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The formats of strings. What others say in {@code format} is a remark, as the drafts want it. */
final class Formats {
  private static final String YEAR = "[1-9]\\d{3}";
  private static final String LEAP_YEAR =
      "([1-9]\\d(0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)";
  private static final String DATE =
      "("
          + YEAR
          + "-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)"
          + "|02-(0[1-9]|1\\d|2[0-8]))|"
          + LEAP_YEAR
          + "-02-29)";
  private static final String TIME =
      "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?"
          + "(Z|\\+(0\\d|1[0-3]):[0-5]\\d|-(0[1-9]|1[0-1]):[0-5]\\d)";
  private static final String DURATION_TIME = "T(\\d+H(\\d+M(\\d+S)?)?|\\d+M(\\d+S)?|\\d+S)";
  private static final String DURATION =
      "P((\\d+Y(\\d+M(\\d+D)?)?|\\d+M(\\d+D)?|\\d+D)("
          + DURATION_TIME
          + ")?|"
          + DURATION_TIME
          + "|\\d+W)";
  private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  private static final String GROUP = "[0-9a-fA-F]{1,4}";
  private static final String LABEL = "[A-Za-z]([A-Za-z0-9]|-[A-Za-z0-9]){0,30}";
  private static final String HOST = LABEL + "(\\." + LABEL + "){0,3}";

  /** Some validators want international names as they are registered, which is in small letters. */
  private static final String SMALL_LABEL = "[a-z]([a-z0-9]|-[a-z0-9]){0,30}";

  private static final String ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
  private static final String CHARACTER = "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
  private static final String RELATIVE_START = "([A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+";
  private static final String PATH = "(/" + CHARACTER + "*)*";
  private static final String AFTER_PATH =
      "(\\?(" + CHARACTER + "|[/?])*)?(#(" + CHARACTER + "|[/?])*)?";
  private static final String AUTHORITY = "//" + HOST + "(:[1-9]\\d{0,3})?" + PATH;
  private static final String URI =
      "[A-Za-z][A-Za-z0-9+.-]*:(" + AUTHORITY + "|/?" + CHARACTER + "+" + PATH + ")" + AFTER_PATH;
  private static final String URI_REFERENCE =
      "("
          + URI
          + "|("
          + AUTHORITY
          + "|(/"
          + CHARACTER
          + "+"
          + PATH
          + "|/|"
          + RELATIVE_START
          + PATH
          + ")?)"
          + AFTER_PATH
          + ")";
  private static final String POINTER = "(/([^~/]|~[01])*)*";

  /** For each format what it certainly has, and where all must look that could have it. */
  private static final Map<String, String[]> PATTERNS =
      Map.ofEntries(
          entry("date", DATE, "^\\d{4}-\\d{2}-\\d{2}$"),
          entry("time", TIME, "^\\d{2}:"),
          entry("date-time", DATE + "T" + TIME, "^\\d{4}-\\d{2}-\\d{2}.+"),
          entry("duration", DURATION, "^P"),
          entry("email", email(), "@"),
          entry("idn-email", email(), "@"),
          entry("hostname", HOST, "^[^\\s/:@]+$"),
          entry("idn-hostname", SMALL_LABEL + "(\\." + SMALL_LABEL + "){0,3}", "^[^\\s/:@]+$"),
          entry("ipv4", BYTE + "(\\." + BYTE + "){3}", "^[0-9.]+$"),
          entry("ipv6", ipv6(), ":"),
          entry("uri", URI, "^[A-Za-z][A-Za-z0-9+.-]*:"),
          entry("iri", URI, "^[A-Za-z][A-Za-z0-9+.-]*:"),
          entry("uri-reference", URI_REFERENCE, ""),
          entry("iri-reference", URI_REFERENCE, ""),
          entry(
              "uri-template",
              "([A-Za-z0-9._~!$&()*+,;=:@/?#-]|%[0-9A-Fa-f]{2}|\\{[A-Za-z0-9_]+(,[A-Za-z0-9_]+)*\\})*",
              ""),
          entry(
              "uuid",
              "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
              "^[^\\s]*[0-9a-fA-F]{12}"),
          entry("json-pointer", POINTER, "^(/|$)"),
          entry("relative-json-pointer", "(0|[1-9]\\d{0,8})(#|" + POINTER + ")", "^\\d"),
          entry("regex", "(([A-Za-z0-9 _@:,=<>/-]|\\\\[dwsDWS.]|\\.)[*+?]?)*", ""));

  private static final Map<String, Language> LANGUAGES = new ConcurrentHashMap<>();

  private Formats() {}

  private static Map.Entry<String, String[]> entry(String name, String certain, String possible) {
    return Map.entry(name, new String[] {certain, possible});
  }

  static Optional<Language> language(String format) {
    String[] patterns = PATTERNS.get(format);
    return Optional.ofNullable(patterns)
        .map(
            found ->
                LANGUAGES.computeIfAbsent(
                    format,
                    name ->
                        new Language(
                            "the format " + name,
                            simple(RegexParser.matching(found[0])),
                            RegexParser.perhapsContaining(found[1]))));
  }

  /** Made deterministic once and for all, where it is needed. */
  private static Expression simple(Expression expression) {
    return expression instanceof Expression.Both
        ? new Accepted(Derivatives.machine(expression))
        : expression;
  }

  /** Validators know which last parts of a name there are. */
  private static String email() {
    List<String> codes = new ArrayList<>(List.of(Locale.getISOCountries()));
    codes.removeAll(List.of("BL", "BQ", "EH", "MF", "UM")); // which have no domain
    String countries = String.join("|", codes).toLowerCase(Locale.ROOT);
    String last = "(com|org|net|edu|gov|info|io|dev|app|eu|uk|" + countries + ")";
    return "(?=[^@]{1,64}@)" + ATOM + "(\\." + ATOM + ")*@(" + LABEL + "\\.){1,3}" + last;
  }

  /** Eight groups, or fewer with two colons for the others. */
  private static String ipv6() {
    StringBuilder forms = new StringBuilder("(" + GROUP + "(:" + GROUP + "){7}|::");
    for (int before = 1; before <= 6; before++) {
      forms.append("|(" + GROUP + ":){" + before + "}((:" + GROUP + "){1," + (7 - before) + "}|:)");
    }
    return forms + "|(" + GROUP + ":){7}:|:(:" + GROUP + "){1,7})";
  }
}
