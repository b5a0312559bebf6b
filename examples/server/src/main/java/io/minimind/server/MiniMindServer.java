package io.minimind.server;

import io.minimind.files.ArgumentException;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A running server. It answers as OpenAI, Ollama and Anthropic do, and serves a page to chat in.
 * Answers of a model are computed together, as many at a time as the model was loaded for; further
 * ones wait in a queue, and beyond that are refused with the status 429.
 */
public final class MiniMindServer implements AutoCloseable {
  private final Server jetty;
  private final ServerConnector connector;
  private final Gateway gateway;
  private final ClientWatch clients;
  private final ExecutorService threads;

  private MiniMindServer(
      Server jetty,
      ServerConnector connector,
      Gateway gateway,
      ClientWatch clients,
      ExecutorService threads) {
    this.jetty = jetty;
    this.connector = connector;
    this.gateway = gateway;
    this.clients = clients;
    this.threads = threads;
  }

  /** A server without models yet. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * How to load a model that is to be served.
   *
   * @param parallel answers that are computed together, at least 1. The keys and values of three
   *     times as many conversations are kept, so that their next turns compute only what is new.
   */
  public static LoadOptions loadOptions(int parallel) {
    return LoadOptions.defaults()
        .withBatchSize(Math.max(2, parallel))
        .withKeptTexts(Math.min(1024, 3 * parallel));
  }

  /** Where it listens. */
  public URI uri() {
    String host = connector.getHost();
    boolean any = host.equals("0.0.0.0") || host.equals("::");
    String shown = any ? "localhost" : host.contains(":") ? "[" + host + "]" : host;
    return URI.create("http://" + shown + ":" + connector.getLocalPort());
  }

  /** Waits until it is closed. */
  public void join() throws InterruptedException {
    jetty.join();
  }

  /**
   * Takes no further requests, lets those that run come to their end for as long as the builder
   * says, and stops. The models stay open; they are their owner's.
   */
  @Override
  public void close() {
    gateway.close();
    try {
      jetty.stop();
    } catch (Exception e) {
      // It waited as long as it was told to; what still ran is cut off.
      System.getLogger("io.minimind.server")
          .log(System.Logger.Level.DEBUG, "Answers were cut off", e);
    } finally {
      clients.close();
      threads.shutdown();
    }
  }

  /** What a server is to be. Values out of their range are refused. */
  public static final class Builder {
    private final Map<String, LanguageModel> models = new LinkedHashMap<>();
    private final Set<String> keys = new LinkedHashSet<>();
    private final Set<String> origins = new LinkedHashSet<>();
    private String host = "127.0.0.1";
    private int port = 8080;
    private int parallel = 8;
    private int queue = 64;
    private long largestBody = 2 << 20;
    private int connections = 2048;
    private Duration idle = Duration.ofSeconds(30);
    private Duration patience = Duration.ofSeconds(10);
    private Duration grace = Duration.ofSeconds(30);

    private Builder() {}

    /**
     * Serves a model, which stays its owner's and must be closed after the server.
     *
     * @param name by which clients ask for it
     */
    public Builder model(String name, LanguageModel model) {
      if (name.isBlank() || models.putIfAbsent(name, Objects.requireNonNull(model)) != null) {
        throw new ArgumentException(
            "The model name %s is empty or given twice.".formatted(Text.quote(name)));
      }
      return this;
    }

    /** The address to listen at (default: 127.0.0.1, which only this machine can reach). */
    public Builder host(String value) {
      host = Objects.requireNonNull(value, "host");
      return this;
    }

    /**
     * @param value 0 to 65535, where 0 is any that is free (default: 8080)
     */
    public Builder port(int value) {
      check(value >= 0 && value <= 65535, "port", value, "0 to 65535");
      port = value;
      return this;
    }

    /**
     * A key that clients must send; with several, any of them (default: none is needed).
     *
     * @param value at least one character
     */
    public Builder apiKey(String value) {
      check(!value.isBlank(), "API key", "empty", "at least one character");
      keys.add(value.strip());
      return this;
    }

    /** A page of another server that may ask, such as {@code https://a.example}, or {@code *}. */
    public Builder corsOrigin(String value) {
      origins.add(Objects.requireNonNull(value, "corsOrigin"));
      return this;
    }

    /**
     * Answers of a model that are computed together (default: 8); the models should be loaded with
     * {@link #loadOptions}.
     */
    public Builder parallel(int value) {
      check(value >= 1 && value <= 1024, "number of parallel answers", value, "1 to 1024");
      parallel = value;
      return this;
    }

