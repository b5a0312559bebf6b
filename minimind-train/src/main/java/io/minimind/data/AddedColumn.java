package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Samples with one more column that was computed beforehand, one value a sample.
 *
 * @param column a value a row
 * @param values one for each sample, in their order
 */
public record AddedColumn(Samples all, BatchInput column, FloatBuffer values) implements Samples {

  /**
   * @throws IllegalArgumentException if there is not one value for each sample
   */
  public AddedColumn {
    if (values.limit() != all.size() * column.width()) {
      throw new ArgumentException(
          "There are %d values of %s for %d samples."
              .formatted(values.limit(), column.name(), all.size()));
    }
  }

  @Override
  public List<BatchInput> columns() {
    List<BatchInput> columns = new ArrayList<>(all.columns());
    columns.add(column);
    return columns;
  }

  @Override
  public void readColumn(long index, int number, float[] values) throws IOException {
    if (number < all.columns().size()) {
      all.readColumn(index, number, values);
    } else {
      this.values.get(Math.toIntExact(index) * column.width(), values, 0, column.width());
    }
  }

  @Override
  public long size() {
    return all.size();
  }

  @Override
  public int groupSize() {
    return all.groupSize();
  }

  @Override
  public int length(long index) {
    return all.length(index);
  }

  @Override
  public int longest() {
    return all.longest();
  }

  @Override
  public int read(long index, int[] ids, boolean[] targets) throws IOException {
    return all.read(index, ids, targets);
  }
}
