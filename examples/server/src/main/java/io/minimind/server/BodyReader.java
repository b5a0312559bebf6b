package io.minimind.server;

import java.io.ByteArrayOutputStream;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Reads the bodies of requests, without a thread that waits. What is too large is read on for a
 * while and thrown away, because a client that is still sending does not see what it is told.
 */
final class BodyReader {
  private static final long MOST_DISCARDED = 64L << 20;

  private final long most;
  private final long patience;

  /**
   * @param most bytes
   * @param patience milliseconds until all of it must have arrived
   */
  BodyReader(long most, long patience) {
    this.most = most;
    this.patience = patience;
  }

  /** Gives the body to somebody, or answers that it cannot be had. */
  void read(Exchange exchange, Consumer<byte[]> to) {
    Reading reading = new Reading(exchange, to);
    reading.start();
  }

  private final class Reading implements Runnable {
    private final Exchange exchange;
    private final Request request;
    private final Consumer<byte[]> to;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final Scheduler.Task timeout;
    private long length;

    Reading(Exchange exchange, Consumer<byte[]> to) {
      this.exchange = exchange;
      this.to = to;
      request = exchange.request();
      Scheduler scheduler = request.getComponents().getScheduler();
      timeout = scheduler.schedule(this::late, patience, TimeUnit.MILLISECONDS);
    }

    void start() {
      long announced = request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH);
      if (announced > MOST_DISCARDED) {
        timeout.cancel();
        throw ApiError.tooLarge(most);
      }
      run();
    }

    private void late() {
      exchange.fail(ApiError.tooSlow());
    }

    @Override
    public void run() {
      while (true) {
        Content.Chunk chunk = request.read();
        if (chunk == null) {
          request.demand(this);
          return;
        }
        if (Content.Chunk.isFailure(chunk)) {
          timeout.cancel();
          exchange.fail(ApiError.invalid("The body of the request cannot be read."));
          return;
        }
        length += chunk.remaining();
        if (length <= most) {
          body.writeBytes(BufferUtil.toArray(chunk.getByteBuffer()));
        }
        boolean last = chunk.isLast();
        chunk.release();
        if (last || length > MOST_DISCARDED) {
          finish();
          return;
        }
      }
    }

    private void finish() {
      timeout.cancel();
      if (length > most) {
        exchange.fail(ApiError.tooLarge(most));
      } else {
        to.accept(body.toByteArray());
      }
    }
  }
}
