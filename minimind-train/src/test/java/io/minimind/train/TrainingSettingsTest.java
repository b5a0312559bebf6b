package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TrainingSettingsTest {

  @Test
  void settingsOutOfRangeAreNamed() {
    assertRefused("number of epochs", "0", s -> s.epochs(0));
    assertRefused("batch size", "0", s -> s.batchSize(0));
    assertRefused("batch size", "1048577", s -> s.batchSize(1048577));
    assertRefused("accumulation steps", "0", s -> s.accumulationSteps(0));
    for (float rate : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertRefused("learning rate", Float.toString(rate), s -> s.learningRate(rate));
    }
    assertRefused("warm-up steps", "-1", s -> s.warmupSteps(-1));
    assertRefused("number of updates", "0", s -> s.maxUpdates(0));
    assertRefused("validation interval", "0", s -> s.validateEvery(0));
    assertRefused("checkpoint interval", "-5", s -> s.saveEvery(-5));
    assertRefused("checkpoints to keep", "0", s -> s.keepCheckpoints(0));
  }

  private static void assertRefused(
      String what, String value, Consumer<TrainingSettings.Builder> change) {
    TrainingSettings.Builder builder = TrainingSettings.builder();
    change.accept(builder);
    String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
    assertTrue(message.contains(what), message);
    assertTrue(message.endsWith(" but is " + value + "."), message);
  }

  @Test
  void aWindowHasTheMicroBatchesOfAllDevices() {
    TrainingSettings settings =
        TrainingSettings.builder().accumulationSteps(3).build().withReplicas(2);
    assertEquals(6, settings.window());
    assertEquals(settings, settings.withReplicas(2));
  }
}
