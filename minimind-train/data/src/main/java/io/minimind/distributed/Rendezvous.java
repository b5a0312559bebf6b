package io.minimind.distributed;

import io.minimind.files.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * How processes find each other. All but the first connect to it, and say which they are and where
 * they listen. When all have come, the first tells each where the one before it listens, and a
 * secret by which these two know each other. Strangers that connect meanwhile are sent away.
 */
final class Rendezvous {

  /**
   * Of what processes say to each other. Numbers are sent as memory has them; and another version
   * would compute something else.
   */
  private static final String DIALECT = "2 %s %s".formatted(ByteOrder.nativeOrder(), version());

  private static final Duration HANDSHAKE = Duration.ofSeconds(10);

  private final Membership self;
  private final String dialect;
  private final ProcessName name;
  private final long end;

  Rendezvous(Membership self) {
    this(self, DIALECT);
  }

  Rendezvous(Membership self, String dialect) {
    this.self = self;
    this.dialect = dialect;
    name = new ProcessName(self.rank(), host());
    end = System.nanoTime() + self.timeouts().joining().toNanos();
  }

  ProcessGroup join() throws IOException {
    return self.rank() == 0 ? receiveOthers() : comeToFirst();
  }

  /** That of the jar; of classes that lie in a folder there is none. */
  private static String version() {
    return String.valueOf(Rendezvous.class.getPackage().getImplementationVersion());
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "a machine without a name";
    }
  }

  private long millisecondsLeft() {
    return Math.max(0, (end - System.nanoTime()) / 1_000_000);
  }

  /** A process that has come. */
  private record Arrival(Socket socket, Introduction said) {}

  private ProcessGroup receiveOthers() throws IOException {
    Map<Integer, Arrival> arrived = new TreeMap<>();
    try (ServerSocket server = new ServerSocket()) {
      bind(server);
      while (arrived.size() < self.size() - 1) {
        Optional<Arrival> arrival = next(server, arrived);
        if (arrival.isPresent()) {
          Optional<String> problem = problem(arrival.get().said, arrived);
          if (problem.isPresent()) {
            Welcome.refuse(arrival.get().socket, problem.get());
            throw new InputException(problem.get());
          }
          arrived.put(arrival.get().said.name().rank(), arrival.get());
        }
      }
    } catch (IOException e) {
      arrived.values().forEach(a -> Welcome.refuse(a.socket, String.valueOf(e.getMessage())));
      throw e;
    }
    return welcome(new ArrayList<>(arrived.values()));
  }

  private void bind(ServerSocket server) throws IOException {
    int port = self.first().getPort();
    server.setReuseAddress(true);
    try {
      server.bind(
          self.oneMachine()
              ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port)
              : new InetSocketAddress(port),
          self.size());
    } catch (BindException e) {
      throw new InputException(
          "Rank 0 cannot listen at port %d of %s, MASTER_PORT: %s. Give all another one."
              .formatted(port, name.host(), e.getMessage()),
          e);
    }
  }

  /** The next process that comes, or nothing if it was a stranger. */
  private Optional<Arrival> next(ServerSocket server, Map<Integer, Arrival> arrived)
      throws IOException {
    long left = millisecondsLeft();
    Socket socket = null;
    try {
      if (left == 0) {
        throw new SocketTimeoutException();
      }
      server.setSoTimeout(Math.toIntExact(left));
      socket = server.accept();
    } catch (SocketTimeoutException e) {
      throw new IOException(missing(arrived), e);
    }
    try {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) HANDSHAKE.toMillis());
      return Optional.of(new Arrival(socket, Introduction.from(socket)));
    } catch (IOException e) {
      // Whoever it is, it is none of us.
    }
    socket.close();
    return Optional.empty();
  }

  private String missing(Map<Integer, Arrival> arrived) {
    StringJoiner ranks = new StringJoiner(", ");
    for (int rank = 1; rank < self.size(); rank++) {
      if (!arrived.containsKey(rank)) {
        ranks.add(Integer.toString(rank));
      }
    }
    return "Of %d processes, %d did not come within %d seconds: rank %s."
        .formatted(
            self.size(),
            self.size() - 1 - arrived.size(),
            self.timeouts().joining().toSeconds(),
            ranks);
  }

  private Optional<String> problem(Introduction other, Map<Integer, Arrival> arrived) {
    String subject = other.name().subject();
    if (!other.dialect().equals(dialect)) {
      return Optional.of(
          "%s runs another version of MiniMind than %s: install the same one everywhere."
              .formatted(subject, name));
    }
    if (!other.wire().equals(self.wire().name())) {
      return Optional.of(
          "%s sends gradients as %s, and %s as %s: give all the same MINIMIND_WIRE."
              .formatted(
                  subject,
                  other.wire().toLowerCase(Locale.ROOT),
                  name,
                  self.wire().name().toLowerCase(Locale.ROOT)));
    }
    if (other.size() != self.size()) {
      return Optional.of(
          "%s was told of %d processes, and %s of %d: give all the same WORLD_SIZE."
              .formatted(subject, other.size(), name, self.size()));
    }
    int rank = other.name().rank();
    if (arrived.containsKey(rank) || rank == 0) {
      ProcessName taken = rank == 0 ? name : arrived.get(rank).said.name();
      return Optional.of(
          "Two processes were told that they are rank %d, on %s and on %s: give each a RANK of its own."
              .formatted(rank, taken.host(), other.name().host()));
    }
    return Optional.empty();
  }

  private ProcessGroup welcome(List<Arrival> arrivals) throws IOException {
    byte[] secret = new byte[Welcome.SECRET];
    new SecureRandom().nextBytes(secret);
    List<Peer> peers = new ArrayList<>();
    for (Arrival arrival : arrivals) {
      peers.add(new Peer(arrival.said.name(), arrival.socket));
    }
    InetAddress here = arrivals.get(0).socket.getLocalAddress();
    try (ServerSocketChannel listening = listen(here)) {
      String host = ""; // Of the first, which all have found.
      int port = port(listening);
      for (Arrival arrival : arrivals) {
        new Welcome(secret, host, port).sendTo(arrival.socket);
        host = arrival.socket.getInetAddress().getHostAddress();
        port = arrival.said.port();
      }
      ProcessGroup group = new ProcessGroup(self, peers);
      return linked(
          group, () -> group.connect(null, accept(group, listening, secret), name.host()));
    }
  }

  private ProcessGroup comeToFirst() throws IOException {
    Socket socket = connectToFirst();
    try (ServerSocketChannel listening = listen(socket.getLocalAddress())) {
      Welcome welcome = introduce(socket, port(listening));
      Peer first = new Peer(new ProcessName(0, self.first().getHostString()), socket);
      ProcessGroup group = new ProcessGroup(self, List.of(first));
      return linked(
          group,
          () -> {
            InetSocketAddress before = welcome.previous(socket.getInetAddress());
            SocketChannel previous = reach(group, before, welcome.secret());
            SocketChannel next = group.isLast() ? null : accept(group, listening, welcome.secret());
            group.connect(previous, next, name.host());
          });
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private Welcome introduce(Socket socket, int port) throws IOException {
    try {
      socket.setTcpNoDelay(true);
      new Introduction(dialect, self.wire().name(), name, self.size(), port).sendTo(socket);
      // The first may have begun to wait later than this process.
      long patience = self.timeouts().joining().plus(HANDSHAKE).toMillis();
      socket.setSoTimeout(Math.toIntExact(patience));
      return Welcome.from(socket);
    } catch (InputException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(
          "Rank 0 at %s, port %d, let go of rank %d before all had come: it has ended, or is no process of MiniMind."
              .formatted(self.first().getHostString(), self.first().getPort(), self.rank()),
          e);
    }
  }

  /** The first process may come later than this one, and its name may be known later still. */
  private Socket connectToFirst() throws IOException {
    String reason = "";
    while (true) {
      try {
        for (InetAddress address : InetAddress.getAllByName(self.first().getHostString())) {
          Socket socket = new Socket();
          try {
            int patience = (int) Math.min(HANDSHAKE.toMillis(), millisecondsLeft() + 1);
            socket.connect(new InetSocketAddress(address, self.first().getPort()), patience);
            return socket;
          } catch (IOException e) {
            socket.close();
            reason = String.valueOf(e.getMessage());
          }
        }
      } catch (UnknownHostException e) {
        reason = "no machine of this name is known";
      }
      if (millisecondsLeft() == 0) {
        throw new IOException(
            "Rank 0 was not found at %s, port %d, within %d seconds (%s): is it running, and are MASTER_ADDR and MASTER_PORT right?"
                .formatted(
                    self.first().getHostString(),
                    self.first().getPort(),
                    self.timeouts().joining().toSeconds(),
                    reason));
      }
      pause();
    }
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while waiting for rank 0.", e);
    }
  }

  private static ServerSocketChannel listen(InetAddress address) throws IOException {
    return ServerSocketChannel.open().bind(new InetSocketAddress(address, 0));
  }

  private static int port(ServerSocketChannel listening) throws IOException {
    return ((InetSocketAddress) listening.getLocalAddress()).getPort();
  }

  @FunctionalInterface
  private interface Linking {
    void run() throws IOException;
  }

  /** What fails from here on is told to all. */
  private ProcessGroup linked(ProcessGroup group, Linking linking) throws IOException {
    try {
      group.start(self.timeouts().silence());
      linking.run();
      return group;
    } catch (IOException e) {
      group.fail(
          "%s cannot be linked with its neighbours: %s".formatted(name.subject(), e.getMessage()));
      group.close();
      throw e;
    } catch (UncheckedIOException e) {
      group.close();
      throw e.getCause();
    }
  }

  private SocketChannel reach(ProcessGroup group, InetSocketAddress previous, byte[] secret)
      throws IOException {
    SocketChannel channel = group.closedByFailure(SocketChannel.open());
    try {
      channel.socket().connect(previous, (int) HANDSHAKE.toMillis());
      channel.socket().setTcpNoDelay(true);
      channel.socket().getOutputStream().write(secret);
      return channel;
    } catch (IOException e) {
      throw new IOException(
          "%s cannot reach rank %d at %s: %s."
              .formatted(name.subject(), self.rank() - 1, previous, e.getMessage()),
          e);
    }
  }

  private SocketChannel accept(ProcessGroup group, ServerSocketChannel listening, byte[] secret)
      throws IOException {
    group.closedByFailure(listening);
    listening.socket().setSoTimeout(Math.toIntExact(self.timeouts().joining().toMillis()));
    while (true) {
      Socket socket = listening.socket().accept();
      try {
        socket.setSoTimeout((int) HANDSHAKE.toMillis());
        if (MessageDigest.isEqual(secret, socket.getInputStream().readNBytes(Welcome.SECRET))) {
          socket.setSoTimeout(0);
          socket.setTcpNoDelay(true);
          return group.closedByFailure(socket.getChannel());
        }
      } catch (IOException e) {
        // Whoever it is, it is none of us.
      }
      socket.close();
    }
  }
}
