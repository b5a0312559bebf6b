package io.minimind.policy;

import io.minimind.data.Rows;
import io.minimind.model.ModelConfig;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainingListener;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** A tiny model that has read of herons, and what tests look at in runs that go on from it. */
final class HeronRuns {

  private HeronRuns() {}

  /**
   * Trains the model.
   *
   * @param texts that it learns from
   * @return the folder of the model
   */
  static Path start(Path folder, int texts) throws IOException {
    List<String> herons =
        IntStream.range(0, texts).mapToObj("there were %d herons in the reeds"::formatted).toList();
    Path tokenizer = folder.resolve("tokenizer");
    ByteLevelBpeTrainer.ofSize(300).train(herons.iterator()).save(tokenizer);
    Path corpus =
        Files.writeString(folder.resolve("corpus.csv"), "text\n" + String.join("\n", herons));
    Path start = folder.resolve("start");
    try (TrainingRun run =
        TrainingRun.builder()
            .task(new Pretraining())
            .tokenizer(tokenizer)
            .model(ModelConfig.of(32, 1, 2, 1, 300, 32))
            .rows(Rows.of(corpus))
            .settings(s -> s.epochs(4).batchSize(4).learningRate(5e-3f))
            .threads(1)
            .folder(start)
            .open()) {
      run.train();
    }
    return start;
  }

  /**
   * @param metrics those of each update are added
   */
  static void train(
      RunBuilder builder, BooleanSupplier interrupted, List<Map<String, Double>> metrics)
      throws IOException {
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void updated(Update update) {
            metrics.add(update.metrics());
          }
        };
    try (TrainingRun run = builder.listener(listener).open()) {
      run.train(interrupted);
    }
  }

  static double mean(List<Map<String, Double>> metrics, String name) {
    return metrics.stream().mapToDouble(metric -> metric.get(name)).average().orElseThrow();
  }

  static byte[] weights(Path run) throws IOException {
    return Files.readAllBytes(run.resolve("model.safetensors"));
  }
}
