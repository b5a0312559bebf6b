package io.minimind.infer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;

/**
 * Writes answers together: a thread that computes a token for all of them in each step, and lets
 * answers join and leave between steps.
 */
final class BatchScheduler implements AutoCloseable {
  private final Semaphore rows;
  private final BlockingQueue<Optional<BatchedWriting>> arriving = new LinkedBlockingQueue<>();
  private boolean closed; // guarded by this
  private final DecoderBatch batch; // used by the thread only, as what follows
  private final List<BatchedWriting> answers = new ArrayList<>();
  private final int[] ids;

  private BatchScheduler(DecoderPool pool, int rows) {
    this.rows = new Semaphore(rows, true);
    batch = new DecoderBatch(pool, rows);
    ids = new int[rows];
  }

  /**
   * @param rows the most answers at a time
   */
  static BatchScheduler start(DecoderPool pool, int rows) {
    BatchScheduler scheduler = new BatchScheduler(pool, rows);
    Thread thread = new Thread(scheduler::run, "minimind-batch");
    thread.setDaemon(true);
    thread.start();
    return scheduler;
  }

  /** Waits for room for another answer. */
  void reserve() {
    rows.acquireUninterruptibly();
  }

  /** Gives back the room. */
  void leave() {
    rows.release();
  }

  /** Goes on with an answer whose prompt has been computed, and for which room is reserved. */
  synchronized void join(BatchedWriting answer) {
    if (closed) {
      answer.stop();
      answer.end();
    } else {
      arriving.add(Optional.of(answer));
    }
  }

  /** Ends all answers and then the thread. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      arriving.add(Optional.empty());
    }
  }

  private void run() {
    try (batch) {
      while (admit()) {
        step();
      }
      while (!answers.isEmpty()) {
        answers.get(answers.size() - 1).stop();
        remove(answers.size() - 1);
      }
    }
  }

  /**
   * Lets in what has arrived, and waits for something if there is nothing else to do.
   *
   * @return whether to go on
   */
  private boolean admit() {
    for (Optional<BatchedWriting> next = arrival(); next != null; next = arriving.poll()) {
      if (next.isEmpty()) {
        return false;
      }
      admit(next.get());
    }
    return true;
  }

  private void admit(BatchedWriting answer) {
    try {
      batch.join(answer.text);
      answers.add(answer);
    } catch (RuntimeException | Error e) {
      answer.fail(e);
      answer.end();
    }
  }

  private Optional<BatchedWriting> arrival() {
    while (answers.isEmpty()) {
      try {
        return arriving.take();
      } catch (InterruptedException e) {
        // Nobody has a reason to interrupt this thread; it ends by close.
      }
    }
    return arriving.poll();
  }

  private void step() {
    for (int row = 0; row < answers.size(); row++) {
      ids[row] = answers.get(row).answer.lastToken();
    }
    try {
      batch.step(ids);
    } catch (RuntimeException | Error e) {
      answers.forEach(answer -> answer.fail(e));
    }
    // From the last row, because the last takes the place of one that leaves.
    for (int row = answers.size() - 1; row >= 0; row--) {
      if (!answers.get(row).advance(batch.logits(row))) {
        remove(row);
      }
    }
  }

  private void remove(int row) {
    BatchedWriting answer = answers.get(row);
    batch.leave(row);
    BatchedWriting last = answers.remove(answers.size() - 1);
    if (row < answers.size()) {
      answers.set(row, last);
    }
    answer.end();
  }
}
