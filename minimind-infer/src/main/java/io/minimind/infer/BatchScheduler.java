package io.minimind.infer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Writes answers together: a thread that computes a token for all of them in each step, and lets
 * answers join and leave between steps.
 */
final class BatchScheduler implements AutoCloseable {
  private final BlockingQueue<Optional<BatchedWriting>> arriving = new LinkedBlockingQueue<>();
  private final Deque<BatchedWriting> waiting = new ArrayDeque<>(); // guarded by this
  private int free; // rows; guarded by this
  private boolean closed; // guarded by this
  private final DecoderBatch batch; // used by the thread only, as what follows
  private final List<BatchedWriting> answers = new ArrayList<>();
  private final int[] ids;

  private BatchScheduler(DecoderPool pool, int rows) {
    free = rows;
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

  /**
   * Waits for room for another answer. Those who wait get it in their order.
   *
   * @return whether there is room; not if the answer is cancelled or this thread interrupted
   */
  synchronized boolean reserve(BatchedWriting answer) {
    waiting.add(answer);
    try {
      while (!answer.cancelled() && (free == 0 || waiting.peek() != answer)) {
        wait();
      }
      if (answer.cancelled()) {
        return false;
      }
      free--;
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      waiting.remove(answer);
      notifyAll(); // there may be room for the next
    }
  }

  /** Lets those who wait see that they were cancelled. */
  synchronized void wake() {
    notifyAll();
  }

  /** Gives back the room. */
  synchronized void leave() {
    free++;
    notifyAll();
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
    makeRoom();
    if (answers.isEmpty()) {
      return;
    }
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

  /** Those for which there is no memory left fail, and no others. */
  private void makeRoom() {
    for (int row = answers.size() - 1; row >= 0; row--) {
      BatchedWriting answer = answers.get(row);
      try {
        batch.makeRoom(answer.text);
      } catch (RuntimeException | Error e) {
        answer.fail(e);
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
