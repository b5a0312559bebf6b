package io.minimind.infer;

import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An answer that is computed in a batch with others. The reading thread computes the prompt, a part
 * at a time in turns with other prompts, and then the scheduler's thread goes on, ahead of the
 * reader.
 */
final class BatchedWriting extends Writing {
  private final BatchScheduler scheduler;
  private final BlockingQueue<Optional<Piece>> pieces = new LinkedBlockingQueue<>();
  private final AtomicBoolean begun = new AtomicBoolean();
  private BatchScheduler.Arrival arrival; // null unless it is to be hurried; of the reading thread

  BatchedWriting(Request request, BatchScheduler scheduler) {
    super(request);
    this.scheduler = scheduler;
  }

  /** Computes the prompt, as soon as there is room in the batch, and lets the scheduler go on. */
  void join() {
    if (!begun.getAndSet(true) && goesOn()) {
      scheduler.join(this);
    }
  }

  /** Computes the prompt. */
  private boolean goesOn() {
    if (!scheduler.places().take(this)) {
      cancel();
      pieces.add(Optional.empty());
      return false;
    }
    try {
      add(begin());
    } catch (RuntimeException | Error e) {
      failed(e);
      end();
      return false;
    }
    if (answer.ended()) {
      end();
      return false;
    }
    return true;
  }

  @Override
  Optional<Piece> next() {
    if (arrival != null) {
      scheduler.hurry(arrival);
      arrival = null;
    } else if (!begun.getAndSet(true) && goesOn()) {
      arrival = scheduler.joinSoon(this);
    }
    Optional<Piece> piece = take();
    if (piece.isEmpty()) {
      pieces.add(piece); // for the next who asks
      checkFailure();
    }
    return piece;
  }

  @Override
  void cancel() {
    super.cancel();
    scheduler.places().wake();
    scheduler.prompts().wake();
  }

  @Override
  boolean mayCompute() {
    return scheduler.prompts().take(this);
  }

  @Override
  void computed() {
    scheduler.prompts().give();
  }

  private Optional<Piece> take() {
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

  /** Ends an answer that has not joined. */
  void cancelNow() {
    stop();
    end();
  }

  /** Ends the answer and lets the reader fail too, unless it is only that the model was closed. */
  void fail(Throwable cause) {
    if (!(cause instanceof ClosedModelException)) {
      failed(cause);
    }
    stop();
  }

  private void add(String piece) {
    if (!piece.isEmpty()) {
      pieces.add(Optional.of(answer.piece(piece)));
    }
  }

  /** After the answer has ended or failed. */
  void end() {
    release();
    scheduler.places().give();
    pieces.add(Optional.empty());
  }

  /** Waits for the scheduler to let go of the answer, which takes a step at most. */
  @Override
  public void close() {
    cancel();
    if (begun.getAndSet(true)) {
      while (take().isPresent()) {
        // Nobody wants these pieces.
      }
    }
    pieces.add(Optional.empty());
  }
}
