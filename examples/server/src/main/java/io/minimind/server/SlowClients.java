package io.minimind.server;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes connections on which a request's header does not come to its end: one that gets a byte now
 * and then is never idle, and would be held for ever.
 */
final class SlowClients implements Connection.Listener {
  private static final long SWEEP = 500; // milliseconds

  private final Map<Connection, Partial> connections = new ConcurrentHashMap<>();
  private final long patience; // nanoseconds

  /** What has come since the last request on a connection. */
  private static final class Partial {
    private long bytes; // received before the header that is awaited
    private long since; // when its first byte was seen; 0: none yet
    private boolean busy;
  }

  /**
   * @param patience milliseconds for a header
   */
  SlowClients(long patience) {
    this.patience = TimeUnit.MILLISECONDS.toNanos(patience);
  }

  @Override
  public void onOpened(Connection connection) {
    connections.put(connection, new Partial());
  }

  @Override
  public void onClosed(Connection connection) {
    connections.remove(connection);
  }

  /** A header has come to its end. */
  void began(Connection connection) {
    Partial partial = connections.get(connection);
    if (partial != null) {
      synchronized (partial) {
        partial.busy = true;
      }
    }
  }

  /** The request is answered. */
  void ended(Connection connection) {
    Partial partial = connections.get(connection);
    if (partial != null) {
      synchronized (partial) {
        partial.busy = false;
        partial.bytes = connection.getBytesIn();
        partial.since = 0;
      }
    }
  }

  /** Looks again and again. */
  void sweep(Scheduler scheduler) {
    long now = System.nanoTime();
    connections.forEach(
        (connection, partial) -> {
          if (isSlow(connection, partial, now)) {
            connection.getEndPoint().close();
          }
        });
    if (scheduler.isRunning()) {
      scheduler.schedule(() -> sweep(scheduler), SWEEP, TimeUnit.MILLISECONDS);
    }
  }

  private boolean isSlow(Connection connection, Partial partial, long now) {
    synchronized (partial) {
      if (partial.busy || connection.getBytesIn() <= partial.bytes) {
        return false;
      }
      if (partial.since == 0) {
        partial.since = now;
      }
      return now - partial.since > patience;
    }
  }
}
