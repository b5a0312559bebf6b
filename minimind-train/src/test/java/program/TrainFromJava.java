package program;

import io.minimind.data.Rows;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.task.Pretraining;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Path;

/** Trains, validates, goes on where it was stopped, exports, and lets the model write. */
public final class TrainFromJava {

  private TrainFromJava() {}

  /** A folder with a tokenizer and a corpus; what the model writes in the end. */
  public static String train(Path in, Path out) throws IOException {
    try (TrainingRun run =
        TrainingRun.builder()
            .task(new Pretraining())
            .tokenizer(in)
            .model(ModelConfig.Preset.TINY, 32)
            .rows(Rows.of(in.resolve("corpus.csv")))
            .validation(0.1)
            .settings(s -> s.epochs(2).batchSize(4).learningRate(2e-3f).saveEvery(2))
            .folder(out.resolve("run"))
            .open()) {
      run.train();
      run.export(out.resolve("model"), Precision.INT8);
    }
    LanguageModel model = LanguageModel.load(out.resolve("model"));
    return model.generate("once", GenerationOptions.greedy()).text();
  }

  public static void main(String[] args) throws IOException {
    System.out.println(train(Path.of(args[0]), Path.of(args[1])));
  }
}
