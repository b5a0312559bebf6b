package io.minimind.examples;

import io.minimind.files.Quoted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What is wrong with a command line: which option, what was given, what was expected. The library
 * that reads options has words of its own for it, which are those of programmers.
 */
final class WrongUsage {

  private static final Set<Class<?>> WHOLE =
      Set.of(int.class, Integer.class, long.class, Long.class);
  private static final Set<Class<?>> NUMBERS =
      Set.of(float.class, Float.class, double.class, Double.class);
  private static final Set<Class<?>> TRUTH = Set.of(boolean.class, Boolean.class);

  private WrongUsage() {}

  /**
   * A sentence for whoever typed a command.
   *
   * @param given the whole command line
   */
  static String sentence(ParameterException e, String... given) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    if (e instanceof UnmatchedArgumentException unmatched) {
      return unknown(command, unmatched.getUnmatched().get(0));
    }
    if (e instanceof MissingParameterException missing) {
      // Who mistypes the name of an option that must be given is told of the name.
      return unknownOption(command, given).orElseGet(() -> missing(missing.getMissing(), given));
    }
    if (e instanceof OverwrittenOptionException twice) {
      return name(twice.getOverwritten()) + " is given twice: give it once.";
    }
    if (e.getArgSpec() != null && e.getValue() != null) {
      return value(e);
    }
    if (!command.subcommands().isEmpty()) {
      return "%s needs a command: expected %s."
          .formatted(command.qualifiedName(), list(command.subcommands().keySet(), "or"));
    }
    return e.getMessage().endsWith(".") ? e.getMessage() : e.getMessage() + ".";
  }

  private static String unknown(CommandSpec command, String word) {
    if (word.startsWith("-") && word.length() > 1) {
      return unknownOption(command, word)
          .orElseGet(() -> "There is no option %s.".formatted(Quoted.text(word)));
    }
    Set<String> commands = command.subcommands().keySet();
    return commands.isEmpty()
        ? "%s does not know what to do with %s: it is no option, and no value of one."
            .formatted(command.qualifiedName(), Quoted.text(word))
        : "There is no command %s in %s: %s"
            .formatted(
                Quoted.text(word),
                command.qualifiedName(),
                nearest(word, commands).orElseGet(() -> "expected " + list(commands, "or") + "."));
  }

  /** The first of some words that would be an option if there were one of this name. */
  private static Optional<String> unknownOption(CommandSpec command, String... words) {
    if (command.commandLine().isStopAtPositional()) {
      return Optional.empty(); // Some of them belong to another command.
    }
    Set<String> names = command.optionsMap().keySet();
    return Arrays.stream(words)
        .takeWhile(word -> !word.equals("--"))
        .filter(word -> word.startsWith("--"))
        .map(word -> word.split("=", 2)[0])
        .filter(word -> !names.contains(word))
        .findFirst()
        .map(
            word ->
                "There is no option %s%s"
                    .formatted(
                        Quoted.line(word), nearest(word, names).map(": "::concat).orElse(".")));
  }

  private static String missing(List<ArgSpec> missing, String... given) {
    List<String> words = List.of(given);
    for (ArgSpec one : missing) {
      if (one instanceof OptionSpec option && Stream.of(option.names()).anyMatch(words::contains)) {
        return "%s needs a value: %s.".formatted(name(option), withLabel(option));
      }
    }
    List<String> labels = missing.stream().map(WrongUsage::withLabel).toList();
    return "%s must be given.".formatted(list(labels, "and"));
  }

  private static String value(ParameterException e) {
    ArgSpec argument = e.getArgSpec();
    boolean chosen = argument.completionCandidates() != null;
    if (!chosen && argument.converters().length > 0) {
      return name(argument) + ": " + e.getCause().getMessage();
    }
    String value = e.getValue().toString();
    return "%s cannot be %s: expected %s."
        .formatted(name(argument), Quoted.text(value), expected(argument, value));
  }

  private static String expected(ArgSpec argument, String value) {
    if (argument.completionCandidates() != null) {
      List<String> candidates = new ArrayList<>();
      argument.completionCandidates().forEach(candidates::add);
      return list(candidates, "or");
    }
    Class<?> type = argument.auxiliaryTypes()[0];
    if (WHOLE.contains(type)) {
      boolean large = value.strip().matches("[+-]?\\d+");
      long most = type == int.class || type == Integer.class ? Integer.MAX_VALUE : Long.MAX_VALUE;
      return large ? "a whole number of at most " + most : "a whole number";
    }
    if (NUMBERS.contains(type)) {
      return "a number";
    }
    return TRUTH.contains(type) ? "true or false" : argument.paramLabel();
  }

  /** What a person may have meant: the names that few letters make of a word. */
  private static Optional<String> nearest(String word, Collection<String> names) {
    int most = (word.replace("-", "").length() + 2) / 3;
    List<String> near = names.stream().filter(name -> distance(word, name) <= most).toList();
    return near.isEmpty() ? Optional.empty() : Optional.of("is it " + list(near, "or") + "?");
  }

  /** The letters to insert, leave out or change that make one word of another (Levenshtein). */
  private static int distance(String from, String to) {
    int[] row = new int[to.length() + 1];
    Arrays.setAll(row, i -> i);
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[to.length()];
  }

  private static String name(ArgSpec argument) {
    return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
  }

  private static String withLabel(ArgSpec argument) {
    return argument instanceof OptionSpec option
        ? option.longestName() + "=" + option.paramLabel()
        : argument.paramLabel();
  }

  private static String list(Collection<String> words, String last) {
    List<String> all = new ArrayList<>(words);
    if (all.size() == 1) {
      return all.get(0);
    }
    String end = all.remove(all.size() - 1);
    return all.stream().collect(Collectors.joining(", ")) + " " + last + " " + end;
  }
}
