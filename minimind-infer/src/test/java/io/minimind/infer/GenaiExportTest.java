package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.artifact.ModelFolder;
import io.minimind.interchange.ModelExport;
import io.minimind.interchange.ModelExport.Format;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A decoder for onnxruntime-genai, fed as that program feeds one: a prompt with a mask of ones,
 * then a token a step with a longer mask, and keys and values that either grow with each step or
 * lie in one buffer as long as the context.
 */
class GenaiExportTest {

  private static final int[] PROMPT = {72, 3, 200, 72, 9, 41, 41, 130};
  private static final int STEPS = 12;
  private static final int CONTEXT = 64;
  private static final OrtEnvironment ENVIRONMENT = RuntimeEnvironment.get();

  @TempDir Path folder;

  static Stream<Arguments> models() {
    ModelConfig first = ModelConfig.of(64, 2, 4, 2, 256, CONTEXT);
    ModelConfig third = ModelConfig.minimind3(64, 2, 4, 2, 256, CONTEXT);
    ModelConfig narrow = ModelConfig.of(48, 2, 4, 2, 256, CONTEXT); // heads of 12 numbers
    ModelConfig mixture = third.toBuilder().experts(Experts.minimind3(4)).build();
    return Stream.of(
        Arguments.of("first", first, Precision.FLOAT32),
        Arguments.of("third, int8", third, Precision.INT8),
        Arguments.of("narrow heads, int4", narrow, Precision.INT4),
        Arguments.of("mixture", mixture, Precision.FLOAT32));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void stepsGiveWhatTheDecoderGives(String name, ModelConfig config, Precision precision)
      throws Exception {
    Path model = write(config, precision);
    int[] expected = greedy(model);
    Path exported = export(model);
    try (OrtSession session = session(exported)) {
      assertArrayEquals(expected, generate(session, config, true), "one buffer");
      assertArrayEquals(expected, generate(session, config, false), "growing");
    }
  }

  @Test
  void rowsOfAPromptAreFilledUpBehind() throws Exception {
    ModelConfig config = ModelConfig.minimind3(64, 2, 4, 2, 256, CONTEXT);
    Path model = write(config, Precision.FLOAT32);
    int[] other = Arrays.copyOf(PROMPT, 5);
    float[] expected = new float[2 * config.vocabularySize()];
    try (Decoder decoder = Decoder.load(model, 1)) {
      System.arraycopy(decoder.nextTokenLogits(PROMPT), 0, expected, 0, 256);
      System.arraycopy(decoder.nextTokenLogits(other), 0, expected, 256, 256);
    }
    long[] ids = new long[2 * PROMPT.length];
    long[] mask = new long[ids.length];
    for (int i = 0; i < PROMPT.length; i++) {
      ids[i] = PROMPT[i];
      mask[i] = 1;
      ids[PROMPT.length + i] = i < other.length ? other[i] : 0;
      mask[PROMPT.length + i] = i < other.length ? 1 : 0;
    }
    Map<String, OnnxTensor> inputs = past(config, 2, 0);
    long[] shape = {2, PROMPT.length};
    inputs.put("input_ids", OnnxTensor.createTensor(ENVIRONMENT, LongBuffer.wrap(ids), shape));
    inputs.put(
        "attention_mask", OnnxTensor.createTensor(ENVIRONMENT, LongBuffer.wrap(mask), shape));
    try (OrtSession session = session(export(model));
        OrtSession.Result result = session.run(inputs)) {
      OnnxTensor logits = (OnnxTensor) result.get("logits").orElseThrow();
      assertArrayEquals(new long[] {2, 1, 256}, logits.getInfo().getShape());
      float[] found = new float[expected.length];
      logits.getFloatBuffer().get(found);
      assertArrayEquals(expected, found, 1e-5f);
    }
  }

  @Test
  void theConfigurationSaysWhatTheProgramAsksFor() throws IOException {
    ModelConfig config = ModelConfig.of(48, 2, 4, 2, 256, CONTEXT);
    Path model = write(config, Precision.FLOAT32);
    Files.writeString(
        model.resolve(ModelFolder.GENERATION_CONFIG),
        "{\"bos_token_id\": 1, \"eos_token_id\": [2, 5]}");
    Path exported = export(model);
    JsonNode json = new ObjectMapper().readTree(exported.resolve("genai_config.json").toFile());
    JsonNode described = json.path("model");
    assertEquals(256, described.path("vocab_size").asInt());
    assertEquals(CONTEXT, described.path("context_length").asInt());
    assertEquals(1, described.path("bos_token_id").asInt());
    assertEquals(5, described.path("eos_token_id").path(1).asInt());
    assertEquals(2, described.path("pad_token_id").asInt());
    JsonNode decoder = described.path("decoder");
    assertEquals(16, decoder.path("head_size").asInt(), "that of the buffers, not 12");
    assertEquals(2, decoder.path("num_key_value_heads").asInt());
    assertEquals(2, decoder.path("num_hidden_layers").asInt());
    for (String file : List.of(decoder.path("filename").asText(), "tokenizer.json")) {
      assertTrue(Files.exists(exported.resolve(file)), file);
    }
    assertTrue(json.path("search").path("past_present_share_buffer").asBoolean());
    assertEquals(
        -1,
        Files.mismatch(model.resolve(ModelFolder.WEIGHTS), exported.resolve(ModelFolder.WEIGHTS)),
        "the weights are the same");
  }

  private static int[] greedy(Path model) throws IOException {
    List<Integer> ids = new ArrayList<>();
    try (Decoder decoder = Decoder.load(model, 1)) {
      decoder.generate(PROMPT, GenerationOptions.greedy().withMaxNewTokens(STEPS), ids::add);
    }
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * @param shared whether past and present are one buffer as long as the context
   */
  private static int[] generate(OrtSession session, ModelConfig config, boolean shared)
      throws OrtException {
    int[] ids = new int[STEPS];
    int[] next = PROMPT;
    int length = 0;
    Map<String, OnnxTensor> past = past(config, 1, shared ? CONTEXT : 0);
    for (int step = 0; step < STEPS; step++) {
      length += next.length;
      Map<String, OnnxTensor> inputs = new HashMap<>(past);
      inputs.put("input_ids", row(Arrays.stream(next).asLongStream().toArray()));
      long[] ones = new long[length];
      Arrays.fill(ones, 1);
      inputs.put("attention_mask", row(ones));
      Map<String, OnnxTensor> pinned = new HashMap<>();
      Set<String> wanted = session.getOutputNames();
      if (shared) {
        past.forEach((name, tensor) -> pinned.put(present(name), tensor));
        wanted = Set.of("logits");
      }
      OrtSession.Result result = session.run(inputs, wanted, pinned);
      FloatBuffer logits = ((OnnxTensor) result.get("logits").orElseThrow()).getFloatBuffer();
      int best = 0;
      for (int id = 1; id < logits.limit(); id++) {
        best = logits.get(id) > logits.get(best) ? id : best;
      }
      ids[step] = best;
      next = new int[] {best};
      if (!shared) {
        past.replaceAll((name, tensor) -> (OnnxTensor) result.get(present(name)).orElseThrow());
      }
    }
    return ids;
  }

  private static String present(String past) {
    return past.replace("past_key_values", "present");
  }

  private static OnnxTensor row(long[] values) throws OrtException {
    return OnnxTensor.createTensor(
        ENVIRONMENT, LongBuffer.wrap(values), new long[] {1, values.length});
  }

  private static Map<String, OnnxTensor> past(ModelConfig config, int rows, int capacity)
      throws OrtException {
    Map<String, OnnxTensor> past = new HashMap<>();
    long[] shape = {rows, config.keyValueHeads(), capacity, config.cachedHeadSize()};
    int elements = rows * config.keyValueHeads() * capacity * config.cachedHeadSize();
    for (int layer = 0; layer < config.layers(); layer++) {
      for (String part : List.of("key", "value")) {
        FloatBuffer buffer =
            ByteBuffer.allocateDirect(elements * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        past.put(
            "past_key_values.%d.%s".formatted(layer, part),
            OnnxTensor.createTensor(ENVIRONMENT, buffer, shape));
      }
    }
    return past;
  }

  private static OrtSession session(Path exported) throws OrtException {
    return ENVIRONMENT.createSession(exported.resolve(ModelFolder.DECODER).toString());
  }

  private Path export(Path model) throws IOException {
    Path exported = folder.resolve("genai");
    ModelExport.write(model, Format.GENAI, exported);
    return exported;
  }

  private Path write(ModelConfig config, Precision precision) throws IOException {
    Path model = Files.createDirectories(folder.resolve("model"));
    Files.writeString(model.resolve("tokenizer.json"), ExportedModel.byteTokenizer());
    ModelFolder.writeConfiguration(model, config, precision, model);
    ModelFolder.writeDecoder(model, config, precision, new Parameters(config).start(3));
    return model;
  }
}
