package io.minimind.data;

/** A row for each sample; those that belong together are a group. */
record SamplesAlone(Samples samples) implements RowGroups {

  @Override
  public long count() {
    return samples.groups();
  }

  @Override
  public int rowsOfEach() {
    return samples.groupSize();
  }

  @Override
  public int longest() {
    return samples.longest() - 1;
  }

  @Override
  public long[][] rows(long group) {
    long[][] rows = new long[rowsOfEach()][1];
    for (int i = 0; i < rows.length; i++) {
      rows[i][0] = group * rows.length + i;
    }
    return rows;
  }
}
