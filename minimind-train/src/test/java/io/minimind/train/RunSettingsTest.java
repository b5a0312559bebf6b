package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Checkpoints end at 2 GB: what is trained is in them three times, what is frozen once. */
class RunSettingsTest {

  private static final int LAYERS = 16;

  /** Three times its parameters are more than 2 GB, once is not. */
  private static final ModelConfig LARGE = ModelConfig.of(1024, LAYERS, 16, 8, 6400, 512);

  private static final ModelConfig TOO_LARGE = ModelConfig.of(2048, LAYERS, 16, 8, 6400, 512);
  private static final Optional<LowRankAdapters> LORA =
      Optional.of(new LowRankAdapters(8, 16, List.of("wq", "wv")));

  private static RunSettings settings(ModelConfig model, Optional<LowRankAdapters> lora) {
    TrainingSettings training =
        new TrainingSettings(1, 1, 1, 1, 1, 0, OptimizerSettings.DEFAULT, 1, 1, 1, 1, 1);
    return new RunSettings(
        new Stage.Pretraining(),
        model,
        lora,
        TrainingPrecision.FLOAT32,
        training,
        "data",
        Optional.empty(),
        0,
        1,
        List.of());
  }

  @Test
  void adaptersOfAModelThatIsTooLargeToTrainCanBeTrained() {
    assertEquals(
        LAYERS * 8 * (1024 + 1024 + 1024 + 512), settings(LARGE, LORA).trainedParameters());
    assertRefused("178,956,970", LARGE, Optional.empty());
    assertRefused("536,870,911", TOO_LARGE, LORA);
  }

  private static void assertRefused(
      String limit, ModelConfig model, Optional<LowRankAdapters> lora) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> settings(model, lora));
    assertTrue(e.getMessage().contains(limit), e.getMessage());
  }
}
