package io.minimind.infer;

import java.lang.ref.Cleaner;

/**
 * Frees what its owner did not close before the garbage collector found it, and says so in the log.
 */
final class LeakGuard {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final System.Logger LOG = System.getLogger("io.minimind.infer");

  private final Action action;
  private final Cleaner.Cleanable cleanable;

  private LeakGuard(Object owner, Action action) {
    this.action = action;
    cleanable = CLEANER.register(owner, action);
  }

  /**
   * @param owner what should be closed
   * @param name a noun for the warning
   * @param free releases the native memory; must not refer to the owner, which would keep it alive
   */
  static LeakGuard of(Object owner, String name, Runnable free) {
    return new LeakGuard(owner, new Action(name, free));
  }

  /** Frees now, without a warning; later calls have no effect. */
  void close() {
    action.forgotten = false;
    cleanable.clean();
  }

  private static final class Action implements Runnable {
    private final String name;
    private final Runnable free;
    private volatile boolean forgotten = true;

    Action(String name, Runnable free) {
      this.name = name;
      this.free = free;
    }

    @Override
    public void run() {
      if (forgotten) {
        LOG.log(
            System.Logger.Level.WARNING,
            name + " was never closed; its native memory is freed now. Use try-with-resources.");
      }
      free.run();
    }
  }
}
