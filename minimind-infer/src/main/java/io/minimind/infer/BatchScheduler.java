package io.minimind.infer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.TimeUnit;

/**
 * Writes answers together: a thread that computes a token for all of them in each step, and lets
 * answers join and leave between steps.
 */
final class BatchScheduler implements AutoCloseable {
  /** What a reader may take to do something with the first token before its answer goes on. */
  private static final long FIRST_TOKEN_NANOS = 5_000_000;

  private final BlockingQueue<Arrival> arriving = new DelayQueue<>();
  private final Turns places;
  private final Turns prompts = new Turns(1);
  private boolean closed; // guarded by this
  private final DecoderBatch batch; // used by the thread only, as what follows
  private final List<BatchedWriting> answers = new ArrayList<>();
  private final int[] ids;

  /**
   * Who comes.
   *
   * @param answer nobody if it is the end
   * @param at not before this time, in nanoseconds
   */
  record Arrival(Optional<BatchedWriting> answer, long at) implements Delayed {
    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(at - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.signum(at - ((Arrival) other).at);
    }
  }

  private BatchScheduler(DecoderPool pool, int rows) {
    places = new Turns(rows);
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
   * Writes all of the answers. If one fails, the others are cancelled, and its failure is thrown.
   *
   * @return in the order of the requests
   */
  List<Generation> answerAll(List<Request> requests) {
    List<BatchedWriting> all = new ArrayList<>();
    try {
      for (Request request : requests) {
        BatchedWriting answer = new BatchedWriting(request, this);
        all.add(answer);
        answer.join();
        answer.checkFailure();
      }
      return all.stream().map(BatchScheduler::result).toList();
    } finally {
      all.forEach(BatchedWriting::close);
    }
  }

  private static Generation result(Writing answer) {
    while (answer.next().isPresent()) {
      // The pieces are part of the result.
    }
    return answer.result();
  }

  /** Of the answers that may be in the making; a place is taken for an answer before it joins. */
  Turns places() {
    return places;
  }

  /**
   * Of the parts of prompts: computed one at a time, they leave the steps their half of the time.
   */
  Turns prompts() {
    return prompts;
  }

  /** Goes on with an answer whose prompt has been computed, and for which room is reserved. */
  synchronized void join(BatchedWriting answer) {
    if (closed) {
      answer.cancelNow();
    } else {
      arriving.add(new Arrival(Optional.of(answer), System.nanoTime()));
    }
  }

  /**
   * As {@link #join}, though not yet: where all processors compute, what is done with the first
   * token would wait for a step or several.
   *
   * @return what {@link #hurry} takes
   */
  synchronized Arrival joinSoon(BatchedWriting answer) {
    Arrival later = new Arrival(Optional.of(answer), System.nanoTime() + FIRST_TOKEN_NANOS);
    if (closed) {
      answer.cancelNow();
    } else {
      arriving.add(later);
    }
    return later;
  }

  /** Lets an answer join now, if it has not. */
  synchronized void hurry(Arrival arrival) {
    if (arriving.remove(arrival)) {
      arriving.add(new Arrival(arrival.answer(), System.nanoTime()));
    }
  }

  /** Ends all answers and then the thread. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      arriving.add(new Arrival(Optional.empty(), System.nanoTime()));
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
      cancelLate();
    }
  }

  /** While nobody can be hurried, who would not be seen between leaving and coming again. */
  private synchronized void cancelLate() {
    arriving.forEach(late -> late.answer().ifPresent(BatchedWriting::cancelNow));
  }

  /**
   * Lets in what has arrived, and waits for something if there is nothing else to do.
   *
   * @return whether to go on
   */
  private boolean admit() {
    for (Arrival next = arrival(); next != null; next = arriving.poll()) {
      if (next.answer().isEmpty()) {
        return false;
      }
      admit(next.answer().get());
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

  private Arrival arrival() {
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
