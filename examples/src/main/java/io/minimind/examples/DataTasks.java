package io.minimind.examples;

import io.minimind.examples.tasks.ToolFiles;
import io.minimind.examples.tasks.ToolFiles.Amounts;
import io.minimind.examples.tasks.ToolTasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** Writes what a small model learns to use tools from. */
@Command(
    name = "tasks",
    description = {
      "Draws questions that only the six mock tools can answer, and writes what a small model needs"
          + " to learn to ask them: texts.jsonl for a tokenizer and pretraining, chats.jsonl for"
          + " sft, tasks.jsonl for agent, and heldout.jsonl, whose questions are in none of these.",
      "In some of the conversations the answer is guessed, so that there is something to learn from"
          + " rewards."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true,
    footer = {"", "Example:", "  minimind data tasks --out out/tasks"})
public final class DataTasks implements Callable<Integer> {

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder to write; made if it is missing.")
  private Path out;

  @Option(names = "--seed", paramLabel = "N", description = "Of all draws.")
  private long seed = 1337;

  @Option(
      names = "--tools",
      split = ",",
      paramLabel = "NAME",
      showDefaultValue = Visibility.NEVER,
      description = {
        "Tools of this world, separated by commas: calculate_math, unit_converter,"
            + " get_current_weather, get_current_time, get_exchange_rate, translate_text; all"
            + " unless given. With fewer of them a model needs less of everything else."
      })
  private List<String> tools = List.of();

  @Option(names = "--texts", paramLabel = "N", description = "Texts.")
  private int texts = Amounts.DEFAULT.texts();

  @Option(names = "--chats", paramLabel = "N", description = "Conversations.")
  private int chats = Amounts.DEFAULT.chats();

  @Option(
      names = "--guesses",
      paramLabel = "SHARE",
      description = "Share of the conversations in which the answer is guessed.")
  private double guesses = Amounts.DEFAULT.guesses();

  @Option(names = "--tasks", paramLabel = "N", description = "Questions to learn from.")
  private int tasks = Amounts.DEFAULT.tasks();

  @Option(
      names = "--held-out",
      paramLabel = "N",
      description = "Questions that are in no other file; of few tools there may be fewer of them.")
  private int heldOut = Amounts.DEFAULT.heldOut();

  public static void main(String[] args) {
    MiniMind.run(new DataTasks(), args);
  }

  @Override
  public Integer call() throws IOException {
    Amounts amounts = new Amounts(texts, chats, guesses, tasks, heldOut);
    ToolTasks drawn = new ToolTasks(seed, tools);
    ToolFiles files = ToolFiles.draw(out, drawn, amounts);
    for (Path file : List.of(files.texts(), files.chats(), files.tasks(), files.heldOut())) {
      System.out.printf(Locale.ROOT, "%s: %,d rows%n", file, rows(file));
    }
    if (rows(files.heldOut()) < heldOut) {
      System.out.printf(
          Locale.ROOT,
          "There are no more than %,d held-out questions for these tools, though %,d were asked"
              + " for.%n",
          rows(files.heldOut()),
          heldOut);
    }
    return 0;
  }

  private static long rows(Path file) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.count();
    }
  }
}
