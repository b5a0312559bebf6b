package io.minimind.distributed;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/**
 * Processes that train one model together. All of them call the same methods in the same order; a
 * call returns when the others have made it too, as far as it needs them.
 *
 * <p>Two kinds of connections: each process has one to the first, for short things, and one to the
 * process before it and to the one after it, for gradients and files. In this row gradients are
 * added up on the way to the last and handed back, which sends as little as a ring does, and adds
 * always in the same order.
 *
 * <p>What fails anywhere ends all: whatever another process waits for then throws an {@link
 * UncheckedIOException} with a sentence that says which of them stopped and why.
 */
public final class ProcessGroup implements AutoCloseable {

  private static final Duration FAREWELL = Duration.ofSeconds(5);

  private final int rank;
  private final int size;
  private final Wire wire;

  /** Of the first process all others in their order, of another the first alone. */
  private final List<Peer> peers;

  private final List<Closeable> links = new CopyOnWriteArrayList<>();
  private final AtomicReference<String> failure = new AtomicReference<>();
  private final CountDownLatch failed = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private List<ProcessName> names = List.of();
  private SocketChannel previous; // null of the first
  private SocketChannel next; // null of the last
  private volatile boolean closing;

  ProcessGroup(Membership self, List<Peer> peers) {
    this(self.rank(), self.size(), self.wire(), peers);
  }

  private ProcessGroup(int rank, int size, Wire wire, List<Peer> peers) {
    this.rank = rank;
    this.size = size;
    this.wire = wire;
    this.peers = List.copyOf(peers);
  }

  /** A process that trains alone. */
  public static ProcessGroup alone() {
    return new ProcessGroup(0, 1, Wire.FLOAT32, List.of());
  }

  /**
   * The processes that the environment of this one tells of, as {@link Membership#of} reads it; it
   * waits until all have come.
   *
   * @throws IOException if one does not come, or cannot be reached
   */
  public static ProcessGroup ofEnvironment() throws IOException {
    Optional<Membership> membership = Membership.of(System.getenv());
    return membership.isPresent() ? join(membership.get()) : alone();
  }

  /**
   * Waits until all processes have come.
   *
   * @throws IOException if one does not come, or cannot be reached, or does not belong here
   */
  public static ProcessGroup join(Membership membership) throws IOException {
    return membership.size() == 1 ? alone() : new Rendezvous(membership).join();
  }

