package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.model.ModelConfig;
import io.minimind.task.Task;
import io.minimind.train.RunBuilder;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the stages have in common that start from a model: all but pretraining. */
abstract class Tune extends TrainingCommand {

  @Option(
      names = "--from",
      paramLabel = "DIR",
      order = 2,
      description = "Folder of the model to start from, such as the --out of an earlier stage.")
  private Path from;

  @Mixin private LoraOptions lora;

  /**
   * @param out default of --out
   * @param trainingOptions with the stage's defaults
   */
  Tune(Path out, TrainingOptions trainingOptions) {
    super(out, trainingOptions);
  }

  /**
   * What a new run does, according to the other options.
   *
   * @param from folder of the model to start from
   * @param model its configuration
   * @throws IllegalArgumentException if an option is out of its range
   */
  abstract Task task(Path from, ModelConfig model) throws IOException;

  @Override
  final void begin(RunBuilder run) throws IOException {
    if (data() == null || from == null) {
      throw new ArgumentException("A new run needs --data and --from (an old one --resume).");
    }
    ModelConfig model = startModel(from);
    lora.addTo(run, from);
    run.from(from).task(task(from, model));
  }
}
