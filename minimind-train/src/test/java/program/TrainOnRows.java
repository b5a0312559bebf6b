package program;

import io.minimind.data.Rows;
import io.minimind.model.ModelConfig;
import io.minimind.task.Pretraining;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Trains on a list of texts, or on a table. */
public final class TrainOnRows {

  private TrainOnRows() {}

  /** A run whose settings are always the same. */
  public static RunBuilder run(Rows rows, Path tokenizer, Path folder) {
    return TrainingRun.builder()
        .task(new Pretraining())
        .tokenizer(tokenizer)
        .model(ModelConfig.of(32, 1, 2, 1, 300, 32))
        .rows(rows)
        .validation(0.1)
        .settings(s -> s.epochs(12).batchSize(4).learningRate(2e-3f).saveEvery(2).validateEvery(5))
        .threads(1)
        .folder(folder);
  }

  /** A file of texts or the URL of a database; the folder of the tokenizer; that of the run. */
  public static void main(String[] args) throws IOException {
    Rows rows =
        args[0].startsWith("jdbc:")
            ? new TableRows(args[0])
            : new ListRows(Files.readAllLines(Path.of(args[0])));
    try (TrainingRun run = run(rows, Path.of(args[1]), Path.of(args[2])).open()) {
      run.train();
    }
  }
}
