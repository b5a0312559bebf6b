package io.minimind.model;

import static io.minimind.graph.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.operator.Operators;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.Experts.Balance;
import io.minimind.model.Experts.Balance.Scope;
import io.minimind.model.ModelConfig.Part;
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
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {

  private static final String VALID = Preset.TINY.config(6400, 512).toJson();

  /** The bits of floats, which count upwards as their values do. */
  private static final int ONE = 0x3f800000;

  private static final int LARGEST_FLOAT = 0x7f7fffff;

  private static final List<RotaryScaling> SCALINGS =
      List.of(
          RotaryScaling.NONE,
          new RotaryScaling.Linear(2.5),
          new RotaryScaling.Llama3(8, 1, 4, 8192),
          new RotaryScaling.Yarn(16, 2048, 32, 1, 1.25));

  @TempDir Path folder;

  @Test
  void presetsHaveThePublishedNumbersOfParameters() {
    assertEquals(26_878_464, Preset.SMALL.config(6400, 512).parameterCount());
    assertEquals(108_749_568, Preset.BASE.config(6400, 512).parameterCount());
    assertEquals(96_100_864, Preset.MOE.config(6400, 512).parameterCount());
    assertEquals(63_912_192, Preset.MINIMIND3.config(6400, 512).parameterCount());
    assertEquals(198_416_640, Preset.MINIMIND3_MOE.config(6400, 512).parameterCount());
  }

  @ParameterizedTest
  @EnumSource(Preset.class)
  void theParametersAreThoseOfTheGraph(Preset preset) {
    ModelConfig config = preset.config(6400, 32);
    List<Parameter> parameters = new Parameters(config).all();
    assertEquals(
        config.parameterCount(),
        parameters.stream().mapToLong(p -> p.shape().elements().extent()).sum());
    Operators op = new Operators(new Graph("logits"));
    new Transformer(op, config).logits(op.graph().input("ids", INT64, Shape.of(1, 1)));
    assertEquals(
        parameters.stream().map(p -> p.name() + p.shape()).toList(),
        op.graph().parameters().stream().map(p -> p.name() + p.shape()).toList());
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
        new Parameters(config)
            .all().stream()
                .filter(parameter -> parameter.shape().rank() == 2)
                // Whichever of the experts a token meets.
                .filter(parameter -> parameter.expert() < Math.max(1, config.experts().perToken()))
                .mapToDouble(parameter -> 2.0 * parameter.shape().elements().extent())
                .sum();
    double attention = 0;
    for (int position = 1; position <= length; position++) {
      attention += 2 * 2.0 * config.headSize() * position * config.heads() * config.layers();
    }
    double expected = 3 * (products + attention / length);
    assertEquals(expected, config.operationsPerPosition(length), 2e-3 * expected);
  }

  @Property(tries = 200)
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
      @ForAll @DoubleRange(max = 2) double balance,
      @ForAll @IntRange(max = 100_000) int choices)
      throws IOException {
    Rotary rotary =
        new Rotary(
            RotaryLayout.values()[choices % 2],
            Float.intBitsToFloat(theta),
            SCALINGS.get(choices % SCALINGS.size()),
            choices % 3 == 0 ? List.of() : List.of(0, choices % Math.min(layers, 7)));
    ModelConfig.Builder builder =
        ModelConfig.builder()
            .hiddenSize(2 * size * heads * group)
            .layers(Math.min(layers, choices % 3 == 0 ? layers : 7))
            .heads(heads * group)
            .keyValueHeads(heads)
            .headSize(choices % 5 == 0 ? 0 : 2 * (choices % 5))
            .feedForwardSize(inner)
            .vocabularySize(vocabulary)
            .maxLength(length)
            .normEpsilon(Float.intBitsToFloat(epsilon))
            .rotary(rotary)
            .initializerRange(choices % 7 / 100.0);
    for (Part part : Part.values()) {
      if ((choices >> part.ordinal()) % 2 == 1 && part != Part.FEED_FORWARD_BIAS) {
        builder.part(part);
      }
    }
    if (experts == 0) {
      builder.part(Part.FEED_FORWARD_BIAS);
    } else {
      Scope scope = Scope.values()[choices / 2 % 2];
      boolean renormalised = choices / 4 % 2 == 0;
      int perToken = Math.max(1, experts - fewer);
      builder.experts(
          new Experts(experts, perToken, shared, renormalised, new Balance(balance, scope)));
    }
    ModelConfig config = builder.build();
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

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"transformers_version\": \"4.57.6\"",
        "\"torch_dtype\": \"bfloat16\"",
        "\"eos_token_id\": [1, 2]",
        "\"use_cache\": true",
        "\"hidden_act\": \"silu\"",
        "\"attention_dropout\": 0.0",
        "\"sliding_window\": null",
        "\"use_sliding_window\": false",
        "\"rope_scaling\": null",
        "\"attention_bias\": false",
        "\"tie_word_embeddings\": true",
        "\"head_dim\": 32",
        "\"quantization_config\": {\"quant_method\": \"minimind_blocks\", \"bits\": 8,"
            + " \"group_size\": 32}"
      })
  void fieldsThatChangeNothingArePassedOver(String field) throws IOException {
    assertEquals(
        Preset.TINY.config(6400, 512),
        ModelConfig.read(write(VALID.replaceFirst("\\{", "{" + field + ","))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"model_type\": \"llama\" | model_type is \"llama\"",
        "\"sliding_window\": 4096 | sliding_window is 4096",
        "\"hidden_act\": \"gelu\" | hidden_act is \"gelu\"",
        "\"logits_scaling\": 8.0 | logits_scaling is 8.0",
        "\"partial_rotary_factor\": 0.5 | partial_rotary_factor is 0.5",
        "\"whatever\": {\"a\": 1} | whatever is {\"a\":1}",
        "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0,"
            + " \"original_max_position_embeddings\": 64, \"mscale\": 2.0}"
            + " | rope_scaling.mscale is 2.0",
        "\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4}"
            + " | quantization_config.bits is 4"
      })
  void aFieldThatIsNotUnderstoodIsRefusedByName(String field, String sentence) throws IOException {
    Path file = write(VALID.replaceFirst("\\{", "{" + field + ","));
    String what = ": that is not understood here and may change what the model computes.";
    assertEquals(file + " is not a valid model configuration: " + sentence + what, failure(file));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"rope_scaling\": {\"rope_type\": \"longrope\"} | rope_scaling.rope_type: it must be"
            + " default, linear, llama3 or yarn, but is \"longrope\".",
        "\"rope_scaling\": {\"type\": \"linear\"} | The field 'rope_scaling.factor' is missing.",
        "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5} | The factor of rope_scaling"
            + " must be at least 1, but is 0.5.",
        "\"rope_scaling\": 2 | rope_scaling: it must be an object, but is 2.",
        "\"no_rope_layers\": [1, 0] | no_rope_layers: it must be a list of 0 or 1 for each layer,"
            + " but is [1,0].",
        "\"head_dim\": 7 | head_dim must be even and at least 2, but is 7.",
        "\"use_qk_norm\": 1 | use_qk_norm: it must be true or false, but is 1.",
        "\"mlp_bias\": true, \"n_routed_experts\": 2, \"num_experts_per_tok\": 1 | mlp_bias is not"
            + " for a mixture of experts."
      })
  void aFieldWithAValueThatItCannotHaveIsNamed(String field, String sentence) throws IOException {
    Path file = write(VALID.replaceFirst("\\{", "{" + field + ","));
    assertEquals(file + " is not a valid model configuration: " + sentence, failure(file));
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
    assertSays(file, file + " is not a valid model configuration: it is nested more than");
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
