package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.minimind.train.TrainingState.LossScale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LossScaleTest {

  @Test
  void doublesAfterTwoThousandGoodUpdates() {
    LossScale scale = LossScale.START;
    for (int i = 0; i < 1999; i++) {
      scale = scale.kept();
      assertEquals(65536, scale.factor());
    }
    assertEquals(new LossScale(131072, 0), scale.kept());
  }

  @Test
  void anOverflowHalvesItAndTheCountBeginsAgain() {
    LossScale scale = new LossScale(65536, 1999).lowered();
    assertEquals(new LossScale(32768, 0), scale);
    assertEquals(new LossScale(32768, 1), scale.kept());
  }

  @Test
  void itEndsAtOne() {
    LossScale scale = LossScale.START;
    for (int i = 0; i < 16; i++) {
      assertEquals(true, scale.canBeLower());
      scale = scale.lowered();
    }
    assertEquals(new LossScale(1, 0), scale);
    assertFalse(scale.canBeLower());
    assertEquals(scale, scale.lowered());
  }

  @ParameterizedTest
  @ValueSource(floats = {0, -2, 0.5f, 3, 65535, Float.NaN, Float.POSITIVE_INFINITY})
  void otherFactorsAreRefused(float factor) {
    assertThrows(IllegalArgumentException.class, () -> new LossScale(factor, 0));
  }
}
