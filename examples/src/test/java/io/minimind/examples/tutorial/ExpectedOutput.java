package io.minimind.examples.tutorial;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a tutorial says is printed. A line of {@code …} stands for any lines, {@code …} in a line
 * for anything. If numbers are free, because the test trained less than the reader does, a number
 * stands for any number, and 2 min 5 s for any time.
 */
final class ExpectedOutput {

  private static final String ANYTHING = "…";
  private static final Pattern NUMBER = Pattern.compile("\\d[\\d.,]*(?: min \\d+)?");

  private final List<String> lines;
  private final boolean numbersAreFree;

  ExpectedOutput(String text, boolean numbersAreFree) {
    this.lines = text.lines().map(String::stripTrailing).toList();
    this.numbersAreFree = numbersAreFree;
  }

  /** The first line that the output lacks, or what it has too much; nothing if it is as said. */
  Optional<String> difference(String output) {
    String found = withEnds(output);
    StringBuilder pattern = new StringBuilder();
    for (String line : lines) {
      pattern.append(line.equals(ANYTHING) ? "(?:.*\n)*?" : pattern(line) + "[ \t]*\n");
      if (!Pattern.compile(pattern.toString()).matcher(found).lookingAt()) {
        return Optional.of("it lacks the line\n  " + line);
      }
    }
    Matcher whole = Pattern.compile(pattern.toString()).matcher(found);
    if (whole.matches()) {
      return Optional.empty();
    }
    whole.reset().lookingAt();
    return Optional.of(
        "it goes on with\n  " + found.substring(whole.end()).lines().findFirst().get());
  }

  private static String withEnds(String output) {
    StringBuilder text = new StringBuilder();
    output.stripTrailing().lines().forEach(line -> text.append(line).append('\n'));
    return text.toString();
  }

  private String pattern(String line) {
    StringBuilder pattern = new StringBuilder();
    String[] parts = line.split(ANYTHING, -1);
    for (int i = 0; i < parts.length; i++) {
      pattern.append(i == 0 ? "" : ".*?").append(literal(parts[i]));
    }
    return pattern.toString();
  }

  private String literal(String text) {
    if (!numbersAreFree) {
      return text.isEmpty() ? "" : Pattern.quote(text);
    }
    StringBuilder pattern = new StringBuilder();
    Matcher numbers = NUMBER.matcher(text);
    int end = 0;
    while (numbers.find()) {
      pattern.append(Pattern.quote(text.substring(end, numbers.start()))).append(NUMBER);
      end = numbers.end();
    }
    return pattern.append(Pattern.quote(text.substring(end))).toString();
  }
}
