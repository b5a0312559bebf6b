package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.files.AtomicFile;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.RotaryScaling;
import io.minimind.weights.BlockQuantization;
import io.minimind.weights.HalfFloats;
import io.minimind.weights.StreamedTensor;
import io.minimind.weights.gguf.GgufType;
import io.minimind.weights.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A model as a GGUF file. Blocks of 8 and 4 bits go in as q8_0 and q4_0: the values are the same,
 * and only their scales are rounded, to float16.
 */
final class GgufExport {

  private final StoredModel model;
  private final ModelConfig config;
  private final String architecture;
  private final RotaryLayout layout;
  private final GgufWriter out = new GgufWriter();

  private GgufExport(StoredModel model) throws IOException {
    this.model = model;
    config = model.config();
    boolean normed = config.has(Part.QUERY_KEY_NORM);
    boolean mixture = config.experts().isMixture();
    boolean biased = config.has(Part.QUERY_KEY_VALUE_BIAS);
    requireKnown(normed, mixture, biased);
    architecture =
        mixture
            ? normed ? "qwen3moe" : "granitemoe"
            : normed ? "qwen3" : biased && !config.has(Part.OUTPUT_BIAS) ? "qwen2" : "llama";
    layout = architecture.startsWith("qwen") ? RotaryLayout.HALVES : RotaryLayout.NEIGHBOURS;
  }

  private void requireKnown(boolean normed, boolean mixture, boolean biased) throws IOException {
    require(config.rotary().layersWithout().isEmpty(), "layers without rotary positions");
    require(!mixture || config.experts().renormalised(), "a mixture whose weights do not sum to 1");
    require(!mixture || !biased, "biases beside a mixture of experts");
    require(!normed || config.experts().shared() == 0, "norms of queries beside a shared expert");
    require(!normed || !biased, "norms and biases of queries");
    require(
        !(config.rotary().scaling() instanceof RotaryScaling.Llama3) || !normed && !mixture,
        "the rotary scaling of Llama 3 in another architecture");
  }

  private static void require(boolean possible, String part) throws IOException {
    if (!possible) {
      throw new IOException("llama.cpp has no model with " + part + ".");
    }
  }

  /** Writes {@code model.gguf}, and a {@code Modelfile} for Ollama beside it. */
  static void write(StoredModel model, Path folder) throws IOException {
    new GgufExport(model).write(folder);
  }

  private void write(Path folder) throws IOException {
    keys();
    tokenizer();
    for (Parameter parameter : new Parameters(config).all()) {
      tensor(parameter);
    }
    if (config.rotary().scaling() instanceof RotaryScaling.Llama3) {
      float[] divisors = FrequencyDivisors.of(config.rotary(), config.headSize());
      out.float32(StreamedTensor.of(FrequencyDivisors.TENSOR, divisors, divisors.length));
    }
    out.write(folder.resolve("model.gguf"));
    AtomicFile.replace(
        folder.resolve("Modelfile"), "FROM ./model.gguf\n".getBytes(StandardCharsets.UTF_8));
  }

  private void keys() {
    out.text("general.architecture", architecture);
    out.text("general.name", String.valueOf(model.folder().toAbsolutePath().getFileName()));
    out.integer("general.file_type", model.bits() == 8 ? 7 : model.bits() == 4 ? 2 : 0);
    out.integer("general.quantization_version", 2);
    integer("context_length", config.maxLength());
    integer("embedding_length", config.hiddenSize());
    integer("block_count", config.layers());
    integer("feed_forward_length", config.feedForwardSize());
    integer("attention.head_count", config.heads());
    integer("attention.head_count_kv", config.keyValueHeads());
    integer("attention.key_length", config.headSize());
    integer("attention.value_length", config.headSize());
    integer("rope.dimension_count", config.headSize());
    integer("vocab_size", config.vocabularySize());
    out.number(architecture + ".attention.layer_norm_rms_epsilon", config.normEpsilon());
    out.number(architecture + ".rope.freq_base", config.rotary().base());
    Experts experts = config.experts();
    if (experts.isMixture()) {
      integer("expert_count", experts.routed());
      integer("expert_used_count", experts.perToken());
      if (architecture.equals("qwen3moe")) {
        integer("expert_feed_forward_length", config.feedForwardSize());
      } else {
        integer("expert_shared_feed_forward_length", experts.shared() * config.feedForwardSize());
        out.number(architecture + ".logit_scale", 1);
      }
    }
    if (config.rotary().scaling() instanceof RotaryScaling.Yarn yarn) {
      out.text(architecture + ".rope.scaling.type", "yarn");
      out.number(architecture + ".rope.scaling.factor", (float) yarn.factor());
      integer("rope.scaling.original_context_length", yarn.originalLength());
      out.number(architecture + ".rope.scaling.yarn_beta_fast", (float) yarn.fast());
      out.number(architecture + ".rope.scaling.yarn_beta_slow", (float) yarn.slow());
      out.number(
          architecture + ".rope.scaling.attn_factor",
          (float) (yarn.attentionFactor() / RotaryScaling.Yarn.attentionFactor(yarn.factor())));
    } else if (config.rotary().scaling() instanceof RotaryScaling.Linear linear) {
      out.text(architecture + ".rope.scaling.type", "linear");
      out.number(architecture + ".rope.scaling.factor", (float) linear.factor());
    }
  }

