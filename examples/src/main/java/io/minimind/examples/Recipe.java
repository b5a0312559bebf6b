package io.minimind.examples;

import io.minimind.model.ModelConfig;
import io.minimind.train.TrainingSettings;

/**
 * How a whole course is trained: one model through all stages.
 *
 * @param seed of the start weights and the order of the rows
 * @param precision of the matrix products
 * @param model the architecture; its vocabulary is what the tokenizer learns at most
 * @param preferences of direct preference optimization
 */
record Recipe(
    String name,
    long seed,
    ChosenPrecision precision,
    ModelConfig model,
    Phase pretraining,
    Phase singleTurn,
    Phase severalTurns,
    Phase preferences) {

  /**
   * How long and how fast a stage learns.
   *
   * @param maxLength tokens to which rows are cut, at most those of the model
   */
  record Phase(int epochs, int batchSize, float learningRate, int warmupSteps, int maxLength) {

    /** In updates. */
    private static final int VALIDATE_EVERY = 400;

    private static final int SAVE_EVERY = 100;

    TrainingSettings settings() {
      return TrainingSettings.builder()
          .epochs(epochs)
          .batchSize(batchSize)
          .learningRate(learningRate)
          .warmupSteps(warmupSteps)
          .validateEvery(VALIDATE_EVERY)
          .saveEvery(SAVE_EVERY)
          .keepCheckpoints(1)
          .build();
    }
  }

  /** That of the commands of single stages. */
  static final long SEED = 1337;

  /** Minutes on two cores. */
  static final Recipe DEMO =
      new Recipe(
          "demo",
          SEED,
          ChosenPrecision.FLOAT32,
          ModelConfig.of(128, 4, 4, 2, 2048, 128),
          new Phase(8, 16, 2e-3f, 50, 128),
          new Phase(3, 32, 2e-3f, 20, 128),
          new Phase(2, 32, 1e-3f, 10, 128),
          new Phase(1, 16, 5e-5f, 0, 128));

  /** The model that the project publishes. */
  static final Recipe PUBLISHED =
      new Recipe(
          "published",
          SEED,
          ChosenPrecision.FLOAT32,
          ModelConfig.of(192, 5, 6, 3, 2048, 256),
          new Phase(10, 16, 1.5e-3f, 80, 256),
          new Phase(4, 32, 1.5e-3f, 40, 256),
          new Phase(3, 32, 7e-4f, 20, 256),
          new Phase(1, 16, 5e-5f, 0, 256));

  /** The same model, trained as long and as fast. */
  Recipe with(long seed, ChosenPrecision precision) {
    return new Recipe(
        name, seed, precision, model, pretraining, singleTurn, severalTurns, preferences);
  }

  /** The architecture with as many tokens as the tokenizer has. */
  ModelConfig model(int vocabularySize) {
    return model.toBuilder().vocabularySize(vocabularySize).build();
  }
}
