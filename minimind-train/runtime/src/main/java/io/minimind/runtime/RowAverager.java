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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Averages gradients of replicas on the CPU that are in several processes. Piece by piece a sum
 * goes through the row of processes, from the first to the last, and each adds its replicas; the
 * last divides, and the mean goes back while the next pieces still come. So sums are those that one
 * process with all replicas would find, to the bit, unless they are rounded on the way, and each
 * process sends its gradients twice, as in a ring.
 *
 * <p>The last piece goes first: a backward pass comes to the first parameters last, and pieces that
 * are there go while it computes the others.
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
    private final Workers workers;
    private final ByteBuffer bytes =
        ByteBuffer.allocateDirect(PIECE * Short.BYTES).order(ByteOrder.nativeOrder());
    private final ShortBuffer values = bytes.asShortBuffer();
    private final Map<Integer, float[]> errors = new HashMap<>();

    private Rounded(Workers workers) {
      this.workers = workers;
    }

    @Override
    public ByteBuffer encode(int i, Piece piece) {
      float[] error = errors.computeIfAbsent(i, unused -> new float[piece.values.capacity()]);
      Bfloat16.encode(workers, piece.values, error, values);
      return room(piece);
    }

    @Override
    public ByteBuffer room(Piece piece) {
      return bytes.duplicate().clear().limit(piece.values.capacity() * Short.BYTES);
    }

    @Override
    public void decode(Piece piece) {
      Bfloat16.decode(workers, values, piece.values);
    }

    @Override
    public void forget() {
      errors.values().forEach(error -> Arrays.fill(error, 0));
    }
  }

  private final Lane sums;
  private final Lane means;
  private final Workers workers;
  private final ProcessGroup group;
  private final Exchange exchange;
  private final List<GradientBuffer> gradients;

  /** Of each replica of this process. */
  private final List<List<Piece>> pieces = new ArrayList<>();

  /** Where sums of the processes before this one arrive, one after another in the same memory. */
  private final FloatPointer work = new FloatPointer(PIECE);

  private final List<Piece> incoming = new ArrayList<>();
  private final ExecutorService forwards = DaemonThreads.of(1, "sums");
  private final ExecutorService backwards = DaemonThreads.of(1, "means");
  private Future<?> running; // null unless one was begun

  RowAverager(
      List<GradientBuffer> gradients, Workers workers, ProcessGroup group, Exchange exchange) {
    this.workers = workers;
    this.group = group;
    this.exchange = exchange;
    sums = lane();
    means = lane();
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

  private Lane lane() {
    return group.wire() == Wire.FLOAT32 ? new Float32() : new Rounded(workers);
  }

  @Override
  public void begin(int participants) {
    running = forwards.submit(() -> run(participants));
  }

  @Override
  public void average(int participants) {
    if (running == null) {
      begin(participants);
    }
    try {
      DaemonThreads.join(running);
    } finally {
      running = null;
    }
  }

  private void run(int participants) {
    int own = exchange.own(participants);
    if (group.isLast()) {
      for (int i = count() - 1; i >= 0; i--) {
        Piece mean = pieces.get(0).get(i);
        Mean.write(workers, terms(own, i), participants, mean.values);
        group.sendToPrevious(means.encode(i, mean));
        means.decode(mean); // What the others take, if it was rounded.
      }
      return;
    }
    Future<?> taking = backwards.submit(this::takeMeans);
    try {
      for (int i = count() - 1; i >= 0; i--) {
        group.sendToNext(sums.encode(i, sum(own, i)));
      }
    } finally {
      DaemonThreads.join(taking); // It must not go on writing when the gradients are let go.
    }
  }

  /** What the processes up to this one have in sum. */
  private Piece sum(int own, int i) {
    List<FloatBuffer> terms = terms(own, i);
    Piece sum = (group.isFirst() ? pieces.get(0) : incoming).get(i);
    if (terms.size() > 1) {
      Mean.write(workers, terms, 1, sum.values);
    }
    return sum;
  }

  /** What has arrived, and that of so many replicas of this process, when it is there. */
  private List<FloatBuffer> terms(int own, int i) {
    List<FloatBuffer> terms = new ArrayList<>();
    if (!group.isFirst()) {
      Piece piece = incoming.get(i);
      group.receiveFromPrevious(sums.room(piece));
      sums.decode(piece);
      terms.add(piece.values);
    }
    for (int replica = 0; replica < own; replica++) {
      FloatBuffer values = pieces.get(replica).get(i).values;
      gradients.get(replica).await((long) i * PIECE, values.capacity());
      terms.add(values);
    }
    return terms;
  }

  /** A mean comes when the sum that it is made of has long been sent, so it may take its place. */
  private void takeMeans() {
    for (int i = count() - 1; i >= 0; i--) {
      Piece mean = pieces.get(0).get(i);
      group.receiveFromNext(means.room(mean));
      if (!group.isFirst()) {
        group.sendToPrevious(means.room(mean));
      }
      means.decode(mean);
    }
  }

  private int count() {
    return pieces.get(0).size();
  }

  @Override
  public void forget() {
    sums.forget();
    means.forget();
  }

  @Override
  public GradientBuffer mean(int replica) {
    return gradients.get(0);
  }

  @Override
  public void close() {
    DaemonThreads.end(forwards);
    DaemonThreads.end(backwards);
    work.close();
  }

  @Override
  public String toString() {
    return "of %d processes".formatted(group.size());
  }
}