  private void integer(String key, int value) {
    out.integer(architecture + "." + key, value);
  }

  private void tensor(Parameter parameter) throws IOException {
    boolean expert =
        switch (parameter.role()) {
          case EXPERT_GATE, EXPERT_UP, EXPERT_DOWN -> true;
          default -> false;
        };
    if (expert && parameter.expert() > 0) {
      return;
    }
    String name = GgufModel.name(parameter);
    List<Parameter> stack = new ArrayList<>(List.of(parameter));
    for (int other = 1; expert && other < config.experts().routed(); other++) {
      stack.add(new Parameters(config).get(parameter.role(), parameter.layer(), other));
    }
    Optional<StoredModel.Blocks> blocks = model.blocks(parameter, layout);
    if (blocks.isPresent() && blocks.get().isWhole()) {
      List<StoredModel.Blocks> all = new ArrayList<>();
      for (Parameter one : stack) {
        all.add(model.blocks(one, layout).orElseThrow());
      }
      out.tensor(
          name,
          shape(parameter, expert, stack.size()),
          model.bits() == 8 ? GgufType.Q8_0 : GgufType.Q4_0,
          channel -> {
            for (StoredModel.Blocks matrix : all) {
              writeBlocks(channel, matrix);
            }
          });
      return;
    }
    List<StreamedTensor> all = new ArrayList<>();
    for (Parameter one : stack) {
      all.add(model.values(one, layout));
    }
    StreamedTensor joined = expert ? TransformersFolder.joined(all) : all.get(0);
    out.float32(
        joined.named(name).shaped(shape(parameter, expert, stack.size()).toArray(Long[]::new)));
  }

  private static List<Long> shape(Parameter parameter, boolean expert, int experts) {
    List<Long> shape = new ArrayList<>();
    if (expert) {
      shape.add((long) experts);
    }
    for (long extent : parameter.shape().extents()) {
      shape.add(extent);
    }
    return shape;
  }

  private void writeBlocks(FileChannel channel, StoredModel.Blocks matrix) throws IOException {
    int half = BlockQuantization.BLOCK / 2;
    int size = model.bits() == 8 ? 34 : 18;
    for (long row = 0; row < matrix.rows(); row++) {
      ByteBuffer bytes = ByteBuffer.allocate(matrix.count() * size).order(ByteOrder.LITTLE_ENDIAN);
      for (int block = 0; block < matrix.count(); block++) {
        bytes.putShort(HalfFloats.toFloat16(matrix.scale(row, block)));
        int start = block * BlockQuantization.BLOCK;
        for (int i = 0; i < (model.bits() == 8 ? 2 * half : half); i++) {
          int value = matrix.value(row, start + i);
          bytes.put(
              (byte)
                  (model.bits() == 8
                      ? value
                      : value + 8 | matrix.value(row, start + i + half) + 8 << 4));
        }
      }
      AtomicFile.write(channel, bytes.flip());
    }
  }

