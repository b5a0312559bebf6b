package io.minimind.data;

import io.minimind.artifact.BatchInput;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Where the values of a shard's columns lie: those of one sample after those of another, in each
 * its columns in their order, as float32. Where a sample begins follows from its number and from
 * where its tokens begin, so there is no index.
 */
record ColumnLayout(List<BatchInput> columns) {

  ColumnLayout {
    columns = List.copyOf(columns);
  }

  /** Whether there is nothing to keep. */
  boolean isEmpty() {
    return columns.isEmpty();
  }

  /** Bytes of so many samples which have so many ids together. */
  long bytes(long samples, long ids) {
    long values = 0;
    for (BatchInput column : columns) {
      values += column.width() * SamplesInMemory.count(column, samples, ids);
    }
    return values * Float.BYTES;
  }

  /** Adds the values of a sample. */
  void put(Sample sample, ByteBuffer into) {
    for (BatchInput column : columns) {
      for (float value : sample.columns().get(column.name())) {
        into.putFloat(value);
      }
    }
  }

  /**
   * Reads the values of a sample.
   *
   * @param start where the sample begins
   * @param ids of the sample
   */
  void read(ByteBuffer from, int start, int ids, int column, float[] values) {
    int position = start;
    for (BatchInput before : columns.subList(0, column)) {
      position += SamplesInMemory.values(before, ids) * Float.BYTES;
    }
    int count = SamplesInMemory.values(columns.get(column), ids);
    for (int i = 0; i < count; i++) {
      values[i] = from.getFloat(position + i * Float.BYTES);
    }
  }

  /** For the fingerprint of shards: what decides where values lie, and what they are. */
  String description() {
    StringBuilder text = new StringBuilder();
    for (BatchInput column : columns) {
      text.append(' ').append(column.name()).append('=');
      text.append(column.width()).append('/').append(column.extent());
    }
    return text.toString();
  }
}
