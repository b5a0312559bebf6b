package io.minimind.runtime;

import io.minimind.distributed.ProcessGroup;
import io.minimind.distributed.Wire;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Averages gradients of replicas on the CPU that are in several processes. Piece by piece a sum
 * goes through the row of processes, from the first to the last, and each adds its replicas; the
 * last divides, and the mean goes back while the next pieces still come. So sums are those that one
 * process with all replicas would find, to the bit, unless they are rounded on the way, and each
 * process sends its gradients twice, as in a ring.
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

  /** What is sent in one direction: the gradients themselves, or what stands for them. */
  private interface Lane {

    /** The bytes of a piece, which may be rounded for it. */
    ByteBuffer encode(int i, Piece piece);

    /** Where the bytes of a piece are to arrive. */
    ByteBuffer room(Piece piece);

    /** Makes a piece what has arrived for it. */
    void decode(Piece piece);

    /** Forgets what it has kept of earlier gradients. */
    default void forget() {}
  }

  private static final class Float32 implements Lane {
    @Override
    public ByteBuffer encode(int i, Piece piece) {
      return piece.bytes.duplicate();
    }

    @Override
    public ByteBuffer room(Piece piece) {
      return piece.bytes.duplicate();
    }

    @Override
    public void decode(Piece piece) {}
  }

  private static final class Rounded implements Lane {
    private final ByteBuffer bytes =
        ByteBuffer.allocateDirect(PIECE * Short.BYTES).order(ByteOrder.nativeOrder());
    private final ShortBuffer values = bytes.asShortBuffer();
    private final Map<Integer, float[]> errors = new HashMap<>();

    @Override
    public ByteBuffer encode(int i, Piece piece) {
      float[] error = errors.computeIfAbsent(i, unused -> new float[piece.values.capacity()]);
      Bfloat16.encode(piece.values, error, values);
      return room(piece);
    }

    @Override
    public ByteBuffer room(Piece piece) {
      return bytes.duplicate().clear().limit(piece.values.capacity() * Short.BYTES);
    }

    @Override
    public void decode(Piece piece) {
      Bfloat16.decode(values, piece.values);
    }

    @Override
    public void forget() {
      errors.values().forEach(error -> Arrays.fill(error, 0));
    }
  }

  private final Lane forwards;
  private final Lane back;
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
    forwards = lane(group);
    back = lane(group);
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

  private static Lane lane(ProcessGroup group) {
    return group.wire() == Wire.FLOAT32 ? new Float32() : new Rounded();
  }

  @Override
  public void average(int participants) {
    List<List<Piece>> counting = pieces.subList(0, exchange.own(participants));
    if (group.isLast()) {
      for (int i = 0; i < count(); i++) {
        Piece mean = pieces.get(0).get(i);
        Mean.write(terms(received(i), counting, i), participants, mean.values);
        group.sendToPrevious(back.encode(i, mean));
        back.decode(mean); // What the others take, if it was rounded.
      }
      return;
    }
    Future<?> means = backwards.submit(this::takeMeans);
    try {
      for (int i = 0; i < count(); i++) {
        group.sendToNext(forwards.encode(i, sum(counting, i)));
      }
    } finally {
      await(means); // It must not go on writing when the gradients are let go.
    }
  }

  /** What the processes up to this one have in sum. */
  private Piece sum(List<List<Piece>> counting, int i) {
    if (group.isFirst()) {
      Piece first = pieces.get(0).get(i);
      if (counting.size() > 1) {
        Mean.write(counting.stream().map(one -> one.get(i).values).toList(), 1, first.values);
      }
      return first;
    }
    Piece sum = received(i);
    if (!counting.isEmpty()) {
      Mean.write(terms(sum, counting, i), 1, sum.values);
    }
    return sum;
  }

  private Piece received(int i) {
    Piece piece = incoming.get(i);
    group.receiveFromPrevious(forwards.room(piece));
    forwards.decode(piece);
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
      Piece mean = pieces.get(0).get(i);
      group.receiveFromNext(back.room(mean));
      if (!group.isFirst()) {
        group.sendToPrevious(back.room(mean));
      }
      back.decode(mean);
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
  public void forget() {
    forwards.forget();
    back.forget();
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
