package io.minimind.server;

import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.Request;

/**
 * Sees when a client goes away while its request is being answered, whether or not anything is
 * being written to it. Jetty does not read from a connection meanwhile, so a thread of its own
 * waits for the end of what the clients send. What a client sends before its answer, another
 * request, is left for Jetty.
 */
final class ClientWatch implements AutoCloseable {
  private final Selector selector;
  private final Queue<Watched> arriving = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  private record Watched(SocketChannel channel, Exchange exchange) {}

  ClientWatch() throws IOException {
    selector = Selector.open();
    Thread thread = new Thread(this::run, "minimind-clients");
    thread.setDaemon(true);
    thread.start();
  }

  /** Watches the client of an exchange until the exchange is over. */
  void watch(Exchange exchange) {
    Request request = exchange.request();
    if (request.getConnectionMetaData().getConnection().getEndPoint()
        instanceof SocketChannelEndPoint endPoint) {
      SocketChannel channel = endPoint.getChannel();
      Request.addCompletionListener(request, failure -> forget(channel, exchange));
      arriving.add(new Watched(channel, exchange));
      selector.wakeup();
    }
  }

  private void forget(SocketChannel channel, Exchange exchange) {
    arriving.removeIf(watched -> watched.exchange() == exchange);
    SelectionKey key = channel.keyFor(selector);
    if (key != null && key.attachment() == exchange) {
      key.cancel();
      selector.wakeup(); // which lets go of the channel
    }
  }

  private void run() {
    try (selector) {
      while (!closed) {
        selector.select(this::ready, 1000);
        for (Watched next = arriving.poll(); next != null; next = arriving.poll()) {
          register(next);
        }
      }
    } catch (IOException e) {
      System.getLogger("io.minimind.server")
          .log(System.Logger.Level.WARNING, "Clients that go away are no longer noticed", e);
    }
  }

  private void register(Watched next) throws IOException {
    try {
      SelectionKey key = next.channel().keyFor(selector);
      if (key != null && !key.isValid()) {
        selector.selectNow(this::ready); // drops keys that were cancelled
      }
      next.channel().register(selector, SelectionKey.OP_READ, next.exchange());
    } catch (ClosedChannelException | CancelledKeyException e) {
      next.exchange().gone();
    }
  }

  private void ready(SelectionKey key) {
    try {
      key.interestOps(0);
      SocketChannel channel = (SocketChannel) key.channel();
      // Ready without anything to read: the end.
      if (channel.socket().getInputStream().available() == 0) {
        ((Exchange) key.attachment()).gone();
      }
    } catch (IOException | CancelledKeyException e) {
      ((Exchange) key.attachment()).gone();
    }
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
  }
}
