package io.minimind.distributed;

import io.minimind.files.InputException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
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

  private static final long MAGIC = 0x4d696e694d696e64L; // "MiniMind"

  /**
   * Of what processes say to each other. Numbers are sent as memory has them; and another version
   * would compute something else.
   */
  private static final String DIALECT = "2 %s %s".formatted(ByteOrder.nativeOrder(), version());

  private static final Duration HANDSHAKE = Duration.ofSeconds(10);
  private static final int SECRET = 16;
  private static final int WELCOME = 1;
  private static final int REFUSAL = 0;

  private final Membership self;
  private final String dialect;
  private final String host = host();
  private final long end;

  Rendezvous(Membership self) {
    this(self, DIALECT);
  }

  Rendezvous(Membership self, String dialect) {
    this.self = self;
    this.dialect = dialect;
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

  /** A process that has come, and where it waits for the one after it. */
  private record Arrival(
      Socket socket, String dialect, String wire, int rank, int size, String host, int port) {

    void welcome(byte[] secret, String previousHost, int previousPort) throws IOException {
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeByte(WELCOME);
      out.write(secret);
      out.writeUTF(previousHost);
      out.writeInt(previousPort);
      out.flush();
    }

    void refuse(String sentence) {
      try (socket) {
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        out.writeByte(REFUSAL);
        out.writeUTF(sentence);
        out.flush();
      } catch (IOException e) {
        // It will learn it from its own time-out.
      }
    }
  }

  private ProcessGroup receiveOthers() throws IOException {
    Map<Integer, Arrival> arrived = new TreeMap<>();
    try (ServerSocket server = new ServerSocket()) {
      bind(server);
      while (arrived.size() < self.size() - 1) {
        Optional<Arrival> arrival = next(server, arrived);
        if (arrival.isPresent()) {
          Optional<String> problem = problem(arrival.get(), arrived);
          if (problem.isPresent()) {
            arrival.get().refuse(problem.get());
            throw new InputException(problem.get());
          }
          arrived.put(arrival.get().rank, arrival.get());
        }
      }
    } catch (IOException e) {
      arrived.values().forEach(arrival -> arrival.refuse(String.valueOf(e.getMessage())));
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
              .formatted(port, host, e.getMessage()),
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
      DataInputStream in = new DataInputStream(socket.getInputStream());
      if (in.readLong() == MAGIC) {
        return Optional.of(
            new Arrival(
                socket,
                in.readUTF(),
                in.readUTF(),
                in.readInt(),
                in.readInt(),
                in.readUTF(),
                in.readInt()));
      }
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

  private Optional<String> problem(Arrival arrival, Map<Integer, Arrival> arrived) {
    String name = "rank " + arrival.rank + " (" + arrival.host + ")";
    if (!arrival.dialect.equals(dialect)) {
      return Optional.of(
          "%s runs another version of MiniMind than rank 0 (%s): install the same one everywhere."
              .formatted(capital(name), host));
    }
    if (!arrival.wire.equals(self.wire().name())) {
      return Optional.of(
          "%s sends gradients as %s, and rank 0 (%s) as %s: give all the same MINIMIND_WIRE."
              .formatted(
                  capital(name),
                  arrival.wire.toLowerCase(Locale.ROOT),
                  host,
                  self.wire().name().toLowerCase(Locale.ROOT)));
    }
    if (arrival.size != self.size()) {
      return Optional.of(
          "%s was told of %d processes, and rank 0 (%s) of %d: give all the same WORLD_SIZE."
              .formatted(capital(name), arrival.size, host, self.size()));
    }
    if (arrived.containsKey(arrival.rank) || arrival.rank == 0) {
      String other = arrival.rank == 0 ? host : arrived.get(arrival.rank).host;
      return Optional.of(
          "Two processes were told that they are rank %d, on %s and on %s: give each a RANK of its own."
              .formatted(arrival.rank, other, arrival.host));
    }
    return Optional.empty();
  }

  private static String capital(String name) {
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  private ProcessGroup welcome(List<Arrival> arrivals) throws IOException {
    byte[] secret = new byte[SECRET];
    new SecureRandom().nextBytes(secret);
    List<Peer> peers = new ArrayList<>();
    for (Arrival arrival : arrivals) {
      peers.add(new Peer(arrival.rank, arrival.host, arrival.socket));
    }
    InetAddress here = arrivals.get(0).socket.getLocalAddress();
    try (ServerSocketChannel listening = listen(here)) {
      for (Arrival arrival : arrivals) {
        boolean second = arrival.rank == 1;
        Arrival before = second ? null : arrivals.get(arrival.rank - 2);
        arrival.welcome(
            secret,
            second ? "" : before.socket.getInetAddress().getHostAddress(),
            second ? port(listening) : before.port);
      }
      ProcessGroup group = new ProcessGroup(self, peers);
      return linked(group, () -> group.connect(null, accept(group, listening, secret), host));
    }
  }

  private ProcessGroup comeToFirst() throws IOException {
    Socket socket = connectToFirst();
    try (ServerSocketChannel listening = listen(socket.getLocalAddress())) {
      Welcome welcome = introduce(socket, port(listening));
      Peer first = new Peer(0, self.first().getHostString(), socket);
      ProcessGroup group = new ProcessGroup(self, List.of(first));
      return linked(
          group,
          () -> {
            SocketChannel previous = reach(group, welcome);
            SocketChannel next = group.isLast() ? null : accept(group, listening, welcome.secret);
            group.connect(previous, next, host);
          });
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** What the first process tells another one when all have come. */
  private record Welcome(byte[] secret, InetSocketAddress previous) {}

  private Welcome introduce(Socket socket, int port) throws IOException {
    try {
      socket.setTcpNoDelay(true);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeLong(MAGIC);
      out.writeUTF(dialect);
      out.writeUTF(self.wire().name());
      out.writeInt(self.rank());
      out.writeInt(self.size());
      out.writeUTF(host);
      out.writeInt(port);
      out.flush();
      // The first may have begun to wait later than this process.
      long patience = self.timeouts().joining().plus(HANDSHAKE).toMillis();
      socket.setSoTimeout(Math.toIntExact(patience));
      DataInputStream in = new DataInputStream(socket.getInputStream());
      if (in.readByte() != WELCOME) {
        throw new InputException(in.readUTF());
      }
      byte[] secret = in.readNBytes(SECRET);
      String given = in.readUTF();
      InetAddress previous =
          given.isEmpty() ? socket.getInetAddress() : InetAddress.getByName(given);
      return new Welcome(secret, new InetSocketAddress(previous, in.readInt()));
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
          "Rank %d (%s) cannot be linked with its neighbours: %s"
              .formatted(self.rank(), host, e.getMessage()));
      group.close();
      throw e;
    } catch (UncheckedIOException e) {
      group.close();
      throw e.getCause();
    }
  }

  private SocketChannel reach(ProcessGroup group, Welcome welcome) throws IOException {
    SocketChannel channel = group.closedByFailure(SocketChannel.open());
    try {
      channel.socket().connect(welcome.previous, (int) HANDSHAKE.toMillis());
      channel.socket().setTcpNoDelay(true);
      channel.socket().getOutputStream().write(welcome.secret);
      return channel;
    } catch (IOException e) {
      throw new IOException(
          "Rank %d (%s) cannot reach rank %d at %s: %s."
              .formatted(self.rank(), host, self.rank() - 1, welcome.previous, e.getMessage()),
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
        if (MessageDigest.isEqual(secret, socket.getInputStream().readNBytes(SECRET))) {
          socket.setSoTimeout(0);
          socket.setTcpNoDelay(true);
          return group.closedByFailure(socket.getChannel());
        }
      } catch (SocketTimeoutException e) {
        // Whoever it is, it is none of us.
      }
      socket.close();
    }
  }
}
