package io.minimind.data;

import java.io.IOException;
import java.util.Arrays;

/** Samples of given lengths whose ids and targets follow from their number. */
record FakeSamples(int groupSize, int[] lengths) implements Samples {

  /** Samples each of which is a group of its own. */
  FakeSamples(int... lengths) {
    this(1, lengths);
  }

  static int id(long sample, int position) {
    return (int) (1 + sample * 31 + position);
  }

  static boolean target(long sample, int position) {
    return (sample + position) % 3 != 0;
  }

  @Override
  public long size() {
    return lengths.length;
  }

  @Override
  public int length(long index) {
    return lengths[(int) index];
  }

  @Override
  public int longest() {
    return Arrays.stream(lengths).max().orElseThrow();
  }

  @Override
  public int read(long index, int[] ids, boolean[] targets) throws IOException {
    for (int i = 0; i < length(index); i++) {
      ids[i] = id(index, i);
      targets[i] = target(index, i);
    }
    return length(index);
  }
}
