package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtAllocator;
import org.bytedeco.onnxruntime.OrtApi;
import org.bytedeco.onnxruntime.OrtKernelContext;
import org.bytedeco.onnxruntime.OrtValue;

/** One call of a {@link Kernel}: its operands and results, threads, and memory to work in. */
final class KernelCall implements AutoCloseable {

  /**
   * A tensor in native memory.
   *
   * @param address of its first element, 0 if it has none
   */
  record Operand(long address, long[] shape) {

    private static final Operand ABSENT = new Operand(0, new long[0]);

    long extent(int axis) {
      return shape[axis];
    }

    long elements() {
      long elements = 1;
      for (long extent : shape) {
        elements *= extent;
      }
      return elements;
    }
  }

  /** A part of the work. */
  @FunctionalInterface
  interface Task {
    /**
     * @param index which part, from 0
     * @param memory the address of the task's own memory, with whatever was there before
     */
    void run(int index, long memory);
  }

  /** What the runtime writes its answers to; one set for each thread, used again. */
  private static final class Answers {
    private final OrtValue value = new OrtValue();
    private final PointerPointer<Pointer> data = new PointerPointer<>(1);
    private final IntPointer type = new IntPointer(1);
    private final PointerPointer<Pointer> extents = new PointerPointer<>(1);
    private final SizeTPointer rank = new SizeTPointer(1);
  }

  private static final ThreadLocal<Answers> ANSWERS = ThreadLocal.withInitial(Answers::new);

  private final OrtKernelContext context;
  private final OrtAllocator allocator = new OrtAllocator((Pointer) null);

  KernelCall(OrtKernelContext context) {
    this.context = context;
  }

  Operand input(int index) {
    Answers answers = ANSWERS.get();
    answers.value.setNull();
    check(API.KernelContext_GetInput(context, index, answers.value));
    check(
        API.GetTensorElementTypeAndShapeDataReference(
            answers.value, answers.type, answers.extents, answers.rank));
    long[] shape = new long[(int) answers.rank.get()];
    if (shape.length > 0) {
      new LongPointer(answers.extents.get()).get(shape);
    }
    return operand(answers, shape);
  }

  /** An operand that may be left out: then its address is 0. */
  Operand optionalInput(int index) {
    Answers answers = ANSWERS.get();
    check(API.KernelContext_GetInputCount(context, answers.rank));
    if (answers.rank.get() <= index) {
      return Operand.ABSENT;
    }
    answers.value.setNull();
    check(API.KernelContext_GetInput(context, index, answers.value));
    return answers.value.isNull() ? Operand.ABSENT : input(index);
  }

  Operand output(int index, long... shape) {
    Answers answers = ANSWERS.get();
    answers.value.setNull();
    check(API.KernelContext_GetOutput(context, index, shape, shape.length, answers.value));
    return operand(answers, shape);
  }

  private static Operand operand(Answers answers, long[] shape) {
    check(API.GetTensorMutableData(answers.value, answers.data));
    Pointer data = answers.data.get();
    return new Operand(data == null ? 0 : data.address(), shape);
  }

  /**
   * Runs tasks on the threads of the session, this one among them, and returns when all are done.
   * Which thread takes which task is a matter of luck, so they must not depend on it.
   *
   * @param memory bytes that each task gets; tasks of one thread get the same, one after the other
   * @throws RuntimeException what the first task that failed threw; not all others were run then
   */
  void parallel(int tasks, long memory, Task task) {
    Work work = new Work(tasks, memory, task);
    int lanes = Math.min(tasks, Runtime.getRuntime().availableProcessors());
    if (lanes <= 1) {
      work.run();
    } else {
      long number = WORKS.incrementAndGet();
      RUNNING.put(number, work);
      try (KernelDomain.Handle handle = new KernelDomain.Handle(number)) {
        check(API.KernelContext_ParallelFor(context, LANE, lanes, 0, handle));
      } finally {
        RUNNING.remove(number);
      }
    }
    work.throwFailure();
  }

  /**
   * Lends memory of the session's arena to what tasks share.
   *
   * @param use gets its address, with whatever was there before
   */
  void withMemory(long bytes, LongConsumer use) {
    Pointer memory = allocate(bytes);
    try {
      use.accept(memory.address());
    } finally {
      free(memory);
    }
  }

  private static final Map<Long, Work> RUNNING = new ConcurrentHashMap<>();
  private static final AtomicLong WORKS = new AtomicLong();

  private static final OrtApi.Fn_Pointer_long LANE =
      new OrtApi.Fn_Pointer_long() {
        @Override
        public void call(Pointer work, long lane) {
          RUNNING.get(work.address()).run();
        }
      };

  /** Tasks that several threads take one after the other until none is left. */
  private final class Work implements Runnable {
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final int tasks;
    private final long memory;
    private final Task task;

    private Work(int tasks, long memory, Task task) {
      this.tasks = tasks;
      this.memory = memory;
      this.task = task;
    }

    /** Catches whatever is thrown: on a thread of the pool it would end the process. */
    @Override
    public void run() {
      Pointer own = null;
      try {
        for (int index = next.getAndIncrement(); index < tasks; index = next.getAndIncrement()) {
          own = own == null ? allocate(memory) : own;
          task.run(index, own.address());
        }
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
        next.set(tasks);
      } finally {
        free(own);
      }
    }

    private void throwFailure() {
      Throwable thrown = failure.get();
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown != null) {
        throw (RuntimeException) thrown;
      }
    }
  }

  /** Memory of the session's own arena, which has it from earlier steps. */
  private Pointer allocate(long bytes) {
    if (bytes == 0) {
      return new KernelDomain.Handle(0);
    }
    synchronized (allocator) {
      if (allocator.isNull()) {
        check(API.KernelContext_GetAllocator(context, OnnxRuntime.CPU, allocator));
      }
    }
    Pointer memory = new KernelDomain.Handle(0);
    check(API.AllocatorAlloc(allocator, bytes, memory));
    return memory;
  }

  private void free(Pointer memory) {
    if (memory != null && !memory.isNull()) {
      API.AllocatorFree(allocator, memory);
    }
  }

  @Override
  public void close() {
    if (!allocator.isNull()) {
      API.ReleaseAllocator(allocator);
    }
  }
}
