package io.minimind.data;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Serves the batches of one epoch in order, a few of them prepared ahead on a thread of its own.
 * For use by one thread. Close each batch when done with it, so that its buffers are filled again;
 * several may be open at once.
 */
public final class BatchLoader implements AutoCloseable {
  private static final int READY = 4;

  private final BatchOrder order;
  private final long epoch;
  private final long firstBatch;
  private final int padTo;
  private final BlockingQueue<Item> ready = new ArrayBlockingQueue<>(READY);
  private final ConcurrentLinkedQueue<Batch> free = new ConcurrentLinkedQueue<>();
  private final Thread thread = new Thread(this::prepare, "batch-loader");
  private Optional<Item> last = Optional.empty();

  private BatchLoader(BatchOrder order, long epoch, long firstBatch, int padTo) {
    this.order = order;
    this.epoch = epoch;
    this.firstBatch = firstBatch;
    this.padTo = padTo;
  }

  /**
   * Serves an epoch from a batch on, each batch padded to its longest row.
   *
   * @param epoch counted from 0
   * @param firstBatch the batch to start at, in {@code [0, order.batches()]}
   */
  public static BatchLoader start(BatchOrder order, long epoch, long firstBatch) {
    return create(order, epoch, firstBatch, 0);
  }

  /**
   * Serves an epoch from a batch on, every batch padded to the same length.
   *
   * @param padTo positions of every row; at least the longest sample less one
   */
  public static BatchLoader startPadded(BatchOrder order, long epoch, long firstBatch, int padTo) {
    int needed = order.longest();
    if (padTo < needed) {
      throw new IllegalArgumentException(
          "Rows cannot be padded to " + padTo + " positions: the longest row has " + needed + ".");
    }
    return create(order, epoch, firstBatch, padTo);
  }

  private static BatchLoader create(BatchOrder order, long epoch, long firstBatch, int padTo) {
    if (firstBatch < 0 || firstBatch > order.batches()) {
      throw new IllegalArgumentException(
          "An epoch has " + order.batches() + " batches, it cannot start at " + firstBatch + ".");
    }
    BatchLoader loader = new BatchLoader(order, epoch, firstBatch, padTo);
    loader.thread.setDaemon(true);
    loader.thread.start();
    return loader;
  }

  /**
   * The next batch, or nothing at the end of the epoch. Waits until it is prepared.
   *
   * @throws IOException if reading samples failed
   */
  public Optional<Batch> next() throws IOException {
    try {
      Item item = last.isPresent() ? last.get() : ready.take();
      if (item.batch.isEmpty()) {
        last = Optional.of(item);
        if (item.failure.isPresent()) {
          throw failure(item.failure.get());
        }
      }
      return item.batch;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while waiting for the next batch.");
    }
  }

  /** Stops preparing batches. Batches that were handed out stay readable. */
  @Override
  public void close() {
    last = Optional.of(new Item(Optional.empty(), Optional.empty()));
    thread.interrupt();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    ready.clear();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void prepare() {
    try {
      Item end = new Item(Optional.empty(), Optional.empty());
      try {
        prepareBatches();
      } catch (IOException | RuntimeException | Error e) {
        end = new Item(Optional.empty(), Optional.of(e));
      }
      ready.put(end);
    } catch (InterruptedException e) {
      // closed
    }
  }

  private void prepareBatches() throws IOException, InterruptedException {
    Samples samples = order.samples();
    Batch.Scratch scratch = new Batch.Scratch(samples);
    int length = Math.max(padTo, order.longest());
    for (long number = firstBatch; number < order.batches(); number++) {
      Batch recycled = free.poll();
      Batch batch =
          recycled != null ? recycled : Batch.allocate(samples, order.rows(), length, free::add);
      batch.fill(samples, order.layout(epoch, number), padTo, scratch);
      ready.put(new Item(Optional.of(batch), Optional.empty()));
    }
  }

  private static IOException failure(Throwable cause) {
    if (cause instanceof RuntimeException e) {
      throw e;
    }
    if (cause instanceof Error e) {
      throw e;
    }
    return (IOException) cause;
  }

  /** A batch, or else the end of the epoch, which a failure may have brought early. */
  private record Item(Optional<Batch> batch, Optional<Throwable> failure) {}
}
