package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {

  @ParameterizedTest
  @CsvSource({"1, 0", "1, 7", "2, 1", "3, 1000", "16, 5"})
  void eachPieceIsRunOnce(int threads, int pieces) {
    AtomicIntegerArray times = new AtomicIntegerArray(pieces);
    try (Workers workers = new Workers(threads)) {
      workers.run(pieces, times::incrementAndGet);
    }
    for (int i = 0; i < pieces; i++) {
      assertEquals(1, times.get(i), "piece " + i);
    }
  }

  /** Each piece waits for as many others as there are threads, of which none has two then. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void allThreadsWorkAndTheCallerIsOneOfThem(int threads) throws InterruptedException {
    Set<Thread> seen = Collections.newSetFromMap(new ConcurrentHashMap<>());
    CyclicBarrier all = new CyclicBarrier(threads);
    try (Workers workers = new Workers(threads)) {
      for (int again = 0; again < 3; again++) {
        workers.run(
            10 * threads,
            piece -> {
              seen.add(Thread.currentThread());
              await(all);
            });
      }
    }
    assertEquals(threads, seen.size());
    assertTrue(seen.remove(Thread.currentThread()));
    for (Thread thread : seen) {
      assertTrue(thread.isDaemon(), thread::toString);
      thread.join(); // It has no more to do, and ends at once, but perhaps after this one.
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whoever fails: the others have ended when the caller is told, and can work again. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void whatAPieceThrowsComesWhenNoneRunsAnyMore(int failing) {
    RuntimeException failure = new IllegalStateException("It broke.");
    AtomicInteger running = new AtomicInteger();
    CyclicBarrier both = new CyclicBarrier(2);
    try (Workers workers = new Workers(2)) {
      assertSame(
          failure,
          assertThrows(
              RuntimeException.class,
              () ->
                  workers.run(
                      2,
                      piece -> {
                        running.incrementAndGet();
                        await(both);
                        if (piece == failing) {
                          running.decrementAndGet();
                          throw failure;
                        }
                        Thread.yield();
                        running.decrementAndGet();
                      })));
      assertEquals(0, running.get());
      workers.run(2, piece -> await(both));
    }
  }

  @Test
  void anInterruptionIsLeftToWhoAsks() {
    AtomicInteger done = new AtomicInteger();
    try (Workers workers = new Workers(3)) {
      Thread.currentThread().interrupt();
      workers.run(100, piece -> done.incrementAndGet());
      assertTrue(Thread.interrupted(), "the interruption was lost");
    }
    assertEquals(100, done.get());
  }
}