    /** Answers of a model that may wait for a place (default: 64). */
    public Builder queue(int value) {
      check(value >= 0 && value <= 100_000, "length of the queue", value, "0 to 100000");
      queue = value;
      return this;
    }

    /** The largest body of a request in bytes (default: 2 MiB). */
    public Builder largestBody(int value) {
      check(value >= 1, "size of the largest body", value, "at least 1");
      largestBody = value;
      return this;
    }

    /** Connections at a time; further ones wait (default: 2048). */
    public Builder connections(int value) {
      check(value >= 1, "number of connections", value, "at least 1");
      connections = value;
      return this;
    }

    /**
     * How long a connection may lie idle, and a client take nothing of what it is sent (default: 30
     * s).
     */
    public Builder idleTimeout(Duration value) {
      idle = positive(value, "idle time");
      return this;
    }

    /** How long the header of a request may take, and then its body (default: 10 s). */
    public Builder requestTimeout(Duration value) {
      patience = positive(value, "time for a request");
      return this;
    }

    /** How long answers may go on after {@link MiniMindServer#close} (default: 30 s). */
    public Builder grace(Duration value) {
      grace = positive(value, "time of grace");
      return this;
    }

    private static Duration positive(Duration value, String name) {
      check(value.toMillis() >= 1, name, value, "positive");
      return value;
    }

    private static void check(boolean valid, String name, Object value, String range) {
      if (!valid) {
        throw new ArgumentException(
            "The %s of the server is %s but must be %s.".formatted(name, value, range));
      }
    }

    private static String reason(Exception e) {
      if (e.getCause() instanceof UnresolvedAddressException) {
        return "this machine knows no such address";
      }
      return e.getCause() instanceof BindException bind
          ? bind.getMessage() + "; choose another port"
          : e.getMessage();
    }

    /**
     * Starts.
     *
     * @throws IOException if it cannot listen there
     * @throws IllegalArgumentException if there is no model
     */
    public MiniMindServer start() throws IOException {
      check(!models.isEmpty(), "number of models", 0, "at least 1");
      List<ServedModel> served = new ArrayList<>();
      models.forEach((name, model) -> served.add(new ServedModel(name, model, parallel, queue)));
      Models all = new Models(served);
      QueuedThreadPool pool = new QueuedThreadPool(32, 4);
      pool.setName("minimind-http");
      pool.setDaemon(true);
      Server jetty = new Server(pool);
      ServerConnector connector = connector(jetty);
      SlowClients slow = new SlowClients(patience.toMillis());
      connector.addBean(slow);
      jetty.addConnector(connector);
      NetworkConnectionLimit limit = new NetworkConnectionLimit(connections, connector);
      jetty.addBean(limit);
      ExecutorService threads = threads();
      ClientWatch clients = new ClientWatch();
      Gateway gateway =
          new Gateway(
              new Access(keys, origins, isLoopback()),
              all,
              new ServerMetrics(all),
              threads,
              clients,
              slow,
              new BodyReader(largestBody, patience.toMillis()));
      jetty.setHandler(new GracefulHandler(gateway));
      jetty.setStopTimeout(grace.toMillis());
      try {
        jetty.start();
      } catch (Exception e) {
        clients.close();
        threads.shutdown();
        throw new IOException(
            "The server cannot listen at %s:%d: %s.".formatted(host, port, reason(e)), e);
      }
      slow.sweep(connector.getScheduler());
      return new MiniMindServer(jetty, connector, gateway, clients, threads);
    }

    private ServerConnector connector(Server jetty) {
      HttpConfiguration http = new HttpConfiguration();
      http.setSendServerVersion(false);
      http.setRequestHeaderSize(16 * 1024);
      http.setNotifyRemoteAsyncErrors(true);
      ServerConnector connector = new ServerConnector(jetty, 1, 1, new HttpConnectionFactory(http));
      connector.setHost(host);
      connector.setPort(port);
      connector.setIdleTimeout(idle.toMillis());
      connector.setAcceptQueueSize(1024);
      return connector;
    }

    private boolean isLoopback() {
      try {
        return InetAddress.getByName(host).isLoopbackAddress();
      } catch (UnknownHostException e) {
        return false; // which start will say better
      }
    }

    /** As many as there are answers, which are bounded by places and queue. */
    private static ExecutorService threads() {
      AtomicInteger count = new AtomicInteger();
      return Executors.newCachedThreadPool(
          run -> {
            Thread thread = new Thread(run, "minimind-answer-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
          });
    }
  }
}
