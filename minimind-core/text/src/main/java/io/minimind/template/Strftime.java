package io.minimind.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;

/** The time now, by C's format letters, in English. */
final class Strftime {

  private static final Map<Character, String> PATTERNS =
      Map.ofEntries(
          Map.entry('a', "EEE"),
          Map.entry('A', "EEEE"),
          Map.entry('b', "MMM"),
          Map.entry('h', "MMM"),
          Map.entry('B', "MMMM"),
          Map.entry('c', "EEE MMM ppd HH:mm:ss yyyy"),
          Map.entry('d', "dd"),
          Map.entry('D', "MM/dd/yy"),
          Map.entry('e', "ppd"),
          Map.entry('f', "SSSSSS"),
          Map.entry('F', "yyyy-MM-dd"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('j', "DDD"),
          Map.entry('m', "MM"),
          Map.entry('M', "mm"),
          Map.entry('n', "'\n'"),
          Map.entry('p', "a"),
          Map.entry('R', "HH:mm"),
          Map.entry('S', "ss"),
          Map.entry('t', "'\t'"),
          Map.entry('T', "HH:mm:ss"),
          Map.entry('x', "MM/dd/yy"),
          Map.entry('X', "HH:mm:ss"),
          Map.entry('y', "yy"),
          Map.entry('Y', "yyyy"),
          Map.entry('%', "'%'"));

  private static final int MAX_FORMAT = 1000;

  /** A field takes some microseconds. */
  private static final int STEPS_PER_FIELD = 100;

  private Strftime() {}

  static String format(String format, Clock clock, Budget budget) {
    if (format.length() > MAX_FORMAT) {
      throw new Failure(
          "the time format has %d characters; expected no more than %d",
          format.length(), MAX_FORMAT);
    }
    ZonedDateTime now = ZonedDateTime.now(clock);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        text.append(c);
        continue;
      }
      budget.spend(STEPS_PER_FIELD);
      boolean unpadded = format.startsWith("-", i + 1);
      i += unpadded ? 2 : 1;
      String pattern = i < format.length() ? PATTERNS.get(format.charAt(i)) : null;
      if (pattern == null) {
        throw new Failure("the time format \"%s\" has an unsupported field", format);
      }
      String field = DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
      text.append(unpadded ? field.replaceFirst("^[0 ]+(?=.)", "") : field);
    }
    budget.spendText(text.length());
    return text.toString();
  }
}
