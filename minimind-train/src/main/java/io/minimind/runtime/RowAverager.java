package io.minimind.runtime;

import io.minimind.distributed.ProcessGroup;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Averages gradients of replicas on the CPU that are in several processes. Piece by piece a sum
 * goes through the row of processes, from the first to the last, and each adds its replicas; the
 * last divides, and the mean goes back while the next pieces still come. So sums are those that one
 * process with all replicas would find, to the bit, and each process sends its gradients twice, as
 * in a ring.
 */
final class RowAverager implements GradientAverager {

  /**
   * Long enough for the full rate of a network, and short enough for a processor's cache: 1 MiB.
   */
  private static final int PIECE = 1 << 18;

  /** Gradients of a replica, or a part of them, as memory to send and as numbers. */
  private record Piece(ByteBuffer bytes, FloatBuffer values) {
    static Piece of(FloatPointer all, long start) {
      long length = Math.min(PIECE, all.capacity() - start);
      FloatPointer part = all.getPointer(start).capacity(length);
      return new Piece(part.asByteBuffer(), part.asBuffer());
    }
  }

  private final ProcessGroup group;
  private final Exchange exchange;
  private final List<GradientBuffer> gradients;

  /** Of each replica of this process. */
  private final List<List<Piece>> pieces = new ArrayList<>();

  /** Where sums of the processes before this one arrive, one after another in the same memory. */
  private final FloatPointer work = new FloatPointer(PIECE);

  private final List<Piece> incoming = new ArrayList<>();
  private final ExecutorService backwards =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "means");
            thread.setDaemon(true);
            return thread;
          });

  RowAverager(List<GradientBuffer> gradients, ProcessGroup group, Exchange exchange) {
    this.group = group;
    this.exchange = exchange;
    this.gradients = List.copyOf(gradients);
    for (GradientBuffer one : gradients) {
      List<Piece> parts = new ArrayList<>();
      for (long start = 0; start < one.values().capacity(); start += PIECE) {
        parts.add(Piece.of(one.values(), start));
      }
      pieces.add(parts);
    }
    for (Piece one : pieces.get(0)) {
      incoming.add(Piece.of(work.getPointer(0).capacity(one.values.capacity()), 0));
    }
  }

  @Override
  public void average(int participants) {
    List<List<Piece>> counting = pieces.subList(0, exchange.own(participants));
    if (group.isLast()) {
      for (int i = 0; i < count(); i++) {
        Piece mean = pieces.get(0).get(i);
        Mean.write(terms(received(i), counting, i), participants, mean.values);
        group.sendToPrevious(mean.bytes.duplicate());
      }
      return;
    }
    Future<?> means = backwards.submit(this::takeMeans);
    try {
      for (int i = 0; i < count(); i++) {
        group.sendToNext(sum(counting, i));
      }
    } finally {
      await(means); // It must not go on writing when the gradients are let go.
    }
  }

  /** What the processes up to this one have in sum. */
  private ByteBuffer sum(List<List<Piece>> counting, int i) {
    if (group.isFirst()) {
      Piece first = pieces.get(0).get(i);
      if (counting.size() > 1) {
        Mean.write(counting.stream().map(one -> one.get(i).values).toList(), 1, first.values);
      }
      return first.bytes.duplicate();
    }
    Piece sum = received(i);
    if (!counting.isEmpty()) {
      Mean.write(terms(sum, counting, i), 1, sum.values);
    }
    return sum.bytes.duplicate();
  }

  private Piece received(int i) {
    Piece piece = incoming.get(i);
    group.receiveFromPrevious(piece.bytes.duplicate());
    return piece;
  }

  private static List<FloatBuffer> terms(Piece before, List<List<Piece>> counting, int i) {
    List<FloatBuffer> terms = new ArrayList<>(List.of(before.values));
    counting.forEach(one -> terms.add(one.get(i).values));
    return terms;
  }

  /** A mean comes when the sum that it is made of has long been sent, so it may take its place. */
  private void takeMeans() {
    for (int i = 0; i < count(); i++) {
      ByteBuffer mean = pieces.get(0).get(i).bytes;
      group.receiveFromNext(mean.duplicate());
      if (!group.isFirst()) {
        group.sendToPrevious(mean.duplicate());
      }
    }
  }

  private int count() {
    return pieces.get(0).size();
  }

  private static void await(Future<?> means) {
    try {
      Replicas.await(means);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException("Means could not be taken.", e.getCause());
    }
  }

  @Override
  public GradientBuffer mean(int replica) {
    return gradients.get(0);
  }

  @Override
  public void close() {
    backwards.shutdown();
    work.close();
  }

  @Override
  public String toString() {
    return "of %d processes".formatted(group.size());
  }
}
