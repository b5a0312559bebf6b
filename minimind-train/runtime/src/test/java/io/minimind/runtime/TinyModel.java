package io.minimind.runtime;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/** A model that trains in milliseconds, its files, and data for it. */
public final class TinyModel {

  public static final ModelConfig CONFIG = ModelConfig.of(32, 1, 2, 1, 260, 32);

  private TinyModel() {}

  /** Writes artifacts and start weights of a configuration. */
  public static ModelInTraining.Files write(
      Path folder, ModelConfig config, OptimizerSettings optimizer) throws IOException {
    return write(folder, config, new TrainingArtifacts(config), optimizer);
  }

  /** Writes artifacts and start weights. */
  public static ModelInTraining.Files write(
      Path folder, ModelConfig config, TrainingArtifacts artifacts, OptimizerSettings optimizer)
      throws IOException {
    return ModelInTraining.builder(artifacts)
        .weights(new Parameters(config).start(7))
        .optimizer(optimizer)
        .folder(folder)
        .write();
  }

  /** The same artifacts with another checkpoint. */
  public static ModelInTraining.Files at(ModelInTraining.Files files, Path checkpoint) {
    return new ModelInTraining.Files(checkpoint, files.artifacts(), files.metrics());
  }

  /** Rows of random ids, all of them targets. */
  public static Batch batch(long seed, int rows, int length) {
    Random random = new Random(seed);
    long[] ids = random.longs((long) rows * length, 1, CONFIG.vocabularySize()).toArray();
    long[] labels = random.longs((long) rows * length, 1, CONFIG.vocabularySize()).toArray();
    float[] mask = new float[rows * length];
    Arrays.fill(mask, 1);
    return Batch.of(rows, length, ids, labels, mask);
  }

  /** Samples of 2 to 20 ids; all ids but the first are targets. */
  public static Samples samples(long seed, int count) {
    Random random = new Random(seed);
    int[][] rows = new int[count][];
    for (int i = 0; i < count; i++) {
      rows[i] = random.ints(2 + random.nextInt(19), 1, CONFIG.vocabularySize()).toArray();
    }
    return new Rows(rows);
  }

  private record Rows(int[][] rows) implements Samples {
    @Override
    public long size() {
      return rows.length;
    }

    @Override
    public int length(long index) {
      return rows[(int) index].length;
    }

    @Override
    public int longest() {
      return 20;
    }

    @Override
    public int read(long index, int[] ids, boolean[] targets) {
      int length = length(index);
      System.arraycopy(rows[(int) index], 0, ids, 0, length);
      Arrays.fill(targets, 0, length, true);
      return length;
    }
  }

  /** What happens to the ids of a sample that is read. */
  @FunctionalInterface
  public interface Damage {
    void to(int[] ids) throws IOException;
  }

  /** Samples of which one is damaged. */
  public static Samples damaged(Samples whole, long damaged, Damage damage) {
    return new Samples() {
      @Override
      public long size() {
        return whole.size();
      }

      @Override
      public int length(long index) {
        return whole.length(index);
      }

      @Override
      public int longest() {
        return whole.longest();
      }

      @Override
      public int read(long index, int[] ids, boolean[] targets) throws IOException {
        int length = whole.read(index, ids, targets);
        if (index == damaged) {
          damage.to(ids);
        }
        return length;
      }
    };
  }
}
