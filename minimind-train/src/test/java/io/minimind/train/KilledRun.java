package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A run in a process of its own that is killed wherever it is, begun again, and ends. */
public final class KilledRun {

  private KilledRun() {}

  /**
   * Kills it each time, and lets it end then.
   *
   * @param program begins or goes on with the run
   * @param folder of the run
   * @param updates of the whole run
   * @param checkpoints each of which it has written when it is killed
   */
  public static void run(JavaProcess program, Path folder, int updates, int... checkpoints)
      throws IOException, InterruptedException {
    for (int checkpoint : checkpoints) {
      Process process = program.builder().inheritIO().start();
      while (process.isAlive() && update(folder) < checkpoint) {
        Thread.onSpinWait();
      }
      process.destroyForcibly().waitFor();
    }
    assertTrue(update(folder) < updates, "it was killed before its end");
    assertEquals(0, program.builder().inheritIO().start().waitFor());
    assertEquals(updates, update(folder));
  }

  /** The last checkpoint of a run; 0 if there is none. */
  public static int update(Path run) {
    try (Stream<Path> checkpoints = Files.list(run.resolve("checkpoints"))) {
      return checkpoints
          .map(checkpoint -> checkpoint.getFileName().toString())
          .filter(name -> name.startsWith("update-"))
          .mapToInt(name -> Integer.parseInt(name.substring("update-".length())))
          .max()
          .orElse(0);
    } catch (IOException e) {
      return 0; // Not yet there, or just being renamed.
    }
  }
}
