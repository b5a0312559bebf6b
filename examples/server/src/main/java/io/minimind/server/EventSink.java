package io.minimind.server;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Writes an answer bit by bit. Who writes never waits for the client: what the client has not taken
 * yet is kept, up to the length of the answer. Safe for several threads.
 */
final class EventSink {
  private final Response response;
  private final Callback exchange;
  private ByteArrayOutputStream pending = new ByteArrayOutputStream(); // guarded by this
  private boolean writing; // guarded by this
  private boolean ended; // guarded by this
  private boolean completed; // guarded by this

  /**
   * @param exchange is told when all was taken, or the client went away
   */
  EventSink(Response response, Callback exchange) {
    this.response = response;
    this.exchange = exchange;
  }

  synchronized void send(byte[] bytes) {
    if (!ended) {
      pending.writeBytes(bytes);
      write();
    }
  }

  /** No more is to come. */
  synchronized void end() {
    if (!ended) {
      ended = true;
      write();
    }
  }

  private void write() {
    if (writing || completed) {
      return;
    }
    if (pending.size() > 0 || ended) {
      ByteBuffer bytes = ByteBuffer.wrap(pending.toByteArray());
      pending = new ByteArrayOutputStream();
      boolean last = ended;
      writing = true;
      response.write(last, bytes, Callback.from(() -> taken(last), this::failed));
    }
  }

  private void taken(boolean last) {
    synchronized (this) {
      writing = false;
      if (!last) {
        write();
        return;
      }
      if (completed) {
        return;
      }
      completed = true;
    }
    exchange.succeeded();
  }

  private void failed(Throwable cause) {
    synchronized (this) {
      writing = false;
      ended = true;
      pending = new ByteArrayOutputStream();
      if (completed) {
        return;
      }
      completed = true;
    }
    exchange.failed(cause);
  }
}
