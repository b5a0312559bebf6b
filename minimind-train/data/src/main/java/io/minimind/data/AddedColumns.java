package io.minimind.data;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** Samples with more columns, of {@link Samples#with}. */
record AddedColumns(Samples all, List<BatchInput> added, ColumnValues values) implements Samples {

  static AddedColumns of(Samples all, BatchInput column, FloatBuffer values) {
    int width = column.width();
    if (column.extent() != Extent.ROW || values.limit() != all.size() * width) {
      throw new ArgumentException(
          "There are %d values of %s for %d samples."
              .formatted(values.limit(), column.name(), all.size()));
    }
    return new AddedColumns(
        all,
        List.of(column),
        (index, unused, into) -> values.get(Math.toIntExact(index) * width, into, 0, width));
  }

  @Override
  public List<BatchInput> columns() {
    List<BatchInput> columns = new ArrayList<>(all.columns());
    columns.addAll(added);
    return columns;
  }

  @Override
  public void readColumn(long index, int column, float[] into) throws IOException {
    int own = all.columns().size();
    if (column < own) {
      all.readColumn(index, column, into);
    } else {
      values.read(index, column - own, into);
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
