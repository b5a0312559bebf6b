package io.minimind.examples;

import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;

/**
 * Turns Ctrl-C (and any polite request of the operating system to end) into a question that a loop
 * asks, and keeps the process alive until the work in progress is saved.
 */
final class Interruption implements BooleanSupplier, AutoCloseable {

  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook;
  private volatile boolean requested;

  private Interruption(Runnable onRequest) {
    hook =
        new Thread(
            () -> {
              requested = true;
              onRequest.run();
              try {
                finished.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "interruption");
  }

  /**
   * Listens from now on, until {@link #close}.
   *
   * @param onRequest tells the person that the request was heard
   */
  static Interruption listen(Runnable onRequest) {
    Interruption interruption = new Interruption(onRequest);
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  @Override
  public boolean getAsBoolean() {
    return requested;
  }

  /** Lets the process end. */
  @Override
  public void close() {
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending already; the hook has been let go above.
    }
  }
}
