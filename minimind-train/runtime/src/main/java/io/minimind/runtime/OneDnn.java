package io.minimind.runtime;

import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * oneDNN on the thread that asks, and on no other: kernels divide their work themselves, among the
 * threads of the session. Its own threads are OpenMP's, which has a count for each thread that
 * calls it.
 */
final class OneDnn implements AutoCloseable {

  /** Operations that go over numbers one by one come in these sizes, and are put together. */
  private static final int[] SIZES = {1 << 15, 1 << 12, 1 << 9};

  /** How many numbers behind its operands an operation may touch. */
  static final int SLACK = SIZES[SIZES.length - 1];

  private static final float SMALLEST_SUM = 1e-20f;
  private static final float LARGEST_SUM = 1e30f;

  private static final Optional<String> PROBLEM = load();
  private static final Deque<OneDnn> FREE = new ConcurrentLinkedDeque<>();

  private static NativeFunction threadCount;

  private final stream stream;
  private final Elementwise[] exponentials = new Elementwise[SIZES.length];
  private final Elementwise[] products = new Elementwise[SIZES.length];
  private final Bfloat16Primitives bfloat16;

  private OneDnn() {
    engine engine = new engine(org.bytedeco.dnnl.engine.kind.cpu, 0);
    stream = new stream(engine);
    bfloat16 = new Bfloat16Primitives(engine, stream);
    for (int i = 0; i < SIZES.length; i++) {
      memory.desc numbers =
          new memory.desc(new long[] {SIZES[i]}, memory.data_type.f32, memory.format_tag.a, false);
      eltwise_forward.primitive_desc exponential =
          new eltwise_forward.primitive_desc(
              engine,
              dnnl.prop_kind.forward_inference,
              dnnl.algorithm.eltwise_exp,
              numbers,
              numbers);
      exponentials[i] =
          new Elementwise(
              new eltwise_forward(exponential),
              new memory(numbers, engine, (Pointer) null),
              dnnl.DNNL_ARG_SRC);
      binary.primitive_desc product =
          new binary.primitive_desc(engine, dnnl.algorithm.binary_mul, numbers, numbers, numbers);
      products[i] =
          new Elementwise(
              new binary(product),
              new memory(numbers, engine, (Pointer) null),
              dnnl.DNNL_ARG_SRC_0);
      products[i].other(new memory(numbers, engine, (Pointer) null));
    }
  }

  /** Why there is none, or nothing if there is. */
  static Optional<String> problem() {
    return PROBLEM;
  }

  /** The processor's instructions that it uses, such as avx2. */
  static String instructions() {
    return dnnl.get_effective_cpu_isa().intern().name();
  }

  private static Optional<String> load() {
    try {
      OnnxRuntime.load();
      String library = Loader.load(dnnl.class);
      // Where its symbols, and those of the libraries that it needs, can be looked up.
      Loader.loadGlobal(library);
      Optional<NativeFunction> function = NativeFunction.of("omp_set_num_threads");
      if (function.isEmpty()) {
        return Optional.of("its threads are not OpenMP's");
      }
      threadCount = function.get();
      endWithoutDestructors();
      return Optional.empty();
    } catch (LinkageError | RuntimeException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Threads may still compute when the process ends, with code that oneDNN has generated and gives
   * back when its destructors run. So where the system lets one, the process ends before they do.
   */
  private static void endWithoutDestructors() {
    Optional<NativeFunction> onExit = NativeFunction.of("on_exit");
    Optional<Pointer> exit = NativeFunction.address("_exit");
    if (onExit.isPresent() && exit.isPresent()) {
      long address = exit.get().address();
      // What is registered last runs first.
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> onExit.get().call(address, 0), "minimind-exit"));
    }
  }

  /** What the calling thread may use until it closes it. */
  static OneDnn take() {
    threadCount.call(1, 0);
    OneDnn free = FREE.poll();
    return free == null ? new OneDnn() : free;
  }

