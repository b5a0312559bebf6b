package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.StoredAdapter;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.interchange.AdapterImport;
import io.minimind.interchange.ModelExport;
import io.minimind.interchange.ModelExport.Format;
import io.minimind.interchange.ModelImport;
import io.minimind.interchange.WeightFiles;
import io.minimind.model.Experts;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.model.Rotary;
import io.minimind.model.RotaryScaling;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is written for other programs and read again computes the same. */
class InterchangeTest {

  private static final int[] PROMPT = {72, 3, 200, 72, 9, 41, 41, 130};

  @TempDir Path folder;

  static Stream<Arguments> models() {
    ModelConfig first = ModelConfig.of(64, 2, 4, 2, 256, 64);
    ModelConfig third = ModelConfig.minimind3(64, 2, 4, 2, 256, 64);
    ModelConfig wide = third.toBuilder().headSize(32).build();
    ModelConfig.Builder llama =
        ModelConfig.builder()
            .hiddenSize(64)
            .layers(2)
            .heads(4)
            .keyValueHeads(2)
            .feedForwardSize(96)
            .vocabularySize(256)
            .maxLength(64)
            .rotary(Rotary.of(RotaryLayout.HALVES, 5e5f));
    Rotary scaled = Rotary.of(RotaryLayout.HALVES, 5e5f);
    return Stream.of(
        Arguments.of("first", first, List.of(Format.TRANSFORMERS, Format.GGUF, Format.PTH)),
        Arguments.of(
            "first mixture",
            first.toBuilder().experts(Experts.of(4)).build(),
            List.of(Format.TRANSFORMERS, Format.GGUF, Format.PTH)),
        Arguments.of("third", third, List.of(Format.TRANSFORMERS, Format.GGUF, Format.PTH)),
        Arguments.of("wide heads", wide, List.of(Format.TRANSFORMERS, Format.GGUF, Format.PTH)),
        Arguments.of(
            "third mixture",
            third.toBuilder().experts(Experts.minimind3(4)).build(),
            List.of(Format.TRANSFORMERS, Format.GGUF, Format.PTH)),
        Arguments.of(
            "query biases",
            llama.part(Part.QUERY_KEY_VALUE_BIAS).build(),
            List.of(Format.TRANSFORMERS, Format.GGUF)),
        Arguments.of(
            "all biases and a head",
            llama.part(Part.OUTPUT_BIAS).part(Part.FEED_FORWARD_BIAS).part(Part.OWN_HEAD).build(),
            List.of(Format.TRANSFORMERS, Format.GGUF)),
        Arguments.of(
            "yarn",
            third.toBuilder()
                .rotary(
                    Rotary.of(RotaryLayout.HALVES, 1e4f)
                        .with(new RotaryScaling.Yarn(4, 16, 32, 1, 1)))
                .build(),
            List.of(Format.TRANSFORMERS, Format.GGUF)),
        Arguments.of(
            "llama 3",
            first.toBuilder().rotary(scaled.with(new RotaryScaling.Llama3(8, 1, 4, 16))).build(),
            List.of(Format.TRANSFORMERS, Format.GGUF)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void whatComesBackComputesTheSame(String name, ModelConfig config, List<Format> formats)
      throws IOException {
    Path model = write(config, Precision.FLOAT32);
    float[] expected = logits(model);
    for (Format format : formats) {
      Path other = folder.resolve(format == Format.PTH ? "model.pth" : format.toString());
      ModelExport.write(model, format, other);
      Path back = folder.resolve("back-" + format);
      ModelImport again =
          ModelImport.from(format == Format.GGUF ? other.resolve("model.gguf") : other)
              .tokenizer(model);
      if (format == Format.PTH) {
        known(again, config);
      }
      assertEquals(config.maxLength(), again.to(back).config().maxLength());
      assertArrayEquals(expected, logits(back), 1e-5f, name + " by " + format);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void aStateDictionaryComesBackAsItWas(String name, ModelConfig config, List<Format> formats)
      throws IOException {
    Assumptions.assumeTrue(formats.contains(Format.PTH), "no version of MiniMind is like this");
    Path model = write(config, Precision.FLOAT32);
    ModelExport.write(model, Format.PTH, folder.resolve("first.pth"));
    ModelImport again = ModelImport.from(folder.resolve("first.pth")).tokenizer(model);
    known(again, config).to(folder.resolve("again"));
    ModelExport.write(folder.resolve("again"), Format.PTH, folder.resolve("second.pth"));
    assertEquals(-1, Files.mismatch(folder.resolve("first.pth"), folder.resolve("second.pth")));
  }

  /** Each of these loads elsewhere as something else, or not at all. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "head_dim | 0 | head_dim: it must be at least 1",
        "num_key_value_heads | 0 | num_key_value_heads: it must be at least 1",
        "max_position_embeddings | 1.5 | max_position_embeddings: it must be a whole number",
        "rope_parameters | {\"rope_theta\": 5} | rope_theta: it must be 5, as it says elsewhere",
        "rope_parameters | {\"rope_type\": \"linear\", \"factor\": 2, \"partial_rotary_factor\":"
            + " 0.5} | rope_parameters.partial_rotary_factor is 0.5"
      })
  void aFieldThatCannotBeIsRefusedByItsName(String field, String value, String sentence)
      throws IOException {
    ModelConfig config = ModelConfig.minimind3(64, 1, 4, 2, 256, 64);
    ModelExport.write(
        write(config, Precision.FLOAT32), Format.TRANSFORMERS, folder.resolve("source"));
    Path json = folder.resolve("source/config.json");
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode tree = (ObjectNode) mapper.readTree(json.toFile());
    tree.set(field, mapper.readTree(value));
    Files.writeString(json, tree.toString());
    assertRefused(folder.resolve("source"), sentence);
  }

  /** The angles of rope_parameters are those of the base beside it, where it has none. */
  @Test
  void aBaseBesideTheParametersOfRotaryPositionsCounts() throws IOException {
    ModelConfig config = ModelConfig.minimind3(64, 1, 4, 2, 256, 64);
    Path model = write(config, Precision.FLOAT32);
    ModelExport.write(model, Format.TRANSFORMERS, folder.resolve("source"));
    Path json = folder.resolve("source/config.json");
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode tree = (ObjectNode) mapper.readTree(json.toFile());
    assertTrue(tree.has("rope_theta"), tree.toString());
    tree.putObject("rope_parameters").put("rope_type", "default");
    Files.writeString(json, tree.toString());
    ModelImport.from(folder.resolve("source")).to(folder.resolve("back"));
    assertArrayEquals(logits(model), logits(folder.resolve("back")), 1e-5f);
  }

  @Test
  void wholeNumbersAreNoWeights() throws IOException {
    ModelConfig config = ModelConfig.minimind3(64, 1, 4, 2, 256, 64);
    ModelExport.write(
        write(config, Precision.FLOAT32), Format.TRANSFORMERS, folder.resolve("source"));
    replace(folder.resolve("source/model.safetensors"), "F32", "I32");
    assertRefused(folder.resolve("source"), "holds whole numbers, which are no weights");
  }

  @Test
  void aGgufThatDoesNotSayItsEpsilonIsRefused() throws IOException {
    ModelConfig config = ModelConfig.minimind3(64, 1, 4, 2, 256, 64);
    ModelExport.write(write(config, Precision.FLOAT32), Format.GGUF, folder.resolve("gguf"));
    replace(
        folder.resolve("gguf/model.gguf"),
        "qwen3.attention.layer_norm",
        "other.attention.layer_norm");
    assertRefused(folder.resolve("gguf/model.gguf"), "layer_norm_rms_epsilon is missing.");
  }

  private void assertRefused(Path source, String sentence) {
    IOException refused =
        assertThrows(
            IOException.class, () -> ModelImport.from(source).to(folder.resolve("refused")));
    assertTrue(refused.getMessage().contains(sentence), refused.getMessage());
    assertTrue(refused.getMessage().endsWith("."), refused.getMessage());
  }

  /** The first of these texts becomes another of the same length. */
  private static void replace(Path file, String text, String other) throws IOException {
    String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
    int at = bytes.indexOf(text);
    assertTrue(at > 0);
    Files.writeString(
        file,
        bytes.substring(0, at) + other + bytes.substring(at + other.length()),
        StandardCharsets.ISO_8859_1);
  }

  @Test
  void anAdapterGoesToPeftAndComesBack() throws IOException {
    // Of the first version, whose channels stand in another order there.
    ModelConfig config = ModelConfig.of(64, 2, 4, 2, 256, 64);
    LowRankAdapters lora = new LowRankAdapters(4, 12, List.of("wq", "wk", "wo", "w2"));
    Path base = write(config, Precision.FLOAT32);
    ModelExport.write(base, Format.TRANSFORMERS, folder.resolve("base"));
    List<NamedTensor> adapters = adapters(lora, config);
    Path tuned = Files.move(base, folder.resolve("tuned"));
    ModelFolder.writeDecoder(
        tuned, config, lora.merged(config, ModelFolder.weights(tuned), adapters));
    new StoredAdapter(lora, adapters).write(tuned);
    ModelExport.write(tuned, Format.PEFT, folder.resolve("peft"));

    // To be trained on beside its base, it is what it was before.
    StoredAdapter read = AdapterImport.read(folder.resolve("peft"), config);
    assertEquals(lora, read.adapters());
    assertEquals(Set.copyOf(adapters), Set.copyOf(read.tensors()));
    assertEquals(Set.copyOf(adapters), Set.copyOf(AdapterImport.read(tuned, config).tensors()));
    ModelConfig other = ModelConfig.of(64, 1, 4, 2, 256, 64);
    for (Path adapter : List.of(folder.resolve("peft"), tuned, folder.resolve("base"))) {
      IOException refused =
          assertThrows(IOException.class, () -> AdapterImport.read(adapter, other));
      assertTrue(refused.getMessage().matches(".*dapter.*\\."), refused.getMessage());
    }

    IOException alone =
        assertThrows(
            IOException.class,
            () -> ModelImport.from(folder.resolve("peft")).to(folder.resolve("x")));
    assertTrue(alone.getMessage().endsWith("name the folder of its base."), alone.getMessage());
    Path back = folder.resolve("back");
    ModelImport.from(folder.resolve("peft")).base(folder.resolve("base")).to(back);
    assertArrayEquals(logits(tuned), logits(back), 1e-5f);
    assertEquals(lora, StoredAdapter.read(back).adapters());
    ModelExport.write(back, Format.PEFT, folder.resolve("again"));
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      assertEquals(
          -1,
          Files.mismatch(folder.resolve("peft/" + file), folder.resolve("again/" + file)),
          file);
    }
  }

  @Test
  void patternsOfAnAdapterChangeSingleModules() throws IOException {
    ModelConfig config = ModelConfig.minimind3(64, 2, 4, 2, 256, 64);
    LowRankAdapters lora = new LowRankAdapters(4, 8, List.of("wq"));
    Path base = write(config, Precision.FLOAT32);
    ModelExport.write(base, Format.TRANSFORMERS, folder.resolve("base"));
    new StoredAdapter(lora, adapters(lora, config)).write(base);
    ModelExport.write(base, Format.PEFT, folder.resolve("peft"));
    // All modules have half the strength, and the one with a pattern has it all.
    adapterField("lora_alpha", "4");
    adapterField("alpha_pattern", "{\"layers.1.self_attn.q_proj\": 8}");
    ModelImport.from(folder.resolve("peft")).base(folder.resolve("base")).to(folder.resolve("m"));
    assertFalse(Files.exists(folder.resolve("m/adapter.safetensors")), "it has two strengths");
    Map<String, StreamedTensor> before = WeightFiles.open(base.resolve(ModelFolder.WEIGHTS));
    Map<String, StreamedTensor> after =
        WeightFiles.open(folder.resolve("m").resolve(ModelFolder.WEIGHTS));
    Map<String, NamedTensor> stored = new HashMap<>();
    adapters(lora, config).forEach(tensor -> stored.put(tensor.name(), tensor));
    for (int layer = 0; layer < 2; layer++) {
      String module = "layers." + layer + ".attention.wq.";
      double sum = 0;
      for (int k = 0; k < 4; k++) {
        sum +=
            (double) stored.get(module + "lora_B.weight").floats().get(3 * 4 + k)
                * stored.get(module + "lora_A.weight").floats().get(k * 64 + 5);
      }
      double scale = layer == 1 ? 8 / 4.0 : 4 / 4.0;
      int at = 3 * 64 + 5;
      assertEquals(
          before.get(module + "weight").load()[at] + scale * sum,
          after.get(module + "weight").load()[at],
          1e-6);
    }
    assertAdapterRefused("alpha_pattern", "{\"(a+)+q_proj\": 8}");
    assertAdapterRefused("rank_pattern", "{\"q_proj\": 3}");
    assertAdapterRefused("use_dora", "true");
    assertAdapterRefused("layer_replication", "[[0, 1]]");
    assertAdapterRefused("peft_type", "\"LOHA\"");
  }

  private void assertAdapterRefused(String field, String value) throws IOException {
    byte[] fine = Files.readAllBytes(folder.resolve("peft/adapter_config.json"));
    adapterField(field, value);
    IOException refusal =
        assertThrows(
            IOException.class,
            () ->
                ModelImport.from(folder.resolve("peft"))
                    .base(folder.resolve("base"))
                    .to(folder.resolve("never")),
            field);
    String named = field.equals("rank_pattern") ? "rank" : field;
    assertTrue(refusal.getMessage().contains(named), refusal.getMessage());
    Files.write(folder.resolve("peft/adapter_config.json"), fine);
  }

  private void adapterField(String field, String value) throws IOException {
    ObjectMapper json = new ObjectMapper();
    Path config = folder.resolve("peft/adapter_config.json");
    ObjectNode changed = (ObjectNode) json.readTree(config.toFile());
    changed.set(field, json.readTree(value));
    json.writeValue(config.toFile(), changed);
  }

  private static List<NamedTensor> adapters(LowRankAdapters lora, ModelConfig config) {
    Random random = new Random(3);
    List<NamedTensor> adapters = new ArrayList<>();
    for (Parameter parameter : lora.parameters(config)) {
      float[] values = new float[(int) parameter.shape().elements().extent()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (0.1 * random.nextGaussian());
      }
      adapters.add(NamedTensor.ofFloats(parameter.name(), values, parameter.shape().extents()));
    }
    return adapters;
  }

  @ParameterizedTest
  @EnumSource(names = {"INT8", "INT4"})
  void blocksGoIntoGgufAsTheyAre(Precision precision) throws IOException {
    ModelConfig config = ModelConfig.minimind3(64, 1, 4, 2, 256, 64);
    Path model = write(config, precision);
    ModelExport.write(model, Format.GGUF, folder.resolve("gguf"));
    Map<String, StreamedTensor> gguf = WeightFiles.open(folder.resolve("gguf/model.gguf"));
    ModelExport.write(model, Format.TRANSFORMERS, folder.resolve("float"));
    Map<String, StreamedTensor> exact = WeightFiles.open(folder.resolve("float/model.safetensors"));
    for (String[] names :
        new String[][] {
          {"token_embd.weight", "model.embed_tokens.weight"},
          {"blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight"},
          {"blk.0.ffn_down.weight", "model.layers.0.mlp.down_proj.weight"}
        }) {
      assertEquals(precision == Precision.INT8 ? "q8_0" : "q4_0", gguf.get(names[0]).type());
      float[] rounded = gguf.get(names[0]).load();
      float[] values = exact.get(names[1]).load();
      for (int i = 0; i < values.length; i++) {
        // Only the scale is rounded, to the 11 bits of float16.
        assertEquals(values[i], rounded[i], Math.abs(values[i]) * 0x1p-11 + 1e-9, names[0]);
      }
    }
    // What comes back is cut into the same blocks.
    ModelImport.from(folder.resolve("gguf/model.gguf"))
        .precision(precision)
        .to(folder.resolve("b"));
    for (String matrix :
        List.of("tok_embeddings", "layers.0.attention.wq", "layers.0.feed_forward.w2")) {
      assertEquals(
          values(model, matrix + ".weight.values"),
          values(folder.resolve("b"), matrix + ".weight.values"),
          matrix);
    }
  }

  @Test
  void importingInFewBitsIsQuantizingWhatWasImported() throws IOException {
    Path model = write(ModelConfig.minimind3(64, 1, 4, 2, 256, 64), Precision.FLOAT32);
    ModelExport.write(model, Format.TRANSFORMERS, folder.resolve("t"));
    ModelImport.from(folder.resolve("t")).precision(Precision.INT8).to(folder.resolve("int8"));
    Path quantized = folder.resolve("quantized");
    List<NamedTensor> weights = ModelFolder.weights(model);
    ModelConfig config = ModelConfig.read(model.resolve("config.json"));
    ModelFolder.writeConfiguration(quantized, config, Precision.INT8, model);
    ModelFolder.writeDecoder(quantized, config, Precision.INT8, weights);
    assertEquals(
        -1,
        Files.mismatch(
            quantized.resolve(ModelFolder.WEIGHTS),
            folder.resolve("int8").resolve(ModelFolder.WEIGHTS)));
  }

  @Test
  void whatIsNotUnderstoodIsRefusedByName() throws IOException {
    Path model = write(ModelConfig.minimind3(64, 2, 4, 2, 256, 64), Precision.FLOAT32);
    ModelExport.write(model, Format.TRANSFORMERS, folder.resolve("t"));
    IOException foreign =
        assertThrows(IOException.class, () -> LanguageModel.load(folder.resolve("t")));
    assertTrue(foreign.getMessage().contains("minimind import --from"), foreign.getMessage());
    assertRefused("hidden_act", "\"gelu\"", "hidden_act");
    assertRefused("attention_multiplier", "0.5", "attention_multiplier");
    assertRefused("use_sliding_window", "true", "sliding_window", "\"sliding_window\": 8");
    assertRefused("layer_types", "[\"sliding_attention\"]", "layer_types");
    assertRefused("quantization_config", "{\"quant_method\": \"awq\"}", "awq");
    assertRefused("num_hidden_layers", "1000000000", "1000000000 layers");
    assertRefused("num_hidden_layers", "1", "no place, such as model.layers.1");
    assertRefused("num_hidden_layers", "3", "model.layers.2.input_layernorm.weight");
    assertRefused("vocab_size", "300", "model.embed_tokens.weight has the shape");
    assertRefused("tie_word_embeddings", "false", "lm_head.weight");
    assertRefused("attention_bias", "true", "q_proj.bias");
    assertRefused("model_type", "\"mamba\"", "mamba");
    assertRefused("rope_scaling", "{\"rope_type\": \"longrope\"}", "longrope");
    assertRefused("num_attention_heads", "0", "num_attention_heads");
  }

  private void assertRefused(String field, String value, String problem, String... more)
      throws IOException {
    ObjectMapper json = new ObjectMapper();
    Path config = folder.resolve("t/config.json");
    byte[] fine = Files.readAllBytes(config);
    ObjectNode changed = (ObjectNode) json.readTree(fine);
    changed.set(field, json.readTree(value));
    for (String other : more) {
      changed.setAll((ObjectNode) json.readTree("{" + other + "}"));
    }
    json.writeValue(config.toFile(), changed);
    IOException refusal =
        assertThrows(
            IOException.class,
            () -> ModelImport.from(folder.resolve("t")).to(folder.resolve("never")),
            field);
    assertTrue(refusal.getMessage().contains(problem), refusal.getMessage());
    Files.write(config, fine);
  }

  /** What a state dictionary does not say. */
  private static ModelImport known(ModelImport model, ModelConfig config) {
    model
        .set("num_attention_heads", "" + config.heads())
        .set("num_key_value_heads", "" + config.keyValueHeads())
        .set("max_position_embeddings", "" + config.maxLength());
    return config.experts().isMixture()
        ? model.set("num_experts_per_tok", "" + config.experts().perToken())
        : model;
  }

  private static List<Float> values(Path model, String tensor) throws IOException {
    List<Float> values = new ArrayList<>();
    for (float value : WeightFiles.open(model.resolve(ModelFolder.WEIGHTS)).get(tensor).load()) {
      values.add(value);
    }
    return values;
  }

  private static float[] logits(Path model) throws IOException {
    try (Decoder decoder = Decoder.load(model, 1)) {
      return decoder.nextTokenLogits(PROMPT);
    }
  }

  /** A model in which no parameter is what it is at the start, so that each of them shows. */
  private Path write(ModelConfig config, Precision precision) throws IOException {
    Path model = folder.resolve("model");
    Files.createDirectories(model);
    Files.writeString(model.resolve("tokenizer.json"), ExportedModel.byteTokenizer());
    ModelFolder.writeConfiguration(model, config, precision, model);
    Random random = new Random(5);
    List<NamedTensor> weights = new ArrayList<>();
    for (Parameter parameter : new Parameters(config).all()) {
      NamedTensor start = parameter.start(1);
      float[] values = new float[(int) start.elements()];
      start.floats().get(values);
      for (int i = 0; i < values.length; i++) {
        values[i] += (float) (0.1 * random.nextGaussian());
      }
      weights.add(NamedTensor.ofFloats(start.name(), values, start.shape()));
    }
    ModelFolder.writeDecoder(model, config, precision, weights);
    return model;
  }
}
