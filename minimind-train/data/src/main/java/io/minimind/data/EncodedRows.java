package io.minimind.data;

import io.minimind.data.Manifest.Fingerprint;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.InputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The rows of a corpus, encoded in their order. The calling thread cuts them into pieces, and all
 * processors encode; so many pieces are a turn, and while those of one turn are taken, the next are
 * encoded. So what is encoded does not depend on the number of processors, and memory does not
 * depend on the number of rows.
 *
 * <p>Of several processes all cut all rows, which shows that they are the same; each reads and
 * encodes its share of the pieces, which takes far longer; and the first is given all of them.
 */
final class EncodedRows implements Closeable {

  /** Pieces of each of several processes, in a turn: some megabytes of text. */
  private static final int SHARE = 32;

  private final Rows source;
  private final Pieces pieces;
  private final ChunkEncoder encoder;
  private final ProcessGroup group;
  private final int turnPieces;
  private final ExecutorService executor;

  /** Takes what is encoded. */
  @FunctionalInterface
  interface Taker {
    void take(Chunk chunk) throws IOException;
  }

  /**
   * What is read at a time.
   *
   * @param pieces of all processes
   * @param own what this one encodes of them
   * @param hash of all rows up to here
   */
  private record Turn(int pieces, List<Future<Chunk>> own, long hash) {}

  EncodedRows(Rows source, SampleEncoder encoder, Fingerprint fingerprint, ProcessGroup group)
      throws IOException {
    this.source = source;
    this.encoder = new ChunkEncoder(encoder, fingerprint);
    this.group = group;
    int processors = Runtime.getRuntime().availableProcessors();
    turnPieces = group.size() == 1 ? 2 * processors : SHARE * group.size();
    pieces = Pieces.of(source, encoder.columns());
    executor =
        Executors.newFixedThreadPool(
            processors,
            task -> {
              Thread thread = new Thread(task, "encoder");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** How much of the rows is read. */
  long position() {
    return pieces.position();
  }

  /** Gives all chunks to a taker; only in the first of several processes there are any. */
  void forEach(Taker taker) throws IOException {
    Turn turn = readTurn();
    while (turn.pieces > 0) {
      Turn next = readTurn();
      for (Chunk chunk : taken(turn)) {
        taker.take(chunk);
      }
      turn = next;
    }
    taken(turn); // The others must be at the end too.
  }

  private Turn readTurn() throws IOException {
    List<Future<Chunk>> own = new ArrayList<>();
    int count = 0;
    while (count < turnPieces) {
      Optional<Pieces.Piece> piece = pieces.next();
      if (piece.isEmpty()) {
        break;
      }
      if (count++ % group.size() == group.rank()) {
        own.add(executor.submit(() -> encoder.encode(piece.get().read())));
      }
    }
    return new Turn(count, own, pieces.hash());
  }

  private List<Chunk> taken(Turn turn) throws IOException {
    List<Chunk> own = new ArrayList<>();
    for (Future<Chunk> running : turn.own) {
      own.add(result(running));
    }
    if (group.size() == 1) {
      return own;
    }
    if (!group.isFirst()) {
      group.collect(bytes(turn, own));
      return List.of();
    }
    List<byte[]> all = group.collect(new byte[0]);
    List<Iterator<Chunk>> shares = new ArrayList<>(List.of(own.iterator()));
    for (int rank = 1; rank < all.size(); rank++) {
      shares.add(share(turn, rank, all.get(rank)).iterator());
    }
    List<Chunk> inOrder = new ArrayList<>();
    for (int i = 0; i < turn.pieces; i++) {
      inOrder.add(shares.get(i % group.size()).next());
    }
    return inOrder;
  }

  private static byte[] bytes(Turn turn, List<Chunk> own) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(turn.pieces);
    out.writeLong(turn.hash);
    for (Chunk chunk : own) {
      chunk.write(out);
    }
    return bytes.toByteArray();
  }

  /** What another process encoded of the same rows. */
  private List<Chunk> share(Turn turn, int rank, byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    if (in.readInt() != turn.pieces || in.readLong() != turn.hash) {
      throw new InputException(
          "%s has other rows for %s than for %s: give all the same data."
              .formatted(source.name(), group.name(rank), group.name(0)));
    }
    List<Chunk> chunks = new ArrayList<>();
    while (in.available() > 0) {
      chunks.add(Chunk.read(in));
    }
    return chunks;
  }

  private static Chunk result(Future<Chunk> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while encoding.");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IllegalStateException("Encoding failed", e.getCause());
    }
  }

  @Override
  public void close() throws IOException {
    executor.shutdownNow();
    pieces.close();
  }
}
