package program;

import io.minimind.data.Batch;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** Pretraining on the texts that the model knew least when it last saw them. */
public record HardestTexts(int candidates) implements Task {

  @Override
  public String name() {
    return "hardest-texts";
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return PretrainingEncoder.load(tokenizer, model.maxLength());
  }

  @Override
  public BatchSource batches(Samples samples, Batching batching) {
    return new Source(samples, batching, candidates);
  }

  private record Source(Samples samples, Batching batching, int candidates) implements BatchSource {
    @Override
    public long batches() {
      return samples.size() / batching.batchSize();
    }

    @Override
    public Batches open(Place from, ModelInTraining model) {
      float[] losses = new float[(int) samples.size()];
      Arrays.fill(losses, Float.POSITIVE_INFINITY); // None was seen.
      if (from.state().length > 0) {
        ByteBuffer.wrap(from.state()).asFloatBuffer().get(losses);
      }
      return new Hardest(from.epoch(), from.batch(), model, losses);
    }

    /** What it goes on from are the losses: the draws follow from where it is. */
    private final class Hardest implements Batches {
      private final int epoch;
      private final ModelInTraining model;
      private final float[] losses;
      private long batch;

      private Hardest(int epoch, long batch, ModelInTraining model, float[] losses) {
        this.epoch = epoch;
        this.batch = batch;
        this.model = model;
        this.losses = losses;
      }

      @Override
      public Batch next() throws IOException {
        Random random = new Random(batching.seed() + 31L * epoch + 7919 * batch++);
        List<Long> drawn =
            random.longs(0, samples.size()).distinct().limit(candidates).boxed().toList();
        long[] hardest =
            drawn.stream()
                .sorted((a, b) -> Float.compare(losses[b.intValue()], losses[a.intValue()]))
                .mapToLong(sample -> sample)
                .limit(batching.batchSize())
                .toArray();
        for (long sample : hardest) {
          try (Batch alone = Batch.of(samples, sample)) {
            losses[(int) sample] = model.evaluate(List.of(alone)).get(0).loss();
          }
        }
        return Batch.of(samples, LongStream.of(hardest).sorted().toArray());
      }

      @Override
      public byte[] state() {
        ByteBuffer state = ByteBuffer.allocate(losses.length * Float.BYTES);
        state.asFloatBuffer().put(losses);
        return state.array();
      }

      @Override
      public void close() {}
    }
  }
}
