package io.minimind.train;

import io.minimind.model.ModelConfig;
import java.util.Locale;
import java.util.Optional;

/**
 * What a run is made of, kept in {@code settings.json} so that it can be resumed without being told
 * again.
 *
 * @param data the corpus file
 * @param validationData a corpus file to validate on
 * @param validationFraction the share of the rows that is held out where there is no such file; 0
 *     for none
 * @param samples rows that the run learns from, to notice when the data has changed
 */
public record RunSettings(
    ModelConfig model,
    TrainingSettings training,
    String data,
    Optional<String> validationData,
    double validationFraction,
    long samples) {

  /** With Adam's two moments a checkpoint of more would exceed the runtime's 2 GB. */
  private static final long MOST_PARAMETERS = Integer.MAX_VALUE / (3 * Float.BYTES);

  /**
   * @throws IllegalArgumentException if the model is too large to be saved
   */
  public RunSettings {
    if (model.parameterCount() > MOST_PARAMETERS) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A model of %,d parameters cannot be trained: checkpoints hold at most %,d.",
              model.parameterCount(),
              MOST_PARAMETERS));
    }
  }

  public RunSettings withSamples(long samples) {
    return new RunSettings(model, training, data, validationData, validationFraction, samples);
  }
}
