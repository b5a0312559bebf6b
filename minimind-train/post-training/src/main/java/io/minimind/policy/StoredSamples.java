package io.minimind.policy;

import io.minimind.artifact.BatchInput;
import io.minimind.data.Sample;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Samples with their columns as they are kept with a checkpoint. */
final class StoredSamples {

  private StoredSamples() {}

  /**
   * @param columns that each sample has
   */
  static void write(List<Sample> samples, List<BatchInput> columns, DataOutputStream out)
      throws IOException {
    out.writeInt(samples.size());
    for (Sample sample : samples) {
      out.writeInt(sample.ids().length);
      for (int i = 0; i < sample.ids().length; i++) {
        out.writeInt(sample.ids()[i]);
        out.writeBoolean(sample.targets().get(i));
      }
      for (BatchInput column : columns) {
        float[] values = sample.columns().get(column.name());
        out.writeInt(values.length);
        for (float value : values) {
          out.writeFloat(value);
        }
      }
    }
  }

  /**
   * @param columns those that were written
   */
  static List<Sample> read(List<BatchInput> columns, DataInputStream in) throws IOException {
    List<Sample> samples = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      int[] ids = new int[in.readInt()];
      BitSet targets = new BitSet();
      for (int i = 0; i < ids.length; i++) {
        ids[i] = in.readInt();
        targets.set(i, in.readBoolean());
      }
      Sample sample = new Sample(ids, targets);
      for (BatchInput column : columns) {
        float[] values = new float[in.readInt()];
        for (int i = 0; i < values.length; i++) {
          values[i] = in.readFloat();
        }
        sample = sample.with(column.name(), values);
      }
      samples.add(sample);
    }
    return samples;
  }
}