  private void tokenizer() throws IOException {
    Path file = model.folder().resolve("tokenizer.json");
    if (!Files.exists(file)) {
      throw new IOException(
          "%s holds no tokenizer.json, and no other tokenizer can be written into GGUF."
              .formatted(model.folder()));
    }
    ObjectNode tokenizer = Json.read(file);
    String prefix = "tokenizer.ggml.";
    out.text(prefix + "model", "gpt2");
    out.text(prefix + "pre", pre(tokenizer));
    List<String> tokens = new ArrayList<>();
    List<Integer> types = new ArrayList<>();
    for (int id = 0; id < config.vocabularySize(); id++) {
      tokens.add("[PAD" + id + "]");
      types.add(5);
    }
    for (var token : tokenizer.path("model").path("vocab").properties()) {
      tokens.set(token.getValue().intValue(), token.getKey());
      types.set(token.getValue().intValue(), 1);
    }
    for (JsonNode token : tokenizer.path("added_tokens")) {
      tokens.set(token.path("id").intValue(), token.path("content").asText());
      types.set(token.path("id").intValue(), token.path("special").asBoolean() ? 3 : 4);
    }
    out.texts(prefix + "tokens", tokens);
    out.integers(prefix + "token_type", types);
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : tokenizer.path("model").path("merges")) {
      merges.add(
          merge.isArray() ? merge.path(0).asText() + " " + merge.path(1).asText() : merge.asText());
    }
    out.texts(prefix + "merges", merges);
    ids(prefix);
    out.flag(prefix + "add_bos_token", startsWithBos(tokenizer));
    out.flag(prefix + "add_eos_token", false);
    out.flag(prefix + "add_space_prefix", false);
    template();
  }

  private void ids(String prefix) throws IOException {
    Path file = model.folder().resolve(ModelFolder.GENERATION_CONFIG);
    ObjectNode generation = Files.exists(file) ? Json.read(file) : Json.MAPPER.createObjectNode();
    for (String name : List.of("bos", "eos", "pad")) {
      JsonNode id = generation.path(name + "_token_id");
      JsonNode first = id.isArray() ? id.path(id.size() - 1) : id;
      if (first.isInt()) {
        out.integer(prefix + name.replace("pad", "padding") + "_token_id", first.intValue());
      }
      if (name.equals("eos") && id.isArray() && id.size() > 1) {
        out.integer(prefix + "eot_token_id", id.path(0).intValue());
      }
    }
  }

  private static boolean startsWithBos(JsonNode tokenizer) {
    String text = tokenizer.path("post_processor").toString();
    return text.contains("\"single\":[{\"SpecialToken\"");
  }

  private void template() throws IOException {
    Path jinja = model.folder().resolve(ModelFolder.CHAT_TEMPLATE);
    if (Files.exists(jinja)) {
      out.text("tokenizer.chat_template", Files.readString(jinja));
      return;
    }
    Path config = model.folder().resolve(ModelFolder.TOKENIZER_CONFIG);
    if (Files.exists(config) && Json.read(config).path("chat_template").isTextual()) {
      out.text("tokenizer.chat_template", Json.read(config).path("chat_template").asText());
    }
  }

  /** How llama.cpp calls the way in which a tokenizer cuts a text into words. */
  private static String pre(JsonNode tokenizer) throws IOException {
    JsonNode pre = tokenizer.path("pre_tokenizer");
    JsonNode parts = pre.path("pretokenizers");
    JsonNode first = parts.isArray() && !parts.isEmpty() ? parts.path(0) : pre;
    boolean byteLevel = tokenizer.path("decoder").path("type").asText().equals("ByteLevel");
    String regex = first.path("pattern").path("Regex").asText();
    if (byteLevel && parts.size() <= 2) {
      if (first.path("type").asText().equals("ByteLevel")
          && first.path("use_regex").asBoolean(true)) {
        return "gpt-2";
      }
      if (first.path("type").asText().equals("Digits")
          && first.path("individual_digits").asBoolean()) {
        return "smollm";
      }
      if (regex.equals(GgufTokenizer.LLAMA3)) {
        return "llama-bpe";
      }
      if (regex.equals(GgufTokenizer.QWEN2)) {
        return "qwen2";
      }
      if (regex.equals(GgufTokenizer.TEKKEN)) {
        return "tekken";
      }
      if (regex.equals(GgufTokenizer.GPT4O)) {
        return "gpt-4o";
      }
    }
    throw new IOException("llama.cpp cuts no text into words as the tokenizer of this model does.");
  }
}
