package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.train.RunBuilder;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Pretraining: a model learns to continue texts. */
@Command(
    name = "pretrain",
    description = {
      "Trains a model from nothing on a corpus, or goes on with a run that was interrupted.",
      "Everything it makes lies in the folder given by --out, which is also the model."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind pretrain --data corpus.csv --tokenizer tokenizer --preset tiny --epochs 3"
    })
public final class Pretrain extends TrainingCommand {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description =
          "Corpus: a CSV file with a column 'text', JSON lines with a field 'text', or a .txt file"
              + " with a text in each line.")
  private Path data;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      order = 2,
      description = "Folder of the tokenizer.")
  private Path tokenizer;

  @Mixin private ModelOptions modelOptions;

  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      order = 30,
      description = "Longer texts are cut.")
  private int maxLength = 512;

  Pretrain() {
    super(Path.of("out", "pretrain"), new TrainingOptions(2e-4f));
  }

  public static void main(String[] args) {
    MiniMind.run(new Pretrain(), args);
  }

  @Override
  Path data() {
    return data;
  }

  @Override
  void begin(RunBuilder run) throws IOException {
    if (data == null || tokenizer == null) {
      throw new ArgumentException("A new run needs --data and --tokenizer (an old one --resume).");
    }
    int vocabularySize = Tokenizer.load(tokenizer).vocabularySize();
    run.task(new Pretraining())
        .tokenizer(tokenizer)
        .model(modelOptions.config(vocabularySize, maxLength));
  }

  @Override
  String advice(String model) {
    return "Let it write: ./minimind eval pretrain --model " + model;
  }
}
