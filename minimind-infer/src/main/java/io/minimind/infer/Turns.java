package io.minimind.infer;

import java.util.ArrayDeque;
import java.util.Deque;

/** Lets a number of answers go on at a time; the others wait, and get their turn in their order. */
final class Turns {
  private final Deque<Writing> waiting = new ArrayDeque<>(); // guarded by this
  private int free; // guarded by this

  /**
   * @param most how many at a time
   */
  Turns(int most) {
    free = most;
  }

  /**
   * Waits for the turn of an answer.
   *
   * @return whether it came; not if the answer is cancelled or this thread interrupted
   */
  synchronized boolean take(Writing answer) {
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
      notifyAll(); // it may be the turn of the next
    }
  }

  /** Ends a turn. */
  synchronized void give() {
    free++;
    notifyAll();
  }

  /** Lets those who wait see that they were cancelled. */
  synchronized void wake() {
    notifyAll();
  }
}
