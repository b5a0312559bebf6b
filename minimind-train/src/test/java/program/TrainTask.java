package program;

import io.minimind.data.Rows;
import io.minimind.model.ModelConfig;
import io.minimind.task.Task;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Path;

/** Trains on a task that no library knows, or goes on with the run in its folder. */
public final class TrainTask {

  /** A tiny model that learns rows of a file for 24 updates, with a checkpoint after each. */
  public static RunBuilder run(Task task, Path rows, Path tokenizer, Path out) {
    return TrainingRun.builder()
        .task(task)
        .tokenizer(tokenizer)
        .model(ModelConfig.of(32, 1, 2, 1, 300, 32))
        .rows(Rows.of(rows))
        .settings(
            s ->
                s.epochs(2)
                    .batchSize(3)
                    .accumulationSteps(2)
                    .learningRate(2e-3f)
                    .maxUpdates(24)
                    .saveEvery(1)
                    .keepCheckpoints(100))
        .threads(1)
        .folder(out);
  }

  public static Task named(String name) {
    return name.equals("weighted") ? new WeightedTexts(3, 2) : new HardestTexts(9);
  }

  public static void main(String[] args) throws IOException {
    Path rows = Path.of(args[1]);
    try (TrainingRun run = run(named(args[0]), rows, Path.of(args[2]), Path.of(args[3])).open()) {
      run.train();
    }
  }
}
