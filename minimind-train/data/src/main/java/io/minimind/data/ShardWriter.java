package io.minimind.data;

import io.minimind.data.Manifest.Shard;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * Writes samples into shards: one file of tokens, and one of index entries. An entry holds the
 * position of the sample's first token in the shard and the CRC32C of its bytes, both int32; one
 * more entry holds the number of tokens. Where samples have columns, a third file holds their
 * values, which the sample's checksum covers too. Everything is little-endian. Rows that gave no
 * sample are listed in a text file, if there are any.
 */
final class ShardWriter implements Closeable {
  static final int ENTRY_BYTES = 2 * Integer.BYTES;
  static final String SKIPPED = "skipped.txt";

  private final Path folder;
  private final int tokenBytes;
  private final ColumnLayout columns;
  private final long maxBytes;
  private final ByteBuffer entry = ByteBuffer.allocate(ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final List<Shard> shards = new ArrayList<>();
  private OutputStream tokens = OutputStream.nullOutputStream();
  private OutputStream values = OutputStream.nullOutputStream();
  private CheckedOutputStream index = new CheckedOutputStream(tokens, new CRC32C());
  private Writer skipped; // null until a row is skipped
  private int samplesInShard;
  private long tokensInShard;

  ShardWriter(Path folder, int tokenBytes, ColumnLayout columns, long maxShardBytes) {
    this.folder = folder;
    this.tokenBytes = tokenBytes;
    this.columns = columns;
    this.maxBytes = maxShardBytes;
  }

  void append(Chunk chunk) throws IOException {
    try {
      write(chunk);
      list(chunk.skipped());
    } catch (IOException e) {
      throw TokenShards.unwritable(folder, e);
    }
  }

  private void write(Chunk chunk) throws IOException {
    int offset = 0;
    int valuesOffset = 0;
    for (int i = 0; i < chunk.lengths().length; i++) {
      int length = chunk.lengths()[i];
      if (samplesInShard > 0 && isFull(length)) {
        endShard();
      }
      if (samplesInShard == 0) {
        startShard();
      }
      writeEntry(chunk.checksums()[i]);
      tokens.write(chunk.bytes().array(), offset, length * tokenBytes);
      offset += length * tokenBytes;
      if (!columns.isEmpty()) {
        int valueBytes = (int) columns.bytes(1, length);
        values.write(chunk.values().array(), valuesOffset, valueBytes);
        valuesOffset += valueBytes;
      }
      tokensInShard += length;
      samplesInShard++;
    }
  }

  /** Whether a sample of so many ids no longer fits. */
  private boolean isFull(int length) {
    return (tokensInShard + length) * tokenBytes > maxBytes
        || columns.bytes(samplesInShard + 1L, tokensInShard + length) > maxBytes;
  }

  private void list(List<SkippedRow> rows) throws IOException {
    if (!rows.isEmpty() && skipped == null) {
      skipped = Files.newBufferedWriter(folder.resolve(SKIPPED));
    }
    for (SkippedRow row : rows) {
      skipped.write(row + "\n");
    }
  }

  /** Completes the last shard and returns all of them. */
  List<Shard> finish() throws IOException {
    try {
      if (samplesInShard > 0) {
        endShard();
      }
      if (skipped != null) {
        skipped.flush();
      }
    } catch (IOException e) {
      throw TokenShards.unwritable(folder, e);
    }
    return List.copyOf(shards);
  }

  private void startShard() throws IOException {
    Shard shard = new Shard(name(), 0, 0, 0);
    tokens = new BufferedOutputStream(Files.newOutputStream(shard.tokensFile(folder)), 1 << 20);
    if (!columns.isEmpty()) {
      values = new BufferedOutputStream(Files.newOutputStream(shard.valuesFile(folder)), 1 << 20);
    }
    index =
        new CheckedOutputStream(
            new BufferedOutputStream(Files.newOutputStream(shard.indexFile(folder)), 1 << 16),
            new CRC32C());
  }

  private void endShard() throws IOException {
    writeEntry(0);
    shards.add(new Shard(name(), samplesInShard, tokensInShard, index.getChecksum().getValue()));
    closeShard();
    samplesInShard = 0;
    tokensInShard = 0;
  }

  private String name() {
    return String.format(Locale.ROOT, "%05d", shards.size());
  }

  private void writeEntry(int checksum) throws IOException {
    index.write(entry.putInt(0, (int) tokensInShard).putInt(Integer.BYTES, checksum).array());
  }

  private void closeShard() throws IOException {
    try {
      index.close();
    } finally {
      try {
        values.close();
      } finally {
        tokens.close();
      }
    }
  }

  @Override
  public void close() throws IOException {
    try {
      closeShard();
    } finally {
      if (skipped != null) {
        skipped.close();
      }
    }
  }
}
