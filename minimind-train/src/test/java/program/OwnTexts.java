package program;

import io.minimind.data.Batch;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.LiveModel;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * Of several texts that the model writes, the best one is what it learns next. The draws follow
 * from the place and the weights, so there is nothing to keep.
 *
 * @param folder with the model's configuration and tokenizer
 * @param rewards gets the mean reward of the texts of each batch
 */
public record OwnTexts(
    ModelConfig config,
    Path folder,
    int[] prompt,
    ToDoubleFunction<int[]> reward,
    List<Double> rewards)
    implements BatchSource {

  private static final int TEXTS = 8;
  private static final GenerationOptions DRAWN =
      GenerationOptions.defaults().withTemperature(1).withMaxNewTokens(20);

  @Override
  public long batches() {
    return 1000;
  }

  @Override
  public Batches open(Place from, ModelInTraining model) {
    LoadOptions options = LoadOptions.defaults().withThreads(1).withBatchSize(TEXTS);
    return new Written(from, LiveModel.open(model, config, Optional.empty(), folder, options));
  }

  private final class Written implements Batches {
    private final LiveModel live;
    private long number;

    private Written(Place from, LiveModel live) {
      this.live = live;
      number = from.epoch() * batches() + from.batch();
    }

    @Override
    public Batch next() throws IOException {
      long seed = TEXTS * number++;
      List<int[]> texts = new ArrayList<>();
      for (Generation text :
          live.model()
              .generateAll(Collections.nCopies(TEXTS, prompt), i -> DRAWN.withSeed(seed + i))) {
        texts.add(text.tokenIds());
      }
      rewards.add(texts.stream().mapToDouble(reward).average().orElseThrow());
      return learnt(Collections.max(texts, Comparator.comparingDouble(reward)));
    }

    private Batch learnt(int[] text) {
      int length = prompt.length + text.length - 1;
      long[] ids = new long[length];
      long[] labels = new long[length];
      float[] mask = new float[length];
      for (int i = 0; i < length; i++) {
        ids[i] = i < prompt.length ? prompt[i] : text[i - prompt.length];
        labels[i] = i + 1 < prompt.length ? prompt[i + 1] : text[i + 1 - prompt.length];
      }
      Arrays.fill(mask, prompt.length - 1, length, 1);
      return Batch.of(1, length, ids, labels, mask);
    }

    @Override
    public void close() {
      live.close();
    }
  }
}
