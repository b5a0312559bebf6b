package io.minimind.data;

import io.minimind.data.Manifest.Fingerprint;
import io.minimind.data.Manifest.Shard;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32C;

/**
 * Encodes the rows of a file into shards. The calling thread reads rows and writes shards, the
 * processors encode in between; what lies between reading and writing is bounded and keeps its
 * order, so the shards do not depend on the number of processors and memory does not depend on the
 * size of the file.
 */
final class ShardBuilder {
  private static final int CHUNK_CHARS = 1 << 16;
  private static final int CHUNK_ROWS = 1 << 12;

  private final Path source;
  private final SampleEncoder encoder;
  private final Fingerprint fingerprint;

  private ShardBuilder(Path source, SampleEncoder encoder, Fingerprint fingerprint) {
    this.source = source;
    this.encoder = encoder;
    this.fingerprint = fingerprint;
  }

  /** Writes shards of at most about {@code maxShardBytes} of tokens into an empty folder. */
  static Manifest build(
      Path source,
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
    try (RowReader reader = RowReader.open(source, encoder.columns());
        ShardWriter writer = new ShardWriter(folder, fingerprint.tokenBytes(), maxShardBytes)) {
      Queue<Future<Chunk>> pending = new ArrayDeque<>();
      Totals totals = new Totals();
      List<Row> rows = nextRows(reader);
      while (!rows.isEmpty() || !pending.isEmpty()) {
        if (!rows.isEmpty() && pending.size() < 2 * processors) {
          List<Row> taken = rows;
          pending.add(executor.submit(() -> encode(taken)));
          rows = nextRows(reader);
        } else {
          Chunk chunk = result(pending.remove());
          writer.append(chunk);
          totals.add(chunk);
          progress.update(
              reader.bytesRead(), fingerprint.sourceBytes(), totals.rows, totals.tokens);
        }
      }
      List<Shard> shards = writer.finish();
      if (shards.isEmpty()) {
        throw new IOException(
            totals.rows == 0
                ? source + " has no rows: there is nothing to train on."
                : "None of the "
                    + totals.rows
                    + " rows of "
                    + source
                    + " has anything to train on: the column "
                    + String.join(", ", encoder.columns())
                    + " is blank.");
      }
      return new Manifest(fingerprint, totals.rows, totals.skipped, totals.targets, shards);
    } finally {
      executor.shutdownNow();
    }
  }

  private static List<Row> nextRows(RowReader reader) throws IOException {
    List<Row> rows = new ArrayList<>();
    int chars = 0;
    while (chars < CHUNK_CHARS && rows.size() < CHUNK_ROWS) {
      Optional<Row> row = reader.next();
      if (row.isEmpty()) {
        break;
      }
      rows.add(row.get());
      chars += row.get().cells().stream().mapToInt(String::length).sum();
    }
    return rows;
  }

  private Chunk encode(List<Row> rows) throws IOException {
    List<Sample> samples = new ArrayList<>(rows.size());
    int tokens = 0;
    for (Row row : rows) {
      Sample sample = encode(row);
      if (sample.targetCount() > 0) {
        samples.add(sample);
        tokens += sample.ids().length;
      }
    }
    int[] lengths = new int[samples.size()];
    int[] checksums = new int[samples.size()];
    long targets = 0;
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(tokens, fingerprint.tokenBytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < lengths.length; i++) {
      Sample sample = samples.get(i);
      int start = bytes.position();
      put(sample, bytes);
      CRC32C checksum = new CRC32C();
      checksum.update(bytes.array(), start, bytes.position() - start);
      lengths[i] = sample.ids().length;
      checksums[i] = (int) checksum.getValue();
      targets += sample.targetCount();
    }
    return new Chunk(rows.size(), tokens, targets, lengths, checksums, bytes.flip());
  }

  private Sample encode(Row row) throws IOException {
    try {
      return encoder.encode(row);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          String.format(
              "Row %d of %s (line %d) cannot be encoded: %s",
              row.number(), source, row.line(), e.getMessage()),
          e);
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

  /** Encoded rows: the tokens of all samples, and the length and checksum of each. */
  record Chunk(
      int rows, int tokens, long targets, int[] lengths, int[] checksums, ByteBuffer bytes) {}

  private static final class Totals {
    private long rows;
    private long skipped;
    private long tokens;
    private long targets;

    private void add(Chunk chunk) {
      rows += chunk.rows;
      skipped += chunk.rows - chunk.lengths.length;
      tokens += chunk.tokens;
      targets += chunk.targets;
    }
  }
}
