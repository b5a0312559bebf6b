package io.minimind.runtime;

import static io.minimind.graph.ElementType.FLOAT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.Graph;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import io.minimind.runtime.KernelCall.Operand;
import io.minimind.weights.NamedTensor;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Kernels in Java within ONNX Runtime, with a kernel that does what a test wants. */
class KernelDomainTest {

  private static final Specification SPECIFICATION =
      new Specification(
          "Tested", "test", 1, 1, 1, Map.of("times", Specification.Attribute.INTEGER));

  private static final KernelDomain DOMAIN =
      new KernelDomain(
          "test",
          List.of(
              new Kernel.Declaration(
                  SPECIFICATION,
                  List.of(FLOAT32),
                  List.of(FLOAT32),
                  node -> KernelDomainTest.create(node.integer("times")))));

  private record Tested(long times) implements Operator {
    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of("times", times);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(Result.like(inputs.get(0)));
    }
  }

  private static volatile Kernel tested;

  /** Kernels multiply by their attribute unless a test has another one. */
  private static Kernel create(long times) {
    if (times < 0) {
      throw new IllegalArgumentException("times must not be below 0");
    }
    return call -> {
      if (tested != null) {
        tested.compute(call);
      }
      multiply(call, times);
    };
  }

  private static void multiply(KernelCall call, float times) {
    Operand x = call.input(0);
    Operand y = call.output(0, x.shape());
    for (long i = 0; i < 4 * x.elements(); i += 4) {
      NativeFloats.put(y.address() + i, times * NativeFloats.get(x.address() + i));
    }
  }

  @AfterEach
  void reset() {
    tested = null;
  }

  private static PlainSession session(long... times) {
    Graph graph = new Graph("tested");
    Tensor x = graph.input("x", FLOAT32, Shape.of(2, 3));
    for (long each : times) {
      x = graph.add(new Tested(each), x).output(0);
    }
    graph.output("y", x);
    return PlainSession.open(graph.toModel(), 3, DOMAIN::addTo);
  }

  private static float[] run(PlainSession session) {
    float[] x = {1, 2, 3, 4, Float.NaN, Float.POSITIVE_INFINITY};
    return session.run(List.of(NamedTensor.ofFloats("x", x, 2, 3))).get("y");
  }

  private static final float[] TWELVE_TIMES = {12, 24, 36, 48, Float.NaN, Float.POSITIVE_INFINITY};

  @Test
  void eachNodeHasItsOwnKernelAndAttributes() {
    try (PlainSession session = session(3, 4);
        PlainSession other = session(2)) {
      assertArrayEquals(TWELVE_TIMES, run(session));
      assertEquals(4, run(other)[1]);
      assertEquals(3, DOMAIN.kernels());
    }
    assertEquals(0, DOMAIN.kernels());
  }

  @Test
  void whatAKernelThrowsFailsTheRunAndNothingElse() {
    try (PlainSession session = session(3, 4)) {
      for (Throwable thrown :
          List.of(
              new IllegalStateException("the kernel is tired"),
              new StackOverflowError("the kernel is deep"),
              new OutOfMemoryError("the kernel is big"),
              new AssertionError("the kernel is wrong"))) {
        tested = call -> KernelDomainTest.<RuntimeException>sneak(thrown);
        OnnxRuntimeException e = assertThrows(OnnxRuntimeException.class, () -> run(session));
        assertSame(thrown, e.getCause());
        assertTrue(e.getMessage().contains(thrown.getMessage()), e.getMessage());
        tested = null;
        assertArrayEquals(TWELVE_TIMES, run(session));
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void whatATaskThrowsOnAnyThreadFailsTheRun() {
    try (PlainSession session = session(12)) {
      for (int failing : new int[] {0, 7, 99}) {
        tested =
            call ->
                call.parallel(
                    100,
                    16,
                    (task, memory) -> {
                      if (task == failing) {
                        throw new IllegalStateException("task " + task + " failed");
                      }
                    });
        OnnxRuntimeException e = assertThrows(OnnxRuntimeException.class, () -> run(session));
        assertTrue(e.getMessage().contains("task " + failing + " failed"), e.getMessage());
      }
      tested = null;
      assertArrayEquals(TWELVE_TIMES, run(session));
    }
  }

  @Test
  void everyTaskRunsOnceInMemoryThatNoOtherThreadHas() {
    AtomicLongArray runs = new AtomicLongArray(1000);
    Map<Long, Thread> taken = new ConcurrentHashMap<>();
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    tested =
        call ->
            call.parallel(
                runs.length(),
                1024,
                (task, memory) -> {
                  if (taken.put(memory, Thread.currentThread()) != null) {
                    throw new IllegalStateException("two tasks have the same memory");
                  }
                  threads.add(Thread.currentThread());
                  NativeFloats.fill(memory, 256, task);
                  runs.incrementAndGet(task);
                  taken.remove(memory);
                });
    try (PlainSession session = session(12)) {
      assertArrayEquals(TWELVE_TIMES, run(session));
    }
    for (int task = 0; task < runs.length(); task++) {
      assertEquals(1, runs.get(task), "task " + task);
    }
    assertTrue(threads.size() <= 3, "more threads than the session has: " + threads);
  }

  @Test
  void memoryThatIsNotThereFailsTheRun() {
    try (PlainSession session = session(12)) {
      tested = call -> call.parallel(2, 1L << 60, (task, memory) -> {});
      assertThrows(OnnxRuntimeException.class, () -> run(session));
      tested = null;
      assertArrayEquals(TWELVE_TIMES, run(session));
    }
  }

  @Test
  void aKernelThatCannotBeMadeFailsTheOpening() {
    OnnxRuntimeException e = assertThrows(OnnxRuntimeException.class, () -> session(3, -1));
    assertTrue(e.getMessage().contains("must not be below 0"), e.getMessage());
    assertEquals(0, DOMAIN.kernels());
  }

  @Test
  void aTypeForEveryOperandMustBeDeclared() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new Kernel.Declaration(SPECIFICATION, List.of(), List.of(FLOAT32), null));
  }
}
