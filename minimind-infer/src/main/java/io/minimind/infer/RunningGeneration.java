package io.minimind.infer;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/** A generation that runs on a thread of its own; any thread may cancel it or wait for it. */
public final class RunningGeneration {
  private final TextStream pieces;
  private final CompletableFuture<Generation> result = new CompletableFuture<>();

  private RunningGeneration(TextStream pieces) {
    this.pieces = pieces;
  }

  static RunningGeneration start(TextStream pieces, Consumer<String> onText) {
    RunningGeneration running = new RunningGeneration(pieces);
    Thread thread = new Thread(() -> running.run(onText), "minimind-generation");
    thread.setDaemon(true);
    thread.start();
    return running;
  }

  private void run(Consumer<String> onText) {
    try (pieces) {
      pieces.forEach(onText);
      result.complete(pieces.result());
    } catch (RuntimeException | Error e) {
      result.completeExceptionally(e);
    }
  }

  /**
   * Ends the generation at its next token; its result has what was written until then. The listener
   * may still get a piece that is being handed out.
   */
  public void cancel() {
    pieces.cancel();
  }

  public boolean isDone() {
    return result.isDone();
  }

  /**
   * Waits for the end.
   *
   * @throws IllegalStateException if the model was closed before, or the listener or the model
   *     failed; the cause tells
   */
  public Generation result() {
    try {
      return result.join();
    } catch (CompletionException | CancellationException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IllegalStateException("The generation failed: " + cause.getMessage(), cause);
    }
  }
}
