package io.minimind.examples.tasks;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import io.minimind.files.AtomicFile;
import io.minimind.files.Folders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files of a small world of tools, in a folder.
 *
 * @param texts for a tokenizer and pretraining
 * @param chats for fine-tuning
 * @param tasks to learn from by rewards
 * @param heldOut tasks whose questions are in none of the others
 */
public record ToolFiles(Path texts, Path chats, Path tasks, Path heldOut) {

  /**
   * How much there is of each.
   *
   * @param guesses the share of the conversations in which the answer is guessed, in [0, 1]
   * @param heldOut the most; there are not more than a few thousand such tasks, and of few tools
   *     less than a hundred
   */
  public record Amounts(int texts, int chats, double guesses, int tasks, int heldOut) {

    public static final Amounts DEFAULT = new Amounts(4000, 800, 0.5, 1000, 100);

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Amounts {
      if (Math.min(Math.min(texts, chats), Math.min(tasks, heldOut)) < 1) {
        throw new ArgumentException("There must be at least one row of each kind.");
      }
      if (!(guesses >= 0 && guesses <= 1)) {
        throw new ArgumentException(
            "The share of guesses must be between 0 and 1, but is " + guesses + ".");
      }
    }
  }

  /** Those of a folder. */
  public static ToolFiles in(Path folder) {
    return new ToolFiles(
        folder.resolve("texts.jsonl"),
        folder.resolve("chats.jsonl"),
        folder.resolve("tasks.jsonl"),
        folder.resolve("heldout.jsonl"));
  }

  /**
   * Draws and writes them, in the place of earlier ones.
   *
   * @param folder made if it is missing
   */
  public static ToolFiles draw(Path folder, ToolTasks drawn, Amounts amounts) throws IOException {
    ToolFiles files = in(folder);
    Folders.create(folder);
    write(files.texts, drawn.texts(amounts.texts()));
    write(files.chats, drawn.conversations(amounts.chats(), amounts.guesses()));
    Stream<ToolTask> tasks = Stream.generate(drawn::forTraining).limit(amounts.tasks());
    write(files.tasks, tasks.map(ToolTask::prompt));
    write(files.heldOut, drawn.heldOut(amounts.heldOut()).stream().map(ToolTask::prompt));
    return files;
  }

  private static void write(Path file, Stream<ObjectNode> rows) throws IOException {
    String lines = rows.map(row -> row + "\n").collect(Collectors.joining());
    AtomicFile.replace(file, lines.getBytes(StandardCharsets.UTF_8));
  }
}
