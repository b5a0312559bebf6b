package io.minimind.train;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.BatchOrder;
import io.minimind.files.ArgumentException;

/**
 * How long and how fast a model learns.
 *
 * @param epochs passes over the data, at least 1
 * @param batchSize rows of a micro-batch, 1 to 1,048,576
 * @param replicas devices that the run began on, at least 1; an update is made of as many
 *     micro-batches however many devices go on with it
 * @param accumulationSteps micro-batches of each of these devices whose gradients make one update,
 *     at least 1
 * @param learningRate the highest rate, above 0
 * @param warmupSteps micro-batches of each device over which the rate rises to its highest, at
 *     least 0
 * @param schedule how the rate goes on from there
 * @param optimizer Adam's constants and the clipping norm
 * @param seed of the start weights, the order of the rows and the samples
 * @param maxUpdates updates after which training ends early, at least 1
 * @param validateEvery updates between two validations, at least 1
 * @param saveEvery updates between two checkpoints, at least 1
 * @param keepCheckpoints how many of the last checkpoints stay, at least 1; the best one stays too
 */
public record TrainingSettings(
    int epochs,
    int batchSize,
    int replicas,
    int accumulationSteps,
    float learningRate,
    int warmupSteps,
    LearningRateSchedule schedule,
    OptimizerSettings optimizer,
    long seed,
    long maxUpdates,
    int validateEvery,
    int saveEvery,
    int keepCheckpoints) {

  public TrainingSettings {
    requireAtLeast("number of epochs", 1, epochs);
    requireAtLeast("batch size", 1, batchSize);
    requireAtLeast("number of replicas", 1, replicas);
    if ((long) batchSize * replicas > BatchOrder.MAX_BATCH_SIZE) {
      throw new ArgumentException(
          "The batch size of all replicas together must be at most %d, but is %d."
              .formatted(BatchOrder.MAX_BATCH_SIZE, (long) batchSize * replicas));
    }
    requireAtLeast("number of accumulation steps", 1, accumulationSteps);
    if ((long) replicas * accumulationSteps > Integer.MAX_VALUE) {
      throw new ArgumentException(
          "An update can be made of %d micro-batches at most: lower the number of accumulation steps."
              .formatted(Integer.MAX_VALUE));
    }
    requireAtLeast("number of warm-up steps", 0, warmupSteps);
    requireAtLeast("number of updates", 1, maxUpdates);
    requireAtLeast("validation interval", 1, validateEvery);
    requireAtLeast("checkpoint interval", 1, saveEvery);
    requireAtLeast("number of checkpoints to keep", 1, keepCheckpoints);
    if (!(learningRate > 0) || Float.isInfinite(learningRate)) {
      throw new ArgumentException(
          "The learning rate must be a number above 0, but is " + learningRate + ".");
    }
  }

  /** The same, begun on another number of devices. */
  TrainingSettings withReplicas(int replicas) {
    return with(replicas, seed);
  }

  /** The same with other start weights and another order of rows. */
  public TrainingSettings withSeed(long seed) {
    return with(replicas, seed);
  }

  private TrainingSettings with(int replicas, long seed) {
    return new TrainingSettings(
        epochs,
        batchSize,
        replicas,
        accumulationSteps,
        learningRate,
        warmupSteps,
        schedule,
        optimizer,
        seed,
        maxUpdates,
        validateEvery,
        saveEvery,
        keepCheckpoints);
  }

  /** Settings that differ from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Micro-batches of an update; the last update of an epoch may have fewer. */
  public int window() {
    return replicas * accumulationSteps;
  }

  private static void requireAtLeast(String what, long least, long value) {
    if (value < least) {
      throw new ArgumentException(
          "The %s must be at least %d, but is %d.".formatted(what, least, value));
    }
  }

  /** Collects settings; each setter has its default. */
  public static final class Builder {
    private int epochs = 1;
    private int batchSize = 32;
    private int replicas = 1;
    private int accumulationSteps = 1;
    private float learningRate = 2e-4f;
    private int warmupSteps = 0;
    private LearningRateSchedule schedule = LearningRateSchedule.cosine();
    private OptimizerSettings optimizer = OptimizerSettings.DEFAULT.withMaxGradientNorm(1);
    private long seed = 1337;
    private long maxUpdates = Long.MAX_VALUE;
    private int validateEvery = 200;
    private int saveEvery = 200;
    private int keepCheckpoints = 2;

    private Builder() {}

    /** 1 unless given. */
    public Builder epochs(int epochs) {
      this.epochs = epochs;
      return this;
    }

    /** 32 unless given. */
    public Builder batchSize(int batchSize) {
      this.batchSize = batchSize;
      return this;
    }

    /** 1 unless given; a run sets it to the number of its devices. */
    public Builder replicas(int replicas) {
      this.replicas = replicas;
      return this;
    }

    /** 1 unless given. */
    public Builder accumulationSteps(int accumulationSteps) {
      this.accumulationSteps = accumulationSteps;
      return this;
    }

    /** 2e-4 unless given. */
    public Builder learningRate(float learningRate) {
      this.learningRate = learningRate;
      return this;
    }

    /** 0 unless given. */
    public Builder warmupSteps(int warmupSteps) {
      this.warmupSteps = warmupSteps;
      return this;
    }

    /** {@link LearningRateSchedule#cosine} unless given. */
    public Builder schedule(LearningRateSchedule schedule) {
      this.schedule = schedule;
      return this;
    }

    /** Adam with gradients clipped to a norm of 1 unless given. */
    public Builder optimizer(OptimizerSettings optimizer) {
      this.optimizer = optimizer;
      return this;
    }

    /** 1337 unless given. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** As many as the epochs have unless given. */
    public Builder maxUpdates(long maxUpdates) {
      this.maxUpdates = maxUpdates;
      return this;
    }

    /** 200 unless given. */
    public Builder validateEvery(int validateEvery) {
      this.validateEvery = validateEvery;
      return this;
    }

    /** 200 unless given. */
    public Builder saveEvery(int saveEvery) {
      this.saveEvery = saveEvery;
      return this;
    }

    /** 2 unless given. */
    public Builder keepCheckpoints(int keepCheckpoints) {
      this.keepCheckpoints = keepCheckpoints;
      return this;
    }

    /**
     * @throws IllegalArgumentException if one is out of its range
     */
    public TrainingSettings build() {
      return new TrainingSettings(
          epochs,
          batchSize,
          replicas,
          accumulationSteps,
          learningRate,
          warmupSteps,
          schedule,
          optimizer,
          seed,
          maxUpdates,
          validateEvery,
          saveEvery,
          keepCheckpoints);
    }
  }
}
