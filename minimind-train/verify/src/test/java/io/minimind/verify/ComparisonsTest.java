package io.minimind.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Conversation;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What counts as a difference from a reference, where rounding is all that there is. */
class ComparisonsTest {

  @TempDir Path folder;

  /** Beside a parameter whose gradient is 1. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, true",
    "0, 5e-8, true",
    "7e-9, -7e-9, true",
    "0, 2e-7, false",
    "1e-3, 1.0005e-3, true",
    "1e-3, 1.002e-3, false",
    "1e-4, 1.002e-4, false",
    "0, NaN, false",
  })
  void gradients(float expected, float found, boolean same) throws IOException {
    List<Parameter> two = new Parameters(ModelConfig.of(32, 1, 2, 1, 40, 16)).all().subList(0, 2);
    Path file = folder.resolve("step0.safetensors");
    SafetensorsFile.write(
        file, List.of(filled(two.get(0), 1), filled(two.get(1), expected)), Map.of());
    Map<String, FloatBuffer> outputs =
        Map.of(
            two.get(0).name() + TrainingArtifacts.GRADIENT, filled(two.get(0), 1).floats(),
            two.get(1).name() + TrainingArtifacts.GRADIENT, filled(two.get(1), found).floats());
    Case compared =
        new FirstStep(outputs)
            .gradients("one", two, SafetensorsFile.open(file), TensorNames.TRANSFORMERS, "");
    assertEquals(same, ((Case.Compared) compared).ok(), compared.toString());
  }

  private static NamedTensor filled(Parameter parameter, float value) {
    float[] values = new float[Math.toIntExact(parameter.shape().elements().extent())];
    Arrays.fill(values, value);
    return NamedTensor.ofFloats(
        TensorNames.TRANSFORMERS.of(parameter), values, parameter.shape().extents());
  }

  /** With a limit of 1e-3. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, true",
    "0, 1e-8, true",
    "0, 1e-6, false",
    "0.1, 0.10005, true",
    "0.1, 0.1002, false",
    "5, 5.0005, true",
    "5, 5.002, false",
    "100, 100.005, true",
    "100, 100.02, false",
    "100, NaN, false",
  })
  void normsOfGradients(double expected, double found, boolean same) {
    Worst worst = new Worst();
    worst.add("here", Worst.ofNorm(expected, found));
    assertEquals(same, ((Case.Compared) worst.against("norm", 1e-3)).ok());
  }

  private static boolean writesEmptyThinking(String messages) throws IOException {
    return HeadTextCases.writesEmptyThinking(
        Conversation.whole(new ObjectMapper().readTree(messages), "its message"));
  }

  @Test
  void emptyThoughtsThatSomebodyWrote() throws IOException {
    String thought = "<think>\\n\\n</think>\\n\\n";
    String said = "[{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\"%s}]";
    assertFalse(writesEmptyThinking(said.formatted(", \"content\": \"" + thought + "b\"")));
    assertTrue(writesEmptyThinking(said.formatted(", \"content\": \"b" + thought + "\"")));
    assertTrue(
        writesEmptyThinking(
            said.formatted(", \"content\": \"" + thought + "b\", \"reasoning_content\": \"c\"")));
    assertTrue(
        writesEmptyThinking("[{\"role\": \"user\", \"content\": \"%s\"}]".formatted(thought)));
  }
}
