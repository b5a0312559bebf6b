package io.minimind.files;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** What to tell people about JSON that cannot be read. */
public final class JsonErrors {

  private static final int LONGEST = 300;

  /** What Jackson says of itself rather than of the text, and what is said in its place. */
  private static final Map<Pattern, String> OF_JACKSON = new LinkedHashMap<>();

  static {
    // In which input a bracket was opened, for which there never is a name.
    say(" \\([^(]*\\[Source: [^]]*]\\)", "");
    say("Unexpected end-of-input.*", "it ends in the middle");
    say("No content to map due to end-of-input.*", "it is empty");
    say("Trailing token .*found after value.*", "there is more after its end");
    say("Invalid UTF-8 start byte 0x(..).*", "it is not UTF-8 (byte 0x$1)");
    say("Invalid UTF-8 middle byte .*", "it is not UTF-8 (a character is cut)");
    say("Document nesting depth .*maximum allowed \\((\\d+).*", "it is nested more than $1 deep");
    say(
        "(?:String value|Name|Number value) length .*maximum allowed \\((\\d+).*",
        "a text, name or number has more than $1 characters");
    say("Numeric value \\((.{1,40}).*\\) out of range of .*", "the number $1 is too large");
    say("Non-standard token '(.{1,40})'.*", "$1 is no value in JSON");
    say("Unrecognized token '(.{0,40})': was expecting .*", "$1 is no value in JSON");
    say("Unrecognized token '(.{40}).*': was expecting .*", "$1… is no value in JSON");
    say(
        "Illegal (?:unquoted )?character \\(+CTRL-CHAR, code (\\d+)\\)+.*",
        "it has a control character (code $1) that is not escaped");
    say(
        "Unexpected character .*code 65279.*",
        "there is a byte order mark, which only files begin with");
    found("maybe a .*comment.*", "where a comment seems to begin, which JSON does not have");
    found("in numeric value.*", "in a number, where a digit should stand");
    found(".*(name character|double-quote).*", "where a name in double quotes should begin");
    found(".*a colon.*", "where a colon should stand after a name");
    found(".*separate Array entries", "where a comma or the end of the list should stand");
    found(".*separate Object entries", "where a comma or the end of the object should stand");
    found(".*space separating.*", "right behind a value");
    found(".*hex-digit.*", "in a character's code, where a hexadecimal digit should stand");
    found(".*", "where a value should stand");
    say("Unexpected close marker '(.)': expected '(.)'.*", "there is '$1' where '$2' should stand");
    say("Unexpected close marker '(.)'.*", "there is '$1', which closes nothing");
    say("Unrecognized character escape \\(CTRL.*", "there is a '\\\\' before a control character");
    say(
        "Unrecognized character escape '?(.)'? .*",
        "there is '\\\\$1', which is no character in JSON");
    say("Invalid numeric value: Leading zeroes.*", "a number begins with a zero");
    say("Missing (?:required )?creator property '(.*?)'.*", "\"$1\" is missing");
    say("Null value for creator property '(.*?)'.*", "\"$1\" is null");
    say("Unrecognized field \"(.*?)\".*", "\"$1\" is not known");
    say("Cannot construct instance of .*?, problem: (.*)", "$1");
    say(
        "Cannot (?:coerce|construct|convert|deserialize|map) .*",
        "a value of another kind was expected");
    say("(, from)? `[A-Za-z]+Constraints\\.[^`]*`", "");
    say("; Feature .*| \\(?[^().:]*Feature\\W.*", "");
    say("`?(com\\.fasterxml|java)\\.[\\w.$<>]*`?", "a value");
  }

  private JsonErrors() {}

  private static void say(String pattern, String instead) {
    OF_JACKSON.put(Pattern.compile(pattern, Pattern.DOTALL), instead);
  }

  /** A character where the parser expects another. */
  private static void found(String expected, String where) {
    say(
        "Unexpected character \\('(.)' \\(code [^)]*\\)\\):? ?" + expected,
        "there is '$1' " + where);
  }

  /** What is wrong with it. */
  public static String reason(JsonProcessingException e) {
    String reason = String.valueOf(e.getOriginalMessage());
    for (Map.Entry<Pattern, String> own : OF_JACKSON.entrySet()) {
      reason = own.getKey().matcher(reason).replaceAll(own.getValue());
    }
    reason = reason.replaceAll("'\\p{Cs}'", "a symbol").replaceAll("\\p{Cntrl}+", " ").strip();
    return reason.length() > LONGEST ? reason.substring(0, LONGEST) + "…" : reason;
  }

  /**
   * Where the error is, as {@code " at line 3, column 5"}; empty where Jackson does not know, as
   * for JSON that is nested too deeply.
   */
  public static String place(JsonProcessingException e) {
    return isUnknown(e.getLocation())
        ? ""
        : " at line %d, column %d"
            .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
  }

  /** The same of a text of one line, as {@code " at column 5"}. */
  public static String column(JsonProcessingException e) {
    return isUnknown(e.getLocation()) ? "" : " at column " + e.getLocation().getColumnNr();
  }

  private static boolean isUnknown(JsonLocation location) {
    return location == null || location.getLineNr() < 1;
  }
}
