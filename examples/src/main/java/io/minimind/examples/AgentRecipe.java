package io.minimind.examples;

import io.minimind.examples.Recipe.Phase;
import io.minimind.examples.tasks.ToolFiles.Amounts;
import io.minimind.model.ModelConfig;
import io.minimind.policy.RolloutSettings;
import io.minimind.train.TrainingSettings;

/**
 * How the second half of a course is trained.
 *
 * @param model the architecture; its vocabulary is what the tokenizer learns at most
 * @param amounts of what is drawn
 * @param answers to each question
 * @param rewards how long and how fast it learns from them
 */
record AgentRecipe(
    ModelConfig model,
    Amounts amounts,
    Phase pretraining,
    Phase fineTuning,
    RolloutSettings rollouts,
    int answers,
    TrainingSettings rewards) {

  /** Minutes on two cores. */
  static final AgentRecipe DEMO =
      new AgentRecipe(
          ModelConfig.of(128, 4, 4, 2, 1000, 384),
          new Amounts(4000, 800, 0.5, 400, 50),
          new Phase(2, 16, 3e-3f, 30, 384),
          new Phase(4, 8, 2e-3f, 10, 384),
          new RolloutSettings(300, 64, 1, 0, 1, 1, 3),
          8,
          TrainingSettings.builder()
              .batchSize(4)
              .learningRate(1e-3f)
              .seed(Phase.SEED)
              .saveEvery(10)
              .keepCheckpoints(1)
              .build());
}
