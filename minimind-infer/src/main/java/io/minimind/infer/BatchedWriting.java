package io.minimind.infer;

import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * An answer that is computed in a batch with others. The reading thread computes the prompt, and
 * then the scheduler's thread goes on, ahead of the reader.
 */
final class BatchedWriting extends Writing {
  private final BatchScheduler scheduler;
  private final BlockingQueue<Optional<String>> pieces = new LinkedBlockingQueue<>();
  private RuntimeException failure; // written before the last, empty piece
  private boolean begun; // guarded by this

  BatchedWriting(Request request, BatchScheduler scheduler) {
    super(request);
    this.scheduler = scheduler;
  }

  /** Computes the prompt, as soon as there is room in the batch. */
  synchronized void join() {
    if (begun) {
      return;
    }
    begun = true;
    if (cancelled()) {
      pieces.add(Optional.empty());
      return;
    }
    scheduler.reserve();
    try {
      add(begin());
    } catch (RuntimeException | Error e) {
      scheduler.leave();
      pieces.add(Optional.empty());
      throw e;
    }
    if (answer.ended()) {
      end();
    } else {
      scheduler.join(this);
    }
  }

  @Override
  Optional<String> next() {
    join();
    Optional<String> piece = take();
    if (piece.isEmpty()) {
      pieces.add(piece); // for the next who asks
      if (failure != null) {
        throw failure;
      }
    }
    return piece;
  }

  private Optional<String> take() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return pieces.take();
        } catch (InterruptedException e) {
          // The end comes within a step and must be waited for: until then the answer grows.
          interrupted = true;
          cancel();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  // What follows, but for close, is called on the scheduler's thread.

  /** Takes the logits of this row, unless it has ended, and returns whether to go on. */
  boolean advance(FloatBuffer logits) {
    if (cancelled()) {
      stop();
    } else if (!answer.ended()) {
      try {
        add(answer.next(logits));
      } catch (RuntimeException | Error e) {
        fail(e);
      }
    }
    return !answer.ended();
  }

  /** Ends the answer as cancelled. */
  void stop() {
    add(answer.end(FinishReason.CANCELLED));
  }

  /** Ends the answer and lets the reader fail too, unless it is only that the model was closed. */
  void fail(Throwable cause) {
    if (cause instanceof RuntimeException e) {
      failure = e instanceof ClosedModelException ? null : e;
    } else {
      failure = new IllegalStateException("The batch failed: " + cause, cause);
    }
    stop();
  }

  private void add(String piece) {
    if (!piece.isEmpty()) {
      pieces.add(Optional.of(piece));
    }
  }

  /** After the answer has ended. */
  void end() {
    release();
    scheduler.leave();
    pieces.add(Optional.empty());
  }

  /** Waits for the scheduler to let go of the answer, which takes a step at most. */
  @Override
  public void close() {
    cancel();
    synchronized (this) {
      if (!begun) {
        return;
      }
    }
    while (take().isPresent()) {
      // Nobody wants these pieces.
    }
    pieces.add(Optional.empty());
  }
}
