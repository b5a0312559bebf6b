package io.minimind.data;

import io.minimind.data.Manifest.Fingerprint;
import io.minimind.data.Manifest.Shard;
import io.minimind.files.InputException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32C;

/**
 * Encodes rows into shards. The calling thread reads rows and writes shards, the processors encode
 * in between; what lies between reading and writing is bounded and keeps its order, so the shards
 * do not depend on the number of processors and memory does not depend on the number of rows.
 */
final class ShardBuilder {
  private static final int CHUNK_CHARS = 1 << 16;
  private static final int CHUNK_ROWS = 1 << 12;

  private final Rows source;
  private final SampleEncoder encoder;
  private final Fingerprint fingerprint;
  private final ColumnLayout columns;

  private ShardBuilder(Rows source, SampleEncoder encoder, Fingerprint fingerprint) {
    this.source = source;
    this.encoder = encoder;
    this.fingerprint = fingerprint;
    this.columns = new ColumnLayout(encoder.inputs());
  }

  /** Writes shards of at most about {@code maxShardBytes} of tokens into an empty folder. */
  static Manifest build(
      Rows source,
      Path folder,
      SampleEncoder encoder,
      Fingerprint fingerprint,
      long maxShardBytes,
      EncodingProgress progress)
      throws IOException {
    return new ShardBuilder(source, encoder, fingerprint).run(folder, maxShardBytes, progress);
  }

  private Manifest run(Path folder, long maxShardBytes, EncodingProgress progress)
      throws IOException {
    int processors = Runtime.getRuntime().availableProcessors();
    ExecutorService executor =
        Executors.newFixedThreadPool(
            processors,
            task -> {
              Thread thread = new Thread(task, "encoder");
              thread.setDaemon(true);
              return thread;
            });
    try (RowReader reader = source.open(encoder.columns());
        ShardWriter writer =
            new ShardWriter(folder, fingerprint.tokenBytes(), columns, maxShardBytes)) {
      Queue<Future<Chunk>> pending = new ArrayDeque<>();
      Totals totals = new Totals();
      Piece piece = nextPiece(reader);
      while (!piece.isEmpty() || !pending.isEmpty()) {
        if (!piece.isEmpty() && pending.size() < 2 * processors) {
          Piece taken = piece;
          pending.add(executor.submit(() -> encode(taken)));
          piece = nextPiece(reader);
        } else {
          Chunk chunk = result(pending.remove());
          writer.append(chunk);
          totals.add(chunk);
          progress.update(reader.position(), fingerprint.sourceBytes(), totals.rows, totals.tokens);
        }
      }
      List<Shard> shards = writer.finish();
      if (shards.isEmpty()) {
        throw new InputException(
            totals.rows == 0
                ? source.name() + " has no rows: there is nothing to train on."
                : "None of the %d rows of %s can be used; %s"
                    .formatted(totals.rows, source.name(), totals.firstSkipped));
      }
      return new Manifest(fingerprint, totals.rows, totals.skipped, totals.targets, shards);
    } finally {
      executor.shutdownNow();
    }
  }

  /** Some rows, and those between them that could not be read. */
  private record Piece(List<Row> rows, List<SkippedRow> malformed) {
    boolean isEmpty() {
      return rows.isEmpty() && malformed.isEmpty();
    }
  }

  private static Piece nextPiece(RowReader reader) throws IOException {
    Piece piece = new Piece(new ArrayList<>(), new ArrayList<>());
    int chars = 0;
    while (chars < CHUNK_CHARS && piece.rows.size() + piece.malformed.size() < CHUNK_ROWS) {
      try {
        Optional<Row> row = reader.next();
        if (row.isEmpty()) {
          break;
        }
        piece.rows.add(row.get());
        chars += row.get().cells().stream().mapToInt(String::length).sum();
      } catch (MalformedRowException e) {
        piece.malformed.add(e.row());
      }
    }
    return piece;
  }

  private Chunk encode(Piece piece) {
    List<Sample> samples = new ArrayList<>(piece.rows.size());
    List<SkippedRow> skipped = new ArrayList<>(piece.malformed);
    for (Row row : piece.rows) {
      try {
        List<Sample> group = encoder.encode(row);
        if (group.stream().anyMatch(sample -> sample.targetCount() > 0)) {
          require(group);
          samples.addAll(group);
        } else {
          skipped.add(SkippedRow.of(row, "it has nothing to learn."));
        }
      } catch (IllegalArgumentException e) {
        skipped.add(SkippedRow.of(row, e.getMessage()));
      }
    }
    skipped.sort(Comparator.comparingLong(SkippedRow::number));
    int[] lengths = new int[samples.size()];
    int[] checksums = new int[samples.size()];
    long targets = 0;
    int tokens = samples.stream().mapToInt(sample -> sample.ids().length).reduce(0, Math::addExact);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(tokens, fingerprint.tokenBytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer values =
        ByteBuffer.allocate(Math.toIntExact(columns.bytes(samples.size(), tokens)))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < lengths.length; i++) {
      Sample sample = samples.get(i);
      int start = bytes.position();
      int valuesStart = values.position();
      put(sample, bytes);
      columns.put(sample, values);
      CRC32C checksum = new CRC32C();
      checksum.update(bytes.array(), start, bytes.position() - start);
      checksum.update(values.array(), valuesStart, values.position() - valuesStart);
      lengths[i] = sample.ids().length;
      checksums[i] = (int) checksum.getValue();
      targets += sample.targetCount();
    }
    int rows = piece.rows.size() + piece.malformed.size();
    return new Chunk(
        rows, tokens, targets, lengths, checksums, bytes.flip(), values.flip(), skipped);
  }

  /** What an encoder gives is a promise of its own, not a matter of the row. */
  private void require(List<Sample> group) {
    if (group.size() != encoder.groupSize()) {
      throw new IllegalStateException(
          "An encoder of %d samples a row gave %d.".formatted(encoder.groupSize(), group.size()));
    }
    try {
      group.forEach(sample -> SamplesInMemory.require(sample, columns.columns()));
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private void put(Sample sample, ByteBuffer bytes) {
    int[] ids = sample.ids();
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= fingerprint.vocabularySize()) {
        throw new IllegalStateException(
            "Id " + ids[i] + " is not in a vocabulary of " + fingerprint.vocabularySize());
      }
      int target = i > 0 && sample.targets().get(i) ? 1 : 0;
      if (fingerprint.tokenBytes() == Short.BYTES) {
        bytes.putShort((short) (ids[i] | target << Short.SIZE - 1));
      } else {
        bytes.putInt(ids[i] | target << Integer.SIZE - 1);
      }
    }
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

  /**
   * Encoded rows: the tokens of all samples and the values of their columns, the length and
   * checksum of each, and the rows that gave none.
   */
  record Chunk(
      int rows,
      int tokens,
      long targets,
      int[] lengths,
      int[] checksums,
      ByteBuffer bytes,
      ByteBuffer values,
      List<SkippedRow> skipped) {}

  private static final class Totals {
    private long rows;
    private long skipped;
    private SkippedRow firstSkipped;
    private long tokens;
    private long targets;

    private void add(Chunk chunk) {
      rows += chunk.rows;
      if (skipped == 0 && !chunk.skipped.isEmpty()) {
        firstSkipped = chunk.skipped.get(0);
      }
      skipped += chunk.skipped.size();
      tokens += chunk.tokens;
      targets += chunk.targets;
    }
  }
}
