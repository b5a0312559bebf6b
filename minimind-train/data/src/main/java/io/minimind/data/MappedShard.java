package io.minimind.data;

import io.minimind.data.Manifest.Shard;
import io.minimind.files.CutFiles;
import io.minimind.files.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.CRC32C;

/** One shard in memory-mapped files, written by {@link ShardWriter}. */
final class MappedShard {
  private final List<Path> files;
  private final ByteBuffer tokens;
  private final ByteBuffer index;
  private final ByteBuffer values;
  private final ColumnLayout columns;
  private final int tokenBytes;
  private final int longest;

  private MappedShard(
      List<Path> files,
      ByteBuffer tokens,
      ByteBuffer index,
      ByteBuffer values,
      ColumnLayout columns,
      int tokenBytes,
      int longest) {
    this.files = files;
    this.tokens = tokens;
    this.index = index;
    this.values = values;
    this.columns = columns;
    this.tokenBytes = tokenBytes;
    this.longest = longest;
  }

  /** Maps a shard; its index is checked here, its tokens when they are read. */
  static MappedShard open(Path folder, Shard shard, int tokenBytes, ColumnLayout columns)
      throws IOException {
    ByteBuffer tokens = map(shard.tokensFile(folder), shard.tokens() * tokenBytes);
    ByteBuffer index =
        map(shard.indexFile(folder), (shard.samples() + 1L) * ShardWriter.ENTRY_BYTES);
    CRC32C checksum = new CRC32C();
    update(checksum, index, 0, index.limit());
    if (checksum.getValue() != shard.indexChecksum()) {
      throw new InputException(shard.indexFile(folder) + " does not match its checksum.");
    }
    int longest = 0;
    for (int sample = 0; sample < shard.samples(); sample++) {
      longest = Math.max(longest, start(index, sample + 1) - start(index, sample));
    }
    ByteBuffer values =
        columns.isEmpty()
            ? ByteBuffer.allocate(0)
            : map(shard.valuesFile(folder), columns.bytes(shard.samples(), shard.tokens()));
    List<Path> files =
        List.of(shard.tokensFile(folder), shard.indexFile(folder), shard.valuesFile(folder));
    return new MappedShard(files, tokens, index, values, columns, tokenBytes, longest);
  }

  private static ByteBuffer map(Path file, long bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() != bytes) {
        throw new InputException(
            String.format("%s has %d bytes instead of %d.", file, channel.size(), bytes));
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Ids of the longest sample. */
  int longest() {
    return longest;
  }

  int length(int sample) {
    return start(index, sample + 1) - start(index, sample);
  }

  /** Whether the tokens and columns of a sample are those that were written. */
  boolean intact(int sample) {
    return !CutFiles.isCut(files.get(0), tokens.limit())
        && !CutFiles.isCut(files.get(1), index.limit())
        && !CutFiles.isCut(files.get(2), values.limit())
        && matches(sample);
  }

  private boolean matches(int sample) {
    CRC32C checksum = new CRC32C();
    update(checksum, tokens, start(index, sample) * tokenBytes, length(sample) * tokenBytes);
    if (!columns.isEmpty()) {
      update(checksum, values, valuesStart(sample), (int) columns.bytes(1, length(sample)));
    }
    return (int) checksum.getValue()
        == index.getInt(sample * ShardWriter.ENTRY_BYTES + Integer.BYTES);
  }

  /**
   * Piece by piece through memory of our own: a checksum over the mapping itself would end the
   * process where a file is cut at this very moment; a copy is an error of this thread.
   */
  private static void update(CRC32C checksum, ByteBuffer bytes, int from, int length) {
    byte[] piece = new byte[Math.min(length, 1 << 13)];
    for (int done = 0; done < length; done += piece.length) {
      int count = Math.min(piece.length, length - done);
      bytes.get(from + done, piece, 0, count);
      checksum.update(piece, 0, count);
    }
  }

  int read(int sample, int[] ids, boolean[] targets) {
    int start = start(index, sample);
    int length = length(sample);
    for (int i = 0; i < length; i++) {
      int token =
          tokenBytes == Short.BYTES
              ? signed(tokens.getShort((start + i) * Short.BYTES))
              : tokens.getInt((start + i) * Integer.BYTES);
      ids[i] = token & Integer.MAX_VALUE;
      targets[i] = token < 0;
    }
    return length;
  }

  void readColumn(int sample, int column, float[] into) {
    columns.read(values, valuesStart(sample), length(sample), column, into);
  }

  private int valuesStart(int sample) {
    return (int) columns.bytes(sample, start(index, sample));
  }

  /** Moves the highest bit of a stored short to where that of an int is. */
  private static int signed(short token) {
    return token & Short.MAX_VALUE | token & Integer.MIN_VALUE;
  }

  private static int start(ByteBuffer index, int sample) {
    return index.getInt(sample * ShardWriter.ENTRY_BYTES);
  }
}
