package io.minimind.examples;

import java.io.IOException;
import java.io.PrintStream;
import java.util.function.BooleanSupplier;

/** Work that is saved when it is interrupted. */
@FunctionalInterface
interface Interruptible {

  /**
   * Does the work, or as much of it as there is time for.
   *
   * @param interrupted whether to save and return; true from the first time on
   * @return the exit status
   */
  int work(BooleanSupplier interrupted) throws IOException;

  /** Does work; a process that is asked to end stays until the work has returned. */
  static int run(Interruptible work) throws IOException {
    return run(System.err, work);
  }

  /**
   * The same.
   *
   * @param words where to say that the work is being saved
   */
  static int run(PrintStream words, Interruptible work) throws IOException {
    try (Interruption interruption =
        Interruption.listen(() -> words.println("\nSaving, one moment …"))) {
      try {
        return work.work(interruption);
      } catch (IOException e) {
        if (!interruption.getAsBoolean()) {
          throw e;
        }
        // The process ends with the interruption: nobody would see the message later.
        System.err.println(MiniMind.message(e).orElseGet(e::toString));
        return 1;
      }
    }
  }
}
