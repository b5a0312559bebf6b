package io.minimind.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/**
 * As many threads as a session may have, for what it computes outside of ONNX Runtime. Whoever
 * calls is one of them.
 */
final class Workers implements AutoCloseable {

  private final int threads;
  private final ExecutorService others;

  /**
   * @param threads at least 1
   */
  Workers(int threads) {
    this.threads = threads;
    others = DaemonThreads.of(Math.max(1, threads - 1), "worker");
  }

  /**
   * Runs pieces of work and returns when all are done. Which thread takes which is a matter of
   * luck, so they must not depend on it.
   *
   * @param piece gets the number of each, from 0
   * @throws RuntimeException what the first piece that failed threw; not all others were run then
   */
  void run(int pieces, IntConsumer piece) {
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Runnable share =
        () -> {
          try {
            for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
              piece.accept(i);
            }
          } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
            next.set(pieces);
          }
        };
    List<Future<?>> running = new ArrayList<>();
    for (int i = 1; i < Math.min(threads, pieces); i++) {
      running.add(others.submit(share));
    }
    share.run();
    running.forEach(DaemonThreads::join);
    if (failure.get() instanceof Error error) {
      throw error;
    }
    if (failure.get() != null) {
      throw (RuntimeException) failure.get();
    }
  }

  @Override
  public void close() {
    DaemonThreads.end(others);
  }
}
