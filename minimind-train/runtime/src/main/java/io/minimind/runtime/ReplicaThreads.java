package io.minimind.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/** The replicas of a process, each on a thread of its own. Once one has failed, none goes on. */
final class ReplicaThreads implements AutoCloseable {

  private final List<Replica> replicas = new ArrayList<>();
  private final List<ExecutorService> threads = new ArrayList<>();
  private boolean failed;
  private boolean open = true; // guarded by this

  void add(Replica replica) {
    threads.add(DaemonThreads.of(1, "replica-" + replicas.size()));
    replicas.add(replica);
  }

  List<Replica> all() {
    return replicas;
  }

  /** What one of them does. */
  @FunctionalInterface
  interface Task<T> {
    T run(Replica replica, int number);
  }

  void onEach(Consumer<Replica> task) {
    onAll(
        replica -> {
          task.accept(replica);
          return true;
        });
  }

  <T> List<T> onAll(Function<Replica, T> task) {
    return onFirst(replicas.size(), (replica, number) -> task.apply(replica));
  }

  /** Runs a task on the threads of some replicas and waits for all of them, also if one fails. */
  <T> List<T> onFirst(int count, Task<T> task) {
    List<Future<T>> running = new ArrayList<>();
    synchronized (this) { // Ending waits for what has begun, and nothing begins after it.
      requireOpen();
      for (int i = 0; i < count; i++) {
        int number = i;
        running.add(threads.get(i).submit(() -> task.run(replicas.get(number), number)));
      }
    }
    List<T> results = new ArrayList<>();
    RuntimeException failure = null;
    for (int i = 0; i < count; i++) {
      try {
        results.add(DaemonThreads.await(running.get(i)));
      } catch (ExecutionException e) {
        failure = failure == null ? failure(i, e.getCause()) : failure;
      }
    }
    if (failure != null) {
      fail();
      throw failure;
    }
    return results;
  }

  private RuntimeException failure(int number, Throwable cause) {
    if (cause instanceof OnnxRuntimeException) {
      return new OnnxRuntimeException(
          "Replica %d of %d (%s) stopped all: %s"
              .formatted(
                  number, replicas.size(), replicas.get(number).device(), cause.getMessage()));
    }
    return new IllegalStateException("Replica " + number + " failed.", cause);
  }

  /** Something that they need has failed. */
  void fail() {
    failed = true;
  }

  void requireOpen() {
    if (!open) {
      throw new IllegalStateException("The replicas are closed.");
    }
    if (failed) {
      throw new IllegalStateException("A replica has failed; none of them can go on.");
    }
  }

  /** Waits for what has begun; what it computes with must not be released before. */
  void end() {
    synchronized (this) {
      open = false;
    }
    threads.forEach(DaemonThreads::end);
    threads.clear();
  }

  @Override
  public void close() {
    end();
    replicas.forEach(Replica::close);
    replicas.clear();
  }
}
