package io.minimind.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;

/** Methods of strings, which are Python's. */
final class StringMethods {

  private interface Method {
    Object call(String text, Arguments arguments, Budget budget);
  }

  static final Map<String, Method> ALL =
      Map.ofEntries(
          Map.entry("upper", (text, arguments, budget) -> text.toUpperCase(Locale.ROOT)),
          Map.entry("lower", (text, arguments, budget) -> text.toLowerCase(Locale.ROOT)),
          Map.entry(
              "casefold",
              (text, arguments, budget) -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT)),
          Map.entry("capitalize", (text, arguments, budget) -> Text.capitalize(text)),
          Map.entry("title", (text, arguments, budget) -> Text.titleWords(text)),
          Map.entry("strip", (text, arguments, budget) -> strip(text, arguments, true, true)),
          Map.entry("lstrip", (text, arguments, budget) -> strip(text, arguments, true, false)),
          Map.entry("rstrip", (text, arguments, budget) -> strip(text, arguments, false, true)),
          Map.entry("split", StringMethods::split),
          Map.entry("rsplit", StringMethods::rsplit),
          Map.entry(
              "splitlines",
              (text, arguments, budget) ->
                  Text.lines(text, arguments.bind("keepends").flag("keepends", false), budget)),
          Map.entry("partition", (text, arguments, budget) -> partition(text, arguments, false)),
          Map.entry("rpartition", (text, arguments, budget) -> partition(text, arguments, true)),
          Map.entry("replace", StringMethods::replace),
          Map.entry("expandtabs", StringMethods::expandTabs),
          Map.entry("format", BraceFormat::of),
          Map.entry("format_map", StringMethods::formatMap),
          Map.entry(
              "isprintable",
              (text, arguments, budget) -> text.codePoints().allMatch(PythonText::isPrintable)),
          Map.entry("isidentifier", (text, arguments, budget) -> isIdentifier(text)),
          Map.entry("removeprefix", (text, arguments, budget) -> removePrefix(text, arguments)),
          Map.entry("removesuffix", (text, arguments, budget) -> removeSuffix(text, arguments)),
          Map.entry(
              "startswith", (text, arguments, budget) -> affix(text, arguments, budget, true)),
          Map.entry("endswith", (text, arguments, budget) -> affix(text, arguments, budget, false)),
          Map.entry("find", (text, arguments, budget) -> find(text, arguments, false)),
          Map.entry("rfind", (text, arguments, budget) -> find(text, arguments, true)),
          Map.entry("index", (text, arguments, budget) -> index(text, arguments, false)),
          Map.entry("rindex", (text, arguments, budget) -> index(text, arguments, true)),
          Map.entry("count", (text, arguments, budget) -> count(text, arguments)),
          Map.entry("join", StringMethods::join),
          Map.entry("ljust", (text, arguments, budget) -> pad(text, arguments, budget, 0, 1)),
          Map.entry("rjust", (text, arguments, budget) -> pad(text, arguments, budget, 1, 0)),
          Map.entry("center", (text, arguments, budget) -> pad(text, arguments, budget, 1, 1)),
          Map.entry("zfill", StringMethods::zeroFill),
          Map.entry("swapcase", (text, arguments, budget) -> swapCase(text)),
          Map.entry("isalnum", (text, arguments, budget) -> all(text, Character::isLetterOrDigit)),
          Map.entry("isalpha", (text, arguments, budget) -> all(text, Character::isLetter)),
          Map.entry("isdigit", (text, arguments, budget) -> all(text, Character::isDigit)),
          Map.entry("isdecimal", (text, arguments, budget) -> all(text, Character::isDigit)),
          Map.entry("isnumeric", (text, arguments, budget) -> all(text, Character::isDigit)),
          Map.entry("isspace", (text, arguments, budget) -> all(text, Text::isSpace)),
          Map.entry("isascii", (text, arguments, budget) -> text.chars().allMatch(c -> c < 128)),
          Map.entry("islower", (text, arguments, budget) -> isCased(text, false)),
          Map.entry("isupper", (text, arguments, budget) -> isCased(text, true)));

  private StringMethods() {}

  static Object call(String name, String text, Arguments arguments, Budget budget) {
    budget.spendSearch(text, arguments);
    return budget.spendValue(ALL.get(name).call(text, arguments, budget));
  }

  /** Whether there are letters, and all of them are capitals, or none is. */
  static boolean isCased(String text, boolean upper) {
    boolean any = false;
    for (int c : text.codePoints().toArray()) {
      boolean isUpper = Character.isUpperCase(c) || Character.isTitleCase(c);
      if (upper ? Character.isLowerCase(c) : isUpper) {
        return false;
      }
      any |= upper ? isUpper : Character.isLowerCase(c);
    }
    return any;
  }

  private static boolean all(String text, IntPredicate predicate) {
    return !text.isEmpty() && text.codePoints().allMatch(predicate);
  }

  private static String strip(String text, Arguments arguments, boolean left, boolean right) {
    return Text.strip(text, arguments.bind("chars").text("chars", null), left, right);
  }

  private static List<String> split(String text, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("sep", "maxsplit");
    int most = bound.integer("maxsplit", -1);
    if (bound.isNone("sep")) {
      return splitWords(text, most, budget);
    }
    String separator = separator(bound);
    List<String> parts = new ArrayList<>();
    int start = 0;
    int end = text.indexOf(separator);
    while (end >= 0 && (most < 0 || parts.size() < most)) {
      budget.add(parts, text.substring(start, end));
      start = end + separator.length();
      end = text.indexOf(separator, start);
    }
    budget.add(parts, text.substring(start));
    return parts;
  }

  private static String separator(Arguments.Bound bound) {
    if (bound.text("sep").isEmpty()) {
      throw new Failure("the separator is empty");
    }
    return bound.text("sep");
  }

  private static List<String> splitWords(String text, int most, Budget budget) {
    List<String> words = new ArrayList<>();
    int at = 0;
    while (true) {
      while (at < text.length() && Text.isSpace(text.charAt(at))) {
        at++;
      }
      if (at == text.length()) {
        return words;
      } else if (most >= 0 && words.size() == most) {
        budget.add(words, text.substring(at));
        return words;
      }
      int start = at;
      while (at < text.length() && !Text.isSpace(text.charAt(at))) {
        at++;
      }
      budget.add(words, text.substring(start, at));
    }
  }

  private static List<String> rsplit(String text, Arguments arguments, Budget budget) {
    // What is split from the right is split from the left when all is turned around.
    Arguments.Bound bound = arguments.bind("sep", "maxsplit");
    Object separator = bound.isNone("sep") ? null : reverse(separator(bound));
    List<Object> positional =
        ContainerMethods.pair(separator, (long) bound.integer("maxsplit", -1));
    List<String> parts = new ArrayList<>();
    split(reverse(text), new Arguments(positional, Map.of()), budget)
        .forEach(part -> parts.add(reverse(part)));
    Collections.reverse(parts);
    return parts;
  }

  private static String reverse(String text) {
    return new StringBuilder(text).reverse().toString();
  }

  private static List<Object> partition(String text, Arguments arguments, boolean last) {
    String separator = separator(arguments.bind("sep"));
    int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (at < 0) {
      return last ? Tuple.of("", "", text) : Tuple.of(text, "", "");
    }
    return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
  }

  private static Object formatMap(String text, Arguments arguments, Budget budget) {
    if (!(arguments.bind("mapping").get("mapping") instanceof Map<?, ?> map)) {
      throw new Failure("\"format_map\" wants a mapping");
    }
    return BraceFormat.ofMap(text, map, budget);
  }

  private static boolean isIdentifier(String text) {
    return all(text, Character::isUnicodeIdentifierPart)
        && (Character.isUnicodeIdentifierStart(text.codePointAt(0)) || text.startsWith("_"));
  }

  /** Tabs as spaces up to the next column that is a multiple of their size. */
  private static String expandTabs(String text, Arguments arguments, Budget budget) {
    int size = Math.min(10_000, arguments.bind("tabsize").integer("tabsize", 8));
    budget.spendText(text.chars().filter(c -> c == '\t').count() * Math.max(0, size));
    StringBuilder expanded = new StringBuilder();
    int column = 0;
    for (int c : text.codePoints().toArray()) {
      if (c == '\t') {
        int spaces = size > 0 ? size - column % size : 0;
        expanded.append(" ".repeat(spaces));
        column += spaces;
      } else {
        expanded.appendCodePoint(c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
    }
    return expanded.toString();
  }

  static String replace(String text, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("old", "new", "count");
    String old = bound.text("old");
    String replacement = bound.text("new");
    int most = bound.isNone("count") ? -1 : bound.integer("count", -1);
    StringBuilder result = new StringBuilder();
    int start = 0;
    int found = text.indexOf(old);
    for (int count = 0; found >= 0 && (most < 0 || count < most); count++) {
      result.append(text, start, found).append(replacement);
      start = found + old.length();
      budget.spendText(
          result.length() > Template.MAX_LENGTH ? result.length() : replacement.length());
      if (old.isEmpty()) {
        // An empty string stands before every character and at the end.
        if (found == text.length()) {
          return result.toString();
        }
        int next = found + Character.charCount(text.codePointAt(found));
        result.append(text, found, next);
        start = next;
      }
      found = text.indexOf(old, start);
    }
    return result.append(text, start, text.length()).toString();
  }

  private static String removePrefix(String text, Arguments arguments) {
    String prefix = arguments.bind("prefix").text("prefix");
    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
  }

  private static String removeSuffix(String text, Arguments arguments) {
    String suffix = arguments.bind("suffix").text("suffix");
    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
  }

  private static boolean affix(String text, Arguments arguments, Budget budget, boolean prefix) {
    Arguments.Bound bound = arguments.bind("affix", "start", "end");
    Slices.Range range = part(text, bound);
    if (range == null) {
      return false;
    }
    String part = Text.slice(text, range);
    List<?> affixes =
        bound.get("affix") instanceof List<?> list ? list : List.of(bound.text("affix"));
    for (Object affix : affixes) {
      if (!(affix instanceof String one)) {
        throw new Failure("expected a string or a tuple of strings");
      }
      budget.spendText(Math.min(one.length(), part.length()));
      if (prefix ? part.startsWith(one) : part.endsWith(one)) {
        return true;
      }
    }
    return false;
  }

  /** The part of the text from {@code start} to {@code end}, or null if it starts beyond it. */
  private static Slices.Range part(String text, Arguments.Bound bound) {
    int length = Text.length(text);
    Object start = bound.get("start", null);
    return start != null && Numbers.toLong(start) > length
        ? null
        : Slices.range(length, start, bound.get("end", null), null);
  }

  private static long find(String text, Arguments arguments, boolean last) {
    Arguments.Bound bound = arguments.bind("sub", "start", "end");
    String sought = bound.text("sub");
    Slices.Range range = part(text, bound);
    if (range == null) {
      return -1;
    }
    String part = Text.slice(text, range);
    int at = last ? part.lastIndexOf(sought) : part.indexOf(sought);
    return at < 0 ? -1 : range.start() + part.codePointCount(0, at);
  }

  private static long index(String text, Arguments arguments, boolean last) {
    long index = find(text, arguments, last);
    if (index < 0) {
      throw new Failure("the text is not found");
    }
    return index;
  }

  private static long count(String text, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("sub", "start", "end");
    Slices.Range range = part(text, bound);
    if (range == null) {
      return 0;
    }
    String part = Text.slice(text, range);
    String sought = bound.text("sub");
    if (sought.isEmpty()) {
      return Text.length(part) + 1L;
    }
    long count = 0;
    for (int at = part.indexOf(sought); at >= 0; at = part.indexOf(sought, at + sought.length())) {
      count++;
    }
    return count;
  }

  private static String join(String text, Arguments arguments, Budget budget) {
    List<?> items = Values.iterate(arguments.bind("items").get("items"), budget);
    List<Object> parts = new ArrayList<>();
    for (Object item : items) {
      if (!(item instanceof String)) {
        throw new Failure("%s cannot be joined; expected strings", Values.kind(item));
      }
      parts.add(parts.isEmpty() ? "" : text);
      parts.add(item);
    }
    return new Operators(budget).concatenate(parts);
  }

  /** The text with blanks around it, as many on the sides as their shares say. */
  private static String pad(String text, Arguments arguments, Budget budget, int left, int right) {
    Arguments.Bound bound = arguments.bind("width", "fillchar");
    int width = Numbers.index(bound.get("width"));
    String fill = bound.has("fillchar") ? bound.text("fillchar") : " ";
    if (Text.length(fill) != 1) {
      throw new Failure("the character to fill with is \"%s\"; expected one character", fill);
    }
    int missing = Math.max(0, width - Text.length(text));
    budget.spendText((long) text.length() + missing);
    // Python puts the odd one to the left if the width is odd.
    int before = left == 0 ? 0 : right == 0 ? missing : missing / 2 + (missing & width & 1);
    return fill.repeat(before) + text + fill.repeat(missing - before);
  }

  private static String zeroFill(String text, Arguments arguments, Budget budget) {
    int width = Numbers.index(arguments.bind("width").get("width"));
    int missing = Math.max(0, width - Text.length(text));
    budget.spendText((long) text.length() + missing);
    int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
    return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
  }

  private static String swapCase(String text) {
    StringBuilder swapped = new StringBuilder();
    text.codePoints()
        .mapToObj(Character::toString)
        .forEach(
            letter ->
                swapped.append(
                    Character.isUpperCase(letter.codePointAt(0))
                        ? letter.toLowerCase(Locale.ROOT)
                        : letter.toUpperCase(Locale.ROOT)));
    return swapped.toString();
  }
}
