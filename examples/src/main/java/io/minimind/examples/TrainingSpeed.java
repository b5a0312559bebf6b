package io.minimind.examples;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.data.Batch;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.ModelInTraining;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** Counts what training steps take. */
final class TrainingSpeed {

  /** Steps in which the runtime lays out its memory. */
  private static final int WARM_UP = 2;

  private final ModelInTraining model;
  private final ModelConfig config;
  private final OptionalDouble peak;
  private final List<Double> each = new ArrayList<>();
  private final List<Double> averagings = new ArrayList<>();
  private int steps = -WARM_UP;
  private long tokens;
  private double operations;
  private double seconds;
  private double averagingBefore;

  /**
   * @param peak floating point operations that all its devices together can do in a second
   */
  TrainingSpeed(ModelInTraining model, ModelConfig config, OptionalDouble peak) {
    this.model = model;
    this.config = config;
    this.peak = peak;
  }

  /** Supplies the batches of a measurement. */
  @FunctionalInterface
  interface Batches {
    Batch next() throws IOException;
  }

  /** Trains a model on one device with a batch at a time. */
  void steps(int count, Batches batches) throws IOException {
    boolean done = false;
    while (!done) {
      try (Batch batch = batches.next()) {
        done = step(List.of(batch), count);
      }
    }
  }

  /**
   * Trains on batches, one for each replica. The first two steps do not count.
   *
   * @return whether this one was the last of so many that count
   */
  boolean step(List<Batch> batches, int last) {
    if (steps == 0) {
      averagingBefore = model.averagingSeconds();
    }
    double before = model.averagingSeconds();
    long start = System.nanoTime();
    model.resetGradients();
    model.lastTrainStep(batches, 1, OptimizerSettings.DEFAULT.maxGradientNorm());
    model.optimizerStep(1e-4f);
    if (steps >= 0) {
      each.add((System.nanoTime() - start) / 1e9);
      averagings.add(model.averagingSeconds() - before);
      seconds += each.get(each.size() - 1);
      for (Batch batch : batches) {
        tokens += batch.targets();
        double positions = (double) batch.rows() * batch.length();
        operations += positions * config.operationsPerPosition(batch.length());
      }
    }
    return ++steps == last;
  }

  /** Unmasked tokens in a second. */
  double tokensPerSecond() {
    return tokens / seconds;
  }

  /** What half of the steps took at most. */
  double medianSeconds() {
    return median(each);
  }

  /** What half of the averagings of gradients took at most. */
  double medianAveragingSeconds() {
    return median(averagings);
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  /** The share of the time that the averaging of gradients took. */
  double averagingShare() {
    return averagingSeconds() / seconds;
  }

  /** The time that it took. */
  double averagingSeconds() {
    return model.averagingSeconds() - averagingBefore;
  }

  @Override
  public String toString() {
    String speed =
        String.format(
            Locale.ROOT,
            "%7.0f unmasked tokens/s, %5.0f ms a step, median %.0f ms",
            tokensPerSecond(),
            1e3 * seconds / steps,
            1e3 * medianSeconds());
    return peak.isEmpty()
        ? speed
        : speed
            + String.format(
                Locale.ROOT,
                ", %.0f %% of the peak",
                100 * operations / seconds / peak.getAsDouble());
  }
}
