package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

class HelpTest {

  @TestFactory
  Stream<DynamicTest> everyCommandExplainsItself() {
    List<CommandLine> commands = new ArrayList<>();
    collect(MiniMind.commandLine(new MiniMind()), commands);
    assertTrue(commands.size() > 5, "the commands were not found");
    return commands.stream()
        .map(
            command ->
                DynamicTest.dynamicTest(
                    command.getCommandSpec().qualifiedName(), () -> assertComplete(command)));
  }

  private static void collect(CommandLine command, List<CommandLine> commands) {
    commands.add(command);
    command.getSubcommands().values().forEach(subcommand -> collect(subcommand, commands));
  }

  private static void assertComplete(CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    String help = help(spec.qualifiedName());
    assertFalse(String.join("", spec.usageMessage().description()).isBlank(), "what it does");
    assertTrue(help.contains("Usage: " + spec.qualifiedName()), help);
    assertFalse(Pattern.compile("Default: [A-Z]{2}").matcher(help).find(), help);
    assertFalse(Pattern.compile("Default: \\d{10}").matcher(help).find(), "no limit: " + help);
    assertParagraphs("description", spec.usageMessage().description());
    for (OptionSpec option : spec.options()) {
      assertFalse(option.hidden(), option.longestName());
      assertFalse(String.join("", option.description()).isBlank(), option.longestName());
      assertTrue(help.contains(option.longestName()), option.longestName());
      assertParagraphs(option.longestName(), option.description());
    }
    for (CommandLine subcommand : command.getSubcommands().values()) {
      assertTrue(help.contains("  " + subcommand.getCommandName() + "  "), help);
    }
  }

  /** Each is one line of the help, and the first is what the list of commands shows. */
  private static void assertParagraphs(String of, String... paragraphs) {
    for (String paragraph : paragraphs) {
      String text = paragraph.replaceFirst("%n$", "");
      assertTrue(text.isEmpty() || text.endsWith("."), of + ": " + text);
    }
  }

  /** What {@code COMMAND --help} prints, asked for as a person does. */
  private static String help(String qualifiedName) {
    List<String> args = new ArrayList<>(List.of(qualifiedName.split(" ")));
    args.remove(0);
    args.add("--help");
    StringWriter out = new StringWriter();
    int status =
        MiniMind.commandLine(new MiniMind())
            .setOut(new PrintWriter(out))
            .execute(args.toArray(String[]::new));
    assertEquals(0, status);
    return out.toString();
  }
}
