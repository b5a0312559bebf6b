package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.minimind.artifact.ModelFolder;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.runtime.TinyModel;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StartWeightsTest {

  @TempDir Path folder;

  @Test
  void aRunStartsFromTheWeightsOfAModelUnlessTheyAreQuantized() throws IOException {
    List<NamedTensor> weights = new Parameters(TinyModel.CONFIG).start(7);
    ModelFolder.writeDecoder(folder, TinyModel.CONFIG, Precision.FLOAT32, weights);
    assertEquals(weights, ModelFolder.weights(folder, TinyModel.CONFIG));
    ModelFolder.writeDecoder(folder, TinyModel.CONFIG, Precision.INT8, weights);
    assertEquals(
        "The weights in "
            + folder.resolve(ModelFolder.WEIGHTS)
            + " are quantized, and cannot be trained: give the float32 model instead.",
        assertThrows(IOException.class, () -> ModelFolder.weights(folder, TinyModel.CONFIG))
            .getMessage());
  }
}
