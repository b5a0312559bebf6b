package io.minimind.distributed;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.minimind.distributed.Membership.Timeouts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Several ranks as threads of this process. */
public final class Ranks {

  /** What one of them does. */
  @FunctionalInterface
  public interface Rank<T> {
    T run(ProcessGroup group) throws Exception;
  }

  static final Timeouts TIMEOUTS = new Timeouts(Duration.ofSeconds(30), Duration.ofSeconds(20));

  private Ranks() {}

  /** A port that nobody listens at. */
  public static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      return free.getLocalPort();
    }
  }

  static Membership member(int rank, int size, int port, Timeouts timeouts) {
    return member(rank, size, port, Wire.FLOAT32, timeouts);
  }

  static Membership member(int rank, int size, int port, Wire wire, Timeouts timeouts) {
    return new Membership(
        rank, size, InetSocketAddress.createUnresolved("localhost", port), true, wire, timeouts);
  }

  /** Starts something in a thread. */
  static <T> FutureTask<T> start(java.util.concurrent.Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = new Thread(task, "rank");
    thread.setDaemon(true);
    thread.start();
    return task;
  }

  /** What the ranks are doing, each in a group that it closes. */
  public static <T> List<FutureTask<T>> started(int size, Rank<T> rank) throws IOException {
    return started(size, Wire.FLOAT32, rank);
  }

  private static <T> List<FutureTask<T>> started(int size, Wire wire, Rank<T> rank)
      throws IOException {
    int port = freePort();
    List<FutureTask<T>> running = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      Membership member = member(i, size, port, wire, TIMEOUTS);
      running.add(
          start(
              () -> {
                try (ProcessGroup group = ProcessGroup.join(member)) {
                  return rank.run(group);
                }
              }));
    }
    return running;
  }

  /** What each rank gives. */
  public static <T> List<T> run(int size, Rank<T> rank) throws Exception {
    return run(size, Wire.FLOAT32, rank);
  }

  /** The same, with gradients that travel in one way or the other. */
  public static <T> List<T> run(int size, Wire wire, Rank<T> rank) throws Exception {
    List<T> results = new ArrayList<>();
    for (FutureTask<T> running : started(size, wire, rank)) {
      results.add(running.get());
    }
    return results;
  }

  /** The sentence that ends a rank. */
  public static String failure(FutureTask<?> rank) {
    Throwable cause = assertThrows(ExecutionException.class, rank::get).getCause();
    if (cause instanceof UncheckedIOException unchecked) {
      cause = unchecked.getCause();
    }
    return assertInstanceOf(IOException.class, cause).getMessage();
  }
}
