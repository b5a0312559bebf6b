package io.minimind.distillation;

import io.minimind.data.Batch;
import io.minimind.files.AtomicFile;
import io.minimind.files.CutFiles;
import io.minimind.files.InputException;
import io.minimind.weights.HalfFloats;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * A mapped file of what a teacher thinks, little-endian: for each sample an int64, where its record
 * begins, and then the records in any order. A record is an int32, how many tokens of the sample
 * count; for each of these an int32, its place in the sample, the ids of the likeliest tokens, the
 * likeliest first, as int16 or, in a vocabulary of more than 65,536, int32, and as float16 how much
 * lower the score of each is than that of the first; and the CRC-32C of the record, int32. No
 * record lies across a multiple of 1 GiB. Safe for use by several threads.
 */
final class TeacherRecords {

  private static final long SEGMENT = 1L << 30;

  /**
   * What such a file is made of.
   *
   * @param samples how many there are
   * @param top tokens that are kept of each
   * @param vocabulary of the student
   */
  record Layout(long samples, int top, int vocabulary) {

    private int idBytes() {
      return vocabulary <= 1 << Short.SIZE ? Short.BYTES : Integer.BYTES;
    }

    private int tokenBytes() {
      return Integer.BYTES + top * (idBytes() + Short.BYTES);
    }

    private int recordBytes(int tokens) {
      return Math.addExact(Math.multiplyExact(tokens, tokenBytes()), 2 * Integer.BYTES);
    }

    private long indexBytes() {
      return samples * Long.BYTES;
    }
  }

  private final Path file;
  private final Layout layout;
  private final ByteBuffer[] segments;
  private final long size;

  private TeacherRecords(Path file, Layout layout, ByteBuffer[] segments, long size) {
    this.file = file;
    this.layout = layout;
    this.segments = segments;
    this.size = size;
  }

