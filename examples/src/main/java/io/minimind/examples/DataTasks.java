package io.minimind.examples;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.examples.tasks.ToolTask;
import io.minimind.examples.tasks.ToolTasks;
import io.minimind.files.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

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

  @Option(names = "--texts", paramLabel = "N", description = "Texts.")
  private int texts = 4000;

  @Option(names = "--chats", paramLabel = "N", description = "Conversations.")
  private int chats = 400;

  @Option(
      names = "--guesses",
      paramLabel = "SHARE",
      description = "Share of the conversations in which the answer is guessed.")
  private double guesses = 0.6;

  @Option(names = "--tasks", paramLabel = "N", description = "Questions to learn from.")
  private int tasks = 1000;

  @Option(
      names = "--held-out",
      paramLabel = "N",
      description = "Other questions, of which there are not more than a few hundred.")
  private int heldOut = 100;

  @Spec private CommandSpec spec;

  public static void main(String[] args) {
    MiniMind.run(new DataTasks(), args);
  }

  @Override
  public Integer call() throws IOException {
    if (Math.min(Math.min(texts, chats), Math.min(tasks, heldOut)) < 1) {
      throw new ParameterException(
          spec.commandLine(), "There must be at least one row of each kind.");
    }
    if (!(guesses >= 0 && guesses <= 1)) {
      throw new ParameterException(
          spec.commandLine(), "--guesses must be between 0 and 1, but is " + guesses + ".");
    }
    ToolTasks drawn = new ToolTasks(seed);
    Files.createDirectories(out);
    write("texts.jsonl", drawn.texts(texts));
    write("chats.jsonl", drawn.conversations(chats, guesses));
    write("tasks.jsonl", Stream.generate(drawn::forTraining).limit(tasks).map(ToolTask::prompt));
    write("heldout.jsonl", drawn.heldOut(heldOut).stream().map(ToolTask::prompt));
    return 0;
  }

  private void write(String name, Stream<ObjectNode> rows) throws IOException {
    String lines = rows.map(row -> row + "\n").collect(Collectors.joining());
    AtomicFile.replace(out.resolve(name), lines.getBytes(StandardCharsets.UTF_8));
    System.out.printf(Locale.ROOT, "%s: %,d rows%n", out.resolve(name), lines.lines().count());
  }
}
