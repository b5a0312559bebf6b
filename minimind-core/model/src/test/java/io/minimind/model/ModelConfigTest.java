package io.minimind.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.graph.Tensor;
import io.minimind.model.ModelConfig.Preset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ModelConfigTest {

  private static final String VALID = Preset.TINY.config(6400, 512).toJson();

  /** The bits of floats, which count upwards as their values do. */
  private static final int ONE = 0x3f800000;

  private static final int LARGEST_FLOAT = 0x7f7fffff;

  @TempDir Path folder;

  @Test
  void presetsHaveThePublishedNumbersOfParameters() {
    assertEquals(26_878_464, Preset.SMALL.config(6400, 512).parameterCount());
    assertEquals(108_749_568, Preset.BASE.config(6400, 512).parameterCount());
    assertEquals(96_100_864, Preset.MOE.config(6400, 512).parameterCount());
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void theParameterCountIsThatOfTheGraph(Preset preset) {
    ModelConfig config = preset.config(6400, 32);
    List<Tensor> parameters = new TrainingArtifacts(config).parameters();
    assertEquals(
        config.parameterCount(),
        parameters.stream().mapToLong(p -> p.shape().elements().extent()).sum());
  }

  /**
   * Two operations for each weight of a product or each pair of positions, thrice with backward.
   */
  @ParameterizedTest
  @EnumSource(Preset.class)
  void operationsAreThoseOfTheProducts(Preset preset) {
    int length = 512;
    ModelConfig config = preset.config(6400, length);
    double products =
        new TrainingArtifacts(config)
            .parameters().stream()
                .filter(parameter -> parameter.shape().rank() == 2)
                // Whichever two experts of four a token meets.
                .filter(parameter -> !parameter.name().matches(".*\\.experts\\.[23]\\..*"))
                .mapToDouble(parameter -> 2.0 * parameter.shape().elements().extent())
                .sum();
    double attention = 0;
    for (int position = 1; position <= length; position++) {
      attention += 2 * 2.0 * config.headSize() * position * config.heads() * config.layers();
    }
    double expected = 3 * (products + attention / length);
    assertEquals(expected, config.operationsPerPosition(length), 2e-3 * expected);
  }

  @Property(tries = 50)
  void jsonHoldsEveryField(
      @ForAll @IntRange(min = 1, max = 6) int heads,
      @ForAll @IntRange(min = 1, max = 6) int group,
      @ForAll @IntRange(min = 1, max = 6) int size,
      @ForAll @IntRange(min = 1) int layers,
      @ForAll @IntRange(min = 1) int inner,
      @ForAll @IntRange(min = 1) int vocabulary,
      @ForAll @IntRange(min = 1) int length,
      @ForAll @IntRange(min = 1, max = LARGEST_FLOAT) int epsilon,
      @ForAll @IntRange(min = ONE + 1, max = LARGEST_FLOAT) int theta,
      @ForAll @IntRange(max = 5) int experts,
      @ForAll @IntRange(max = 3) int fewer,
      @ForAll @IntRange(max = 1) int shared,
      @ForAll @DoubleRange(max = 2) double balance)
      throws IOException {
    int width = 2 * size * heads * group;
    ModelConfig config =
        new ModelConfig(
            width,
            layers,
            heads * group,
            heads,
            inner,
            vocabulary,
            length,
            Float.intBitsToFloat(epsilon),
            Float.intBitsToFloat(theta),
            experts == 0
                ? Experts.NONE
                : new Experts(experts, Math.max(1, experts - fewer), shared, balance));
    Path file = Files.createTempFile("config", ".json");
    try {
      Files.writeString(file, config.toJson());
      assertEquals(config, ModelConfig.read(file));
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void aModelWithoutExpertsDoesNotSpeakOfThem() {
    assertEquals(9, VALID.lines().filter(line -> line.contains(":")).count(), VALID);
  }

  @Test
  void fieldsOfOtherProgramsAreIgnored() throws IOException {
    assertEquals(
        Preset.TINY.config(6400, 512),
        ModelConfig.read(write(VALID.replaceFirst("\\{", "{ \"model_type\": [\"llama\"],"))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hidden_size | 0 | hidden_size must be at least 1, but is 0.",
        "num_hidden_layers | -2 | num_hidden_layers must be at least 1, but is -2.",
        "num_attention_heads | 0 | num_attention_heads must be at least 1, but is 0.",
        "num_key_value_heads | 0 | num_key_value_heads must be at least 1, but is 0.",
        "intermediate_size | 0 | intermediate_size must be at least 1, but is 0.",
        "vocab_size | 0 | vocab_size must be at least 1, but is 0.",
        "max_position_embeddings | 0 | max_position_embeddings must be at least 1, but is 0.",
        "num_key_value_heads | 3 | num_attention_heads must be a multiple of"
            + " num_key_value_heads, but is 4 for 3.",
        "hidden_size | 132 | hidden_size must be a multiple of twice num_attention_heads, but is"
            + " 132 for 4 heads.",
        "hidden_size | 130 | hidden_size must be a multiple of twice num_attention_heads, but is"
            + " 130 for 4 heads.",
        "rms_norm_eps | 0 | rms_norm_eps must be above 0 and rope_theta above 1, but they are 0.0"
            + " and 10000.0.",
        "rope_theta | 1 | rms_norm_eps must be above 0 and rope_theta above 1, but they are 1.0E-5"
            + " and 1.0.",
        "rope_theta | null | rms_norm_eps must be above 0 and rope_theta above 1, but they are"
            + " 1.0E-5 and 0.0."
      })
  void anInvalidValueIsNamed(String field, String value, String sentence) throws IOException {
    Path file = write(VALID.replaceFirst("(\"" + field + "\" : )[^,\n]+", "$1" + value));
    assertEquals(file + " is not a valid model configuration: " + sentence, failure(file));
  }

  @Test
  void aMissingFieldIsNamed() throws IOException {
    Path file = write(VALID.replaceFirst("\"vocab_size\" : [^,]+,", ""));
    assertSays(file, file + " is not a valid model configuration", "'vocab_size'");
  }

  @Test
  void aFieldOfTheWrongKindIsNamed() throws IOException {
    Path file = write(VALID.replaceFirst("(\"vocab_size\" : )[^,]+", "$1\"many\""));
    assertSays(file, file + " is not a valid model configuration", "vocab_size: ", "\"many\"");
  }

  @Test
  void brokenJsonIsLocated() throws IOException {
    Path file = write("{\n  \"hidden_size\" : 128,\n  oops\n}");
    assertSays(file, file + " is not a valid model configuration: ", "'o'", " at line 3, ");
    Files.writeString(file, "{\"x\": " + "[".repeat(5000));
    assertSays(file, file + " is not a valid model configuration: Document nesting depth");
  }

  @Test
  void anEmptyFileIsNoConfiguration() throws IOException {
    Path file = write("");
    assertSays(file, file + " is not a valid model configuration: ");
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = folder.resolve("config.json");
    assertEquals("There is no model configuration at " + file + ".", failure(file));
  }

  private Path write(String json) throws IOException {
    return Files.writeString(folder.resolve("config.json"), json);
  }

  private static void assertSays(Path file, String... parts) {
    String message = failure(file);
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertTrue(message.endsWith("."), message);
  }

  private static String failure(Path file) {
    return assertThrows(IOException.class, () -> ModelConfig.read(file)).getMessage();
  }
}