  @Override
  public void close() {
    FREE.push(this);
  }

  /**
   * A matrix of float32 by rows.
   *
   * @param stride numbers from row to row
   */
  record Matrix(long address, long stride, boolean transposed) {

    Matrix(long address, long stride) {
      this(address, stride, false);
    }

    Matrix transpose() {
      return new Matrix(address, stride, !transposed);
    }

    /** What begins at a row and a column, which of a transposed one are a column and a row here. */
    Matrix part(long row, long column) {
      long line = transposed ? column : row;
      long place = transposed ? row : column;
      return new Matrix(address + Float.BYTES * (line * stride + place), stride, transposed);
    }

    /** The one that begins so many rows further down in memory. */
    Matrix from(long row) {
      return new Matrix(address + Float.BYTES * row * stride, stride, transposed);
    }
  }

  /**
   * {@code c = alpha · a · b + beta · c}, of [m, k], [k, n] and [m, n]; where beta is 0, c may be
   * anything.
   */
  void product(long m, long n, long k, float alpha, Matrix a, Matrix b, float beta, Matrix c) {
    if (m == 0 || n == 0 || k == 0) { // oneDNN refuses the first two and does nothing for the last.
      for (long i = 0; beta == 0 && i < m; i++) {
        NativeFloats.fill(c.from(i).address, n, 0);
      }
      return;
    }
    check(
        dnnl.dnnl_sgemm(
            (byte) (a.transposed ? 'T' : 'N'),
            (byte) (b.transposed ? 'T' : 'N'),
            m,
            n,
            k,
            alpha,
            new Numbers(a.address),
            Math.max(1, a.stride),
            new Numbers(b.address),
            Math.max(1, b.stride),
            beta,
            new Numbers(c.address),
            Math.max(1, c.stride)));
  }

  /** Its products of bf16, where the processor has them. */
  Bfloat16Primitives bfloat16() {
    return bfloat16;
  }

  private static void check(int status) {
    if (status != dnnl.dnnl_success) {
      throw new IllegalStateException("oneDNN refused an operation with status " + status + ".");
    }
  }

  private static final class Numbers extends FloatPointer {
    private Numbers(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  /** Puts in the place of each number its exponential; touches up to {@link #SLACK} more. */
  void exponential(long address, long count) {
    inPieces(exponentials, address, 0, count);
  }

  /** Whether a sum of exponentials lost nothing to overflow or underflow. */
  static boolean isInRange(float sum) {
    return sum > SMALLEST_SUM && sum < LARGEST_SUM;
  }

  /** {@code a = a · b} number by number; touches up to {@link #SLACK} more. */
  void multiply(long a, long b, long count) {
    inPieces(products, a, b, count);
  }

  private void inPieces(Elementwise[] operations, long address, long other, long count) {
    long done = 0;
    for (int i = 0; i < SIZES.length; i++) {
      boolean last = i == SIZES.length - 1;
      while (count - done >= SIZES[i] || last && done < count) {
        operations[i].run(stream, address + Float.BYTES * done, other + Float.BYTES * done);
        done += SIZES[i];
      }
    }
  }

  /** An operation that puts its result in the place of its first operand. */
  private static final class Elementwise {
    private final primitive primitive;
    private final IntMemoryMap arguments = new IntMemoryMap();
    private final memory first;
    private memory second;

    private Elementwise(primitive primitive, memory first, int argument) {
      this.primitive = primitive;
      this.first = first;
      arguments.put(argument, first).put(dnnl.DNNL_ARG_DST, first);
    }

    private void other(memory second) {
      this.second = second;
      arguments.put(dnnl.DNNL_ARG_SRC_1, second);
    }

    private void run(stream stream, long address, long other) {
      first.set_data_handle(new KernelDomain.Handle(address));
      if (second != null) {
        second.set_data_handle(new KernelDomain.Handle(other));
      }
      primitive.execute(stream, arguments);
    }
  }
}
