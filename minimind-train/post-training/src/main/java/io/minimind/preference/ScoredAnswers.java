package io.minimind.preference;

import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Pairs of answers, each of which counts where it ends and nowhere else. */
record ScoredAnswers(SampleEncoder pairs) implements SampleEncoder {

  @Override
  public List<List<String>> columns() {
    return pairs.columns();
  }

  @Override
  public int groupSize() {
    return pairs.groupSize();
  }

  @Override
  public int vocabularySize() {
    return pairs.vocabularySize();
  }

  @Override
  public String description() {
    return "scored " + pairs.description();
  }

  @Override
  public List<Sample> encode(Row row) {
    return pairs.encode(row).stream().map(sample -> scored(sample.ids())).toList();
  }

  /** The last token is read, so one more follows it, which stands for nothing. */
  static Sample scored(int[] ids) {
    int[] followed = Arrays.copyOf(ids, ids.length + 1);
    followed[ids.length] = ids[ids.length - 1];
    BitSet end = new BitSet();
    end.set(ids.length);
    return new Sample(followed, end);
  }
}
