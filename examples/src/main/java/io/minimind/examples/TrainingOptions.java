package io.minimind.examples;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.train.TrainingSettings;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** The options of every training stage. */
final class TrainingOptions {

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data.")
  private int epochs = 1;

  @Option(names = "--batch-size", paramLabel = "ROWS", description = "Rows of a micro-batch.")
  private int batchSize = 32;

  @Option(
      names = "--accumulation",
      paramLabel = "N",
      description = "Micro-batches whose gradients make one update.")
  private int accumulation = 1;

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      description = "Highest rate; it falls to a tenth on a cosine.")
  private float learningRate = 2e-4f;

  @Option(
      names = "--warmup",
      paramLabel = "STEPS",
      description = "Micro-batches over which the rate rises.")
  private int warmup;

  @Option(names = "--weight-decay", paramLabel = "W", description = "0 is Adam, more is AdamW.")
  private float weightDecay;

  @Option(
      names = "--clip",
      paramLabel = "NORM",
      description = "Largest norm of the gradients of an update.")
  private float clip = 1;

  @Option(
      names = "--max-updates",
      paramLabel = "N",
      showDefaultValue = Visibility.NEVER,
      description = "Ends training early, after so many updates.")
  private long maxUpdates = Long.MAX_VALUE;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of start weights and row order; equal seeds train equal models.")
  private long seed = 1337;

  @Option(
      names = "--validate-every",
      paramLabel = "UPDATES",
      description = "Updates between two validations.")
  private int validateEvery = 200;

  @Option(
      names = "--save-every",
      paramLabel = "UPDATES",
      description = "Updates between two checkpoints.")
  private int saveEvery = 200;

  @Option(
      names = "--keep",
      paramLabel = "N",
      description = "Last checkpoints to keep, besides the best.")
  private int keep = 2;

  TrainingSettings settings() {
    return new TrainingSettings(
        epochs,
        batchSize,
        accumulation,
        learningRate,
        warmup,
        OptimizerSettings.DEFAULT.withWeightDecay(weightDecay).withMaxGradientNorm(clip),
        seed,
        maxUpdates,
        validateEvery,
        saveEvery,
        keep);
  }
}
