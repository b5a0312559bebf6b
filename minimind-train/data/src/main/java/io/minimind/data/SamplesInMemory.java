package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.files.ArgumentException;
import java.util.List;
import java.util.Locale;

/** Samples as they are. */
record SamplesInMemory(List<Sample> samples, int groupSize, List<BatchInput> columns, int longest)
    implements Samples {

  static SamplesInMemory of(List<Sample> samples, int groupSize, List<BatchInput> columns) {
    if (samples.isEmpty() || samples.size() % groupSize != 0) {
      throw new ArgumentException(
          "%d samples are not groups of %d.".formatted(samples.size(), groupSize));
    }
    samples.forEach(sample -> require(sample, columns));
    int longest = samples.stream().mapToInt(sample -> sample.ids().length).max().orElseThrow();
    return new SamplesInMemory(List.copyOf(samples), groupSize, List.copyOf(columns), longest);
  }

  /**
   * @throws IllegalArgumentException if a sample has not what its columns declare
   */
  static void require(Sample sample, List<BatchInput> columns) {
    if (sample.ids().length < 2) {
      throw new ArgumentException(
          "A sample must have at least 2 ids, but has %d.".formatted(sample.ids().length));
    }
    for (BatchInput column : columns) {
      float[] values = sample.columns().get(column.name());
      int expected = values(column, sample.ids().length);
      if (values == null || values.length != expected) {
        throw new ArgumentException(
            "A sample of %d ids must have %d values of %s, %d for each %s, but has %s."
                .formatted(
                    sample.ids().length,
                    expected,
                    column.name(),
                    column.width(),
                    column.extent().name().toLowerCase(Locale.ROOT),
                    values == null ? "none" : values.length));
      }
    }
  }

  /** How many values a sample of so many ids has of a column. */
  static int values(BatchInput column, int ids) {
    return Math.toIntExact(count(column, 1, ids) * column.width());
  }

  /** How many values so many samples have of a column with one value, of so many ids together. */
  static long count(BatchInput column, long samples, long ids) {
    return column.extent() == Extent.TOKEN ? ids : samples;
  }

  private Sample at(long index) {
    return samples.get(Math.toIntExact(index));
  }

  @Override
  public long size() {
    return samples.size();
  }

  @Override
  public int length(long index) {
    return at(index).ids().length;
  }

  @Override
  public int read(long index, int[] ids, boolean[] targets) {
    Sample sample = at(index);
    int length = sample.ids().length;
    System.arraycopy(sample.ids(), 0, ids, 0, length);
    for (int i = 0; i < length; i++) {
      targets[i] = sample.targets().get(i);
    }
    return length;
  }

  @Override
  public void readColumn(long index, int column, float[] values) {
    float[] found = at(index).columns().get(columns.get(column).name());
    System.arraycopy(found, 0, values, 0, found.length);
  }
}
