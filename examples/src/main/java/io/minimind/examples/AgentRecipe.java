package io.minimind.examples;

import io.minimind.examples.Recipe.Phase;
import io.minimind.examples.tasks.ToolFiles.Amounts;
import io.minimind.model.ModelConfig;
import io.minimind.policy.RolloutSettings;
import io.minimind.train.TrainingSettings;
import java.util.List;

/**
 * How the second half of a course is trained.
 *
 * @param model the architecture; its vocabulary is what the tokenizer learns at most
 * @param tools of its world
 * @param amounts of what is drawn
 * @param answers to each question
 * @param beta how strongly the model is held to where it started
 * @param rewards how long and how fast it learns from them
 */
record AgentRecipe(
    ModelConfig model,
    List<String> tools,
    Amounts amounts,
    Phase pretraining,
    Phase fineTuning,
    RolloutSettings rollouts,
    int answers,
    double beta,
    TrainingSettings rewards) {

  /** Minutes on two cores. */
  static final AgentRecipe DEMO =
      new AgentRecipe(
          ModelConfig.of(96, 2, 3, 3, 500, 384),
          List.of("get_current_time"),
          new Amounts(9600, 1600, 0.5, 200, 40),
          new Phase(1, 16, 4e-3f, 30, 384),
          new Phase(3, 16, 2e-3f, 10, 384),
          new RolloutSettings(300, 64, 1, 0, 1, 1, 3),
          8,
          0.01,
          TrainingSettings.builder()
              .batchSize(4)
              .learningRate(7e-4f)
              .maxUpdates(40)
              .saveEvery(10)
              .keepCheckpoints(1)
              .build());
}