  static TeacherRecords open(Path file, Layout layout) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      ByteBuffer[] segments = new ByteBuffer[Math.toIntExact((size + SEGMENT - 1) / SEGMENT)];
      for (int i = 0; i < segments.length; i++) {
        long start = i * SEGMENT;
        segments[i] =
            channel
                .map(FileChannel.MapMode.READ_ONLY, start, Math.min(SEGMENT, size - start))
                .order(ByteOrder.LITTLE_ENDIAN);
      }
      return new TeacherRecords(file, layout, segments, size);
    }
  }

  /**
   * Reads a sample.
   *
   * @param ids of the sample
   * @param tokens whether to read tokens, or else scores
   * @param values receives those of each id, 0 where the teacher was not asked
   * @throws IOException if the file is damaged
   */
  void read(long sample, int ids, boolean tokens, float[] values) throws IOException {
    int top = layout.top();
    Arrays.fill(values, 0, ids * top, 0);
    ByteBuffer record = CutFiles.reading(file, size, () -> record(sample));
    int count = record.getInt();
    for (int i = 0; i < count; i++) {
      int position = record.getInt();
      if (position < 0 || position >= ids) {
        throw damaged(sample);
      }
      int start = record.position();
      for (int j = 0; j < top; j++) {
        values[position * top + j] = tokens ? id(record, start, j) : score(record, start, j);
      }
      record.position(start + layout.tokenBytes() - Integer.BYTES);
    }
  }

  private float id(ByteBuffer record, int start, int number) {
    return layout.idBytes() == Short.BYTES
        ? record.getShort(start + number * Short.BYTES) & 0xFFFF
        : record.getInt(start + number * Integer.BYTES);
  }

  private float score(ByteBuffer record, int start, int number) {
    int scores = start + layout.top() * layout.idBytes();
    return HalfFloats.float16(record.getShort(scores + number * Short.BYTES));
  }

  /** A copy of the record of a sample, which its checksum agrees with. */
  private ByteBuffer record(long sample) throws IOException {
    if (layout.indexBytes() > size) {
      throw damaged(sample);
    }
    long entry = sample * Long.BYTES;
    long start = segments[(int) (entry / SEGMENT)].getLong((int) (entry % SEGMENT));
    int place = (int) (start % SEGMENT);
    if (start < layout.indexBytes() || start > size - 2 * Integer.BYTES) {
      throw damaged(sample);
    }
    ByteBuffer segment = segments[(int) (start / SEGMENT)];
    int count = place > segment.limit() - Integer.BYTES ? -1 : segment.getInt(place);
    if (count < 0 || count > (segment.limit() - place) / layout.tokenBytes()) {
      throw damaged(sample);
    }
    int bytes = layout.recordBytes(count);
    if (bytes > segment.limit() - place) {
      throw damaged(sample);
    }
    ByteBuffer record = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    segment.get(place, record.array());
    if (record.getInt(bytes - Integer.BYTES) != checksum(record, bytes - Integer.BYTES)) {
      throw damaged(sample);
    }
    return record;
  }

  private IOException damaged(long sample) {
    return new InputException(
        "What the teacher thinks of sample %d is damaged in %s: delete that file, and the next run asks the teacher again."
            .formatted(sample, file));
  }

  private static int checksum(ByteBuffer record, int bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(record.slice(0, bytes));
    return (int) checksum.getValue();
  }

  /** Begins such a file, or goes on with one that has the records of some samples. */
  static Writer write(Path file, Layout layout) throws IOException {
    return new Writer(file, layout);
  }

  /** Adds records. A sample is in the index when its record is in the file. */
  static final class Writer implements AutoCloseable {
    private final Layout layout;
    private final FileChannel channel;
    private final ByteBuffer entry = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private long end;

    private Writer(Path file, Layout layout) throws IOException {
      this.layout = layout;
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      end = Math.max(channel.size(), layout.indexBytes());
    }

    /** Whether all of these samples are there. */
    boolean has(long... samples) throws IOException {
      for (long sample : samples) {
        entry.clear().putLong(0, 0);
        channel.read(entry, sample * Long.BYTES);
        if (entry.getLong(0) == 0) {
          return false;
        }
      }
      return true;
    }

    /**
     * Adds the samples of a batch.
     *
     * @param found {@link TeacherTokens#OUTPUT}
     * @throws IOException if a score is not a number, or it cannot be written
     */
    void put(long[] samples, Batch batch, float[] found) throws IOException {
      FloatBuffer mask = batch.lossMask();
      for (int row = 0; row < samples.length; row++) {
        int start = row * batch.length();
        int count = 0;
        for (int i = 0; i < batch.length(); i++) {
          count += mask.get(start + i) != 0 ? 1 : 0;
        }
        ByteBuffer record =
            ByteBuffer.allocate(layout.recordBytes(count)).order(ByteOrder.LITTLE_ENDIAN);
        record.putInt(count);
        for (int i = 0; i < batch.length(); i++) {
          if (mask.get(start + i) != 0) {
            put(record, i + 1, found, (start + i) * 2 * layout.top());
          }
        }
        record.putInt(checksum(record, record.position()));
        append(samples[row], record.flip());
      }
    }

    /** What the teacher thinks of the token at a place of its sample. */
    private void put(ByteBuffer record, int place, float[] found, int from) throws IOException {
      int top = layout.top();
      record.putInt(place);
      for (int j = 0; j < top; j++) {
        int id = (int) found[from + top + j];
        if (layout.idBytes() == Short.BYTES) {
          record.putShort((short) id);
        } else {
          record.putInt(id);
        }
      }
      for (int j = 0; j < top; j++) {
        float difference = found[from + j] - found[from];
        if (!Float.isFinite(difference)) {
          throw new InputException(
              "The teacher gives a token a score that is no number: its weights are damaged, so"
                  + " choose another.");
        }
        // The lowest float16: its probability is 0 all the same.
        record.putShort(HalfFloats.toFloat16(Math.max(difference, -65504)));
      }
    }

    private void append(long sample, ByteBuffer record) throws IOException {
      int bytes = record.remaining();
      if (end % SEGMENT + bytes > SEGMENT) {
        end = (end / SEGMENT + 1) * SEGMENT;
      }
      channel.position(end);
      AtomicFile.write(channel, record);
      entry.clear().putLong(0, end);
      channel.write(entry, sample * Long.BYTES);
      end += bytes;
    }

    /** Makes sure that all is on the disk. */
    void finish() throws IOException {
      channel.force(true);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