  /** Listens to the others from now on, and lets them know that this process lives. */
  void start(Duration silence) throws IOException {
    for (Peer peer : peers) {
      peer.listen(silence, this::fail);
    }
    long interval = Math.min(1000, silence.toMillis() / 5);
    Thread signs =
        new Thread(
            () -> {
              try {
                while (!closed.await(interval, TimeUnit.MILLISECONDS)) {
                  peers.forEach(Peer::sendSignOfLife);
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "signs-of-life");
    signs.setDaemon(true);
    signs.start();
  }

  /** Something whose end makes a call return that waits for another process. */
  <T extends Closeable> T closedByFailure(T link) throws IOException {
    links.add(link);
    if (failure.get() != null) {
      link.close();
    }
    return link;
  }

  /** Takes its place in the row, and learns what the others' machines are called. */
  void connect(SocketChannel previous, SocketChannel next, String host) {
    this.previous = previous;
    this.next = next;
    List<byte[]> hosts = gather(host.getBytes(StandardCharsets.UTF_8));
    names =
        IntStream.range(0, size)
            .mapToObj(i -> new ProcessName(i, new String(hosts.get(i), StandardCharsets.UTF_8)))
            .toList();
  }

  public int rank() {
    return rank;
  }

  public int size() {
    return size;
  }

  /** Whether this is the process that writes what all have learnt; so is one that is alone. */
  public boolean isFirst() {
    return rank == 0;
  }

  /** How gradients travel between the processes. */
  public Wire wire() {
    return wire;
  }

  public boolean isLast() {
    return rank == size - 1;
  }

  /** One of several processes as people are told of it, in the middle of a sentence. */
  public String name(int rank) {
    return names.get(rank).toString();
  }

  /** The same, at the beginning of a sentence. */
  public String subject(int rank) {
    return names.get(rank).subject();
  }

  /** What each of the processes gives, in their order. */
  public List<byte[]> gather(byte[] own) {
    return exchange(own, true);
  }

  /**
   * What each of the processes gives, in their order, for the first of them. The others wait until
   * it has all, and are given nothing.
   */
  public List<byte[]> collect(byte[] own) {
    return exchange(own, false);
  }

  private List<byte[]> exchange(byte[] own, boolean forAll) {
    if (size == 1) {
      return List.of(own);
    }
    try {
      if (!isFirst()) {
        peers.get(0).send(own);
        return split(receive(peers.get(0)));
      }
      List<byte[]> all = new ArrayList<>(List.of(own));
      for (Peer peer : peers) {
        all.add(receive(peer));
      }
      byte[] answer = forAll ? join(all) : new byte[0];
      for (Peer peer : peers) {
        peer.send(answer);
      }
      return all;
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private byte[] receive(Peer peer) {
    Optional<byte[]> message;
    try {
      message = peer.receive();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw stopped("This process was interrupted while it waited for " + peer.name() + ".");
    }
    return message.orElseThrow(
        () -> stopped(peer.name().subject() + " has ended before this process."));
  }

  private static byte[] join(List<byte[]> all) {
    int length = all.stream().mapToInt(one -> Integer.BYTES + one.length).sum();
    ByteBuffer joined = ByteBuffer.allocate(length);
    all.forEach(one -> joined.putInt(one.length).put(one));
    return joined.array();
  }

  private static List<byte[]> split(byte[] joined) {
    List<byte[]> all = new ArrayList<>();
    for (ByteBuffer left = ByteBuffer.wrap(joined); left.hasRemaining(); ) {
      byte[] one = new byte[left.getInt()];
      left.get(one);
      all.add(one);
    }
    return all;
  }

  /** Whether any of the processes says yes. */
  public boolean any(boolean own) {
    return gather(new byte[] {(byte) (own ? 1 : 0)}).stream().anyMatch(one -> one[0] != 0);
  }

  /** Waits until all processes have come here. */
  public void await() {
    any(false);
  }

  /**
   * Whether a folder is one and the same for all processes: they are on one machine, or on a file
   * system that they share.
   *
   * @param folder of this process, which is there
   */
  public boolean isShared(Path folder) throws IOException {
    Path mark = isFirst() ? Files.createTempFile(folder, ".shared", "") : folder;
    try {
      byte[] own = mark.getFileName().toString().getBytes(StandardCharsets.UTF_8);
      String name = new String(gather(own).get(0), StandardCharsets.UTF_8);
      return !any(Files.notExists(folder.resolve(name)));
    } finally {
      if (isFirst()) {
        Files.deleteIfExists(mark);
      }
    }
  }

  /** Waits until the process before this one has sent so much. */
  public void receiveFromPrevious(ByteBuffer data) {
    read(previous, data);
  }

  /** Waits until the process after this one has sent so much. */
  public void receiveFromNext(ByteBuffer data) {
    read(next, data);
  }

  /** Sends to the process before this one, as fast as it reads. */
  public void sendToPrevious(ByteBuffer data) {
    write(previous, data);
  }

  /** Sends to the process after this one, as fast as it reads. */
  public void sendToNext(ByteBuffer data) {
    write(next, data);
  }

  private void read(SocketChannel from, ByteBuffer data) {
    try {
      while (data.hasRemaining()) {
        if (from.read(data) < 0) {
          throw new IOException("it has ended");
        }
      }
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private void write(SocketChannel to, ByteBuffer data) {
    try {
      while (data.hasRemaining()) {
        to.write(data);
      }
    } catch (IOException e) {
      throw broken(e);
    }
  }

  /**
   * Gives files of the first process to all others, which call {@link #receive} meanwhile.
   *
   * @param folder of this process
   * @param files below it, by their relative paths
   */
  public void send(Path folder, List<Path> files) throws IOException {
    new FileRelay(this).send(folder, files);
  }

  /**
   * Takes the files that the first process gives with {@link #send}, and passes them on.
   *
   * @param folder of this process, which the files are written below
   */
  public void receive(Path folder) throws IOException {
    new FileRelay(this).receive(folder);
  }

  /**
   * Ends the work of all, because this process cannot go on. The others are told why; of several
   * reasons the first one counts.
   */
  public void abort(Exception why) {
    boolean sentence = why instanceof IOException || why instanceof IllegalArgumentException;
    String reason = sentence && why.getMessage() != null ? why.getMessage() : why.toString();
    String self = size == 1 ? "This process" : subject(rank);
    fail("%s stopped all: %s".formatted(self, reason));
  }

  /** Tells the others, unless they were told something already, and wakes whoever waits here. */
  void fail(String sentence) {
    if (closing || !failure.compareAndSet(null, sentence)) {
      return;
    }
    peers.forEach(peer -> peer.abort(sentence));
    peers.forEach(Peer::endMessages);
    failed.countDown();
    closeLinks();
  }

  private void closeLinks() {
    for (Closeable link : links) {
      try {
        link.close();
      } catch (IOException e) {
        // Closed is closed.
      }
    }
  }

  /**
   * Whoever closed a connection tells why, or is about to be found dead.
   *
   * @return what is to be thrown
   */
  private UncheckedIOException broken(IOException e) {
    try {
      failed.await(FAREWELL.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    return stopped("The connection to another process broke: " + e.getMessage() + ".");
  }

  /**
   * What is to be thrown when this process cannot go on.
   *
   * @param otherwise the reason, if none is known yet
   */
  private UncheckedIOException stopped(String otherwise) {
    fail(otherwise);
    String reason = Optional.ofNullable(failure.get()).orElse(otherwise);
    return new UncheckedIOException(reason, new IOException(reason));
  }

  /** Lets go of the others, which have done their work too, or must stop. */
  @Override
  public void close() {
    if (failure.get() == null) {
      closing = true;
      peers.forEach(Peer::sayFarewell);
    }
    peers.forEach(peer -> peer.close(FAREWELL));
    closed.countDown();
    closeLinks();
  }
}
