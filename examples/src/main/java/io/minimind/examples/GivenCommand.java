package io.minimind.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/** The command line that was given, as one types it. */
final class GivenCommand {

  private static final Pattern PLAIN = Pattern.compile("[\\p{IsAlphabetic}\\d@%+=:,./_-]+");

  private GivenCommand() {}

  /**
   * @param command one without subcommands, which has been parsed
   */
  static String of(CommandSpec command) {
    List<String> words = new ArrayList<>(List.of("./minimind"));
    List<String> given = command.commandLine().getParseResult().originalArgs();
    if (given.isEmpty() || !given.get(0).equals(command.name())) {
      words.add(command.name());
    }
    words.addAll(given);
    return words.stream().map(GivenCommand::quoted).collect(Collectors.joining(" "));
  }

  /** A word itself, or in quotes where a shell would see more in it than letters. */
  static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
