package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * One of the views that {@link Samples#split} gives: the groups {@code first} to {@code first +
 * groups} of an order.
 */
record Split(Samples all, Permutation order, long first, long groups) implements Samples {

  static List<Samples> of(Samples samples, double fraction, long seed) {
    if (!(fraction > 0 && fraction < 1)) {
      throw new ArgumentException(
          "The validation fraction is " + fraction + ": it must lie between 0 and 1.");
    }
    long size = samples.groups();
    if (size < 2) {
      throw new ArgumentException(
          "One row cannot be split into training and validation: give more rows or a validation"
              + " file.");
    }
    long held = Math.min(size - 1, Math.max(1, Math.round(size * fraction)));
    Permutation order = Permutation.of(size, seed);
    return List.of(
        new Split(samples, order, held, size - held), new Split(samples, order, 0, held));
  }

  @Override
  public long size() {
    return groups * all.groupSize();
  }

  @Override
  public int groupSize() {
    return all.groupSize();
  }

  @Override
  public List<BatchInput> columns() {
    return all.columns();
  }

  @Override
  public void readColumn(long index, int column, float[] values) throws IOException {
    all.readColumn(at(index), column, values);
  }

  @Override
  public int length(long index) {
    return all.length(at(index));
  }

  @Override
  public int longest() {
    return all.longest();
  }

  @Override
  public int read(long index, int[] ids, boolean[] targets) throws IOException {
    return all.read(at(index), ids, targets);
  }

  private long at(long index) {
    int group = all.groupSize();
    return order.at(first + Objects.checkIndex(index, size()) / group) * group + index % group;
  }
}
