package io.minimind.template;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters of strings; another value is taken as it is printed. */
final class TextFilters {

  private static final Pattern WORD_START =
      Pattern.compile("(?<=^|[-\\s({\\[<])[^-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

  private interface TextFilter {
    Object apply(String text, Arguments arguments, Budget budget);
  }

  private TextFilters() {}

  static void addTo(Map<String, Filters.Filter> filters) {
    add(filters, "string", (text, arguments, budget) -> text);
    add(filters, "safe", (text, arguments, budget) -> text);
    add(filters, "upper", (text, arguments, budget) -> text.toUpperCase(Locale.ROOT));
    add(filters, "lower", (text, arguments, budget) -> text.toLowerCase(Locale.ROOT));
    add(filters, "capitalize", (text, arguments, budget) -> Text.capitalize(text));
    add(filters, "title", (text, arguments, budget) -> title(text));
    add(filters, "trim", TextFilters::trim);
    add(filters, "replace", TextFilters::replace);
    add(filters, "indent", TextFilters::indent);
    add(filters, "truncate", TextFilters::truncate);
    add(filters, "center", TextFilters::center);
    add(filters, "escape", (text, arguments, budget) -> escape(text));
    add(filters, "e", (text, arguments, budget) -> escape(text));
    add(filters, "forceescape", (text, arguments, budget) -> escape(text));
    add(filters, "urlencode", (text, arguments, budget) -> urlEncode(text));
    add(filters, "wordcount", (text, arguments, budget) -> wordCount(text));
    add(filters, "format", TextFilters::format);
  }

  private static void add(Map<String, Filters.Filter> filters, String name, TextFilter filter) {
    filters.put(
        name,
        (value, arguments, budget) ->
            filter.apply(Values.toText(value, budget), arguments, budget));
  }

  private static String title(String text) {
    Matcher words = WORD_START.matcher(text);
    return words.replaceAll(word -> Matcher.quoteReplacement(Text.capitalize(word.group())));
  }

  private static String trim(String text, Arguments arguments, Budget budget) {
    return Text.strip(text, arguments.bind("chars").text("chars", null), true, true);
  }

  private static String replace(String text, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("old", "new", "count");
    List<Object> positional = new ArrayList<>();
    positional.add(Values.toText(bound.get("old"), budget));
    positional.add(Values.toText(bound.get("new"), budget));
    positional.add(bound.get("count", null));
    return StringMethods.replace(text, new Arguments(positional, Map.of()), budget);
  }

  private static String indent(String text, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("width", "first", "blank");
    Object width = bound.get("width", 4L);
    int most = 10_000;
    String blanks =
        width instanceof String own
            ? own
            : " ".repeat(Math.max(0, Math.min(most, Numbers.index(width))));
    boolean indentsBlank = bound.flag("blank", false);
    List<String> lines = Text.lines(text + "\n", false, budget);
    budget.spendText(text.length() + (long) lines.size() * (blanks.length() + 1));
    StringBuilder indented = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      boolean isIndented =
          i == 0 ? bound.flag("first", false) : indentsBlank || !lines.get(i).isEmpty();
      indented.append(i == 0 ? "" : "\n").append(isIndented ? blanks : "").append(lines.get(i));
    }
    return indented.toString();
  }

  private static String truncate(String text, Arguments arguments, Budget budget) {
    Arguments.Bound bound = arguments.bind("length", "killwords", "end", "leeway");
    int length = bound.integer("length", 255);
    String end = bound.text("end", "...");
    int leeway = bound.isNone("leeway") ? 5 : bound.integer("leeway", 5);
    int kept = length - Text.length(end);
    if (kept < 0 || leeway < 0) {
      throw new Failure("length is %d; expected at least the length of the end", length);
    } else if (Text.length(text) <= (long) length + leeway) {
      return text;
    }
    String cut = text.substring(0, text.offsetByCodePoints(0, kept));
    int lastWord = bound.flag("killwords", false) ? -1 : cut.lastIndexOf(' ');
    return (lastWord < 0 ? cut : cut.substring(0, lastWord)) + end;
  }

  private static Object center(String text, Arguments arguments, Budget budget) {
    Object width = arguments.bind("width").get("width", 80L);
    return StringMethods.call("center", text, new Arguments(List.of(width), Map.of()), budget);
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace(">", "&gt;")
        .replace("<", "&lt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  private static String urlEncode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8)
        .replace("+", "%20")
        .replace("*", "%2A")
        .replace("%7E", "~")
        .replace("%2F", "/");
  }

  private static long wordCount(String text) {
    return Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS).matcher(text).results().count();
  }

  private static String format(String text, Arguments arguments, Budget budget) {
    Object values =
        arguments.named().isEmpty() ? new Tuple(arguments.positional()) : arguments.named();
    return PercentFormat.of(text, values, budget);
  }
}
