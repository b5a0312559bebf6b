package io.minimind.examples;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.train.LearningRateSchedule;
import io.minimind.train.TrainingSettings;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** The options of every training stage. */
final class TrainingOptions {

  static final String SEED_DESCRIPTION =
      "Of start weights and row order; equal seeds train equal models.";

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data.", order = 31)
  private int epochs = 1;

  @Option(
      names = "--batch-size",
      paramLabel = "ROWS",
      description = "Rows of a micro-batch, of each device.",
      order = 32)
  private int batchSize = 32;

  @Option(
      names = "--accumulation",
      paramLabel = "N",
      description = "Micro-batches of each device whose gradients make one update.",
      order = 33)
  private int accumulation = 1;

  @Option(names = "--learning-rate", paramLabel = "RATE", description = "Highest rate.", order = 34)
  private float learningRate;

  @Option(
      names = "--warmup",
      paramLabel = "STEPS",
      description = "Micro-batches of each device over which the rate rises.",
      order = 35)
  private int warmup;

  /** How the learning rate goes on after the warm-up. */
  enum Schedule {
    COSINE(LearningRateSchedule.cosine()),
    LINEAR(LearningRateSchedule.linear(0.1)),
    CONSTANT(LearningRateSchedule.constant()),
    WARMUP_STABLE_DECAY(LearningRateSchedule.warmupStableDecay(0.2, 0.1));

    private final LearningRateSchedule schedule;

    Schedule(LearningRateSchedule schedule) {
      this.schedule = schedule;
    }

    @Override
    public String toString() {
      return schedule.name();
    }
  }

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      description = {
        "How the rate goes on from there: ${COMPLETION-CANDIDATES}. Cosine and linear fall to a"
            + " tenth; warmup-stable-decay does so in the last fifth alone."
      },
      order = 35)
  private Schedule schedule = Schedule.COSINE;

  @Option(
      names = "--weight-decay",
      paramLabel = "W",
      description = "0 is Adam, more is AdamW.",
      order = 36)
  private float weightDecay;

  @Option(
      names = "--clip",
      paramLabel = "NORM",
      description = "Largest norm of the gradients of an update.",
      order = 37)
  private float clip = 1;

  @Option(
      names = "--max-updates",
      paramLabel = "N",
      showDefaultValue = Visibility.NEVER,
      description = "Ends training early, after so many updates.",
      order = 38)
  private long maxUpdates = Long.MAX_VALUE;

  @Option(names = "--seed", paramLabel = "N", description = SEED_DESCRIPTION, order = 39)
  private long seed = 1337;

  @Option(
      names = "--validate-every",
      paramLabel = "UPDATES",
      description = "Updates between two validations.",
      order = 40)
  private int validateEvery = 200;

  @Option(
      names = "--save-every",
      paramLabel = "UPDATES",
      description = "Updates between two checkpoints.",
      order = 41)
  private int saveEvery = 200;

  @Option(
      names = "--keep",
      paramLabel = "N",
      description = "Last checkpoints to keep, besides the best.",
      order = 42)
  private int keep = 2;

  /**
   * @param learningRate the default, which differs from stage to stage
   */
  TrainingOptions(float learningRate) {
    this.learningRate = learningRate;
  }

  /** With defaults of a stage that needs few updates of few rows. */
  TrainingOptions(float learningRate, int epochs, int batchSize) {
    this(learningRate);
    this.epochs = epochs;
    this.batchSize = batchSize;
  }

  TrainingSettings settings() {
    return TrainingSettings.builder()
        .epochs(epochs)
        .batchSize(batchSize)
        .accumulationSteps(accumulation)
        .learningRate(learningRate)
        .warmupSteps(warmup)
        .schedule(schedule.schedule)
        .optimizer(OptimizerSettings.DEFAULT.withWeightDecay(weightDecay).withMaxGradientNorm(clip))
        .seed(seed)
        .maxUpdates(maxUpdates)
        .validateEvery(validateEvery)
        .saveEvery(saveEvery)
        .keepCheckpoints(keep)
        .build();
  }
}
