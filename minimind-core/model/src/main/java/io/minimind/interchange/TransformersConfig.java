package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.interchange.Architecture.Layout;
import io.minimind.model.ConfigFields;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Role;
import io.minimind.model.Rotary;
import io.minimind.model.RotaryScalingJson;
import io.minimind.model.TensorNames;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads the {@code config.json} of transformers. A field means what its family's class takes it
 * for, which differs where it is absent; one that is not understood is refused.
 */
final class TransformersConfig {

  /**
   * A family of models.
   *
   * @param type its {@code model_type}
   * @param model its class
   * @param defaults what its class takes for numbers that are absent
   */
  private record Family(String type, String model, Map<String, Double> defaults) {}

  private static final String HEADS = "num_attention_heads";
  private static final String KEY_VALUE_HEADS = "num_key_value_heads";
  private static final String LENGTH = "max_position_embeddings";
  private static final String PARAMETERS = "rope_parameters";
  private static final String EPSILON = "rms_norm_eps";
  private static final String THETA = "rope_theta";
  private static final String WINDOW = "sliding_window";

  private static final List<Family> FAMILIES =
      List.of(
          new Family("llama", "LlamaForCausalLM", defaults(2048, 1e-6, 1e4, 0)),
          new Family("mistral", "MistralForCausalLM", defaults(131072, 1e-6, 1e4, 8)),
          new Family("qwen2", "Qwen2ForCausalLM", defaults(32768, 1e-6, 1e4, 32)),
          new Family("qwen3", "Qwen3ForCausalLM", defaults(32768, 1e-6, 1e4, 32)),
          new Family("qwen3_moe", "Qwen3MoeForCausalLM", defaults(32768, 1e-6, 1e4, 4)),
          new Family("mixtral", "MixtralForCausalLM", defaults(131072, 1e-5, 1e6, 8)),
          new Family("phi3", "Phi3ForCausalLM", defaults(4096, 1e-5, 1e4, 0)),
          new Family("smollm3", "SmolLM3ForCausalLM", defaults(32768, 1e-6, 2e6, 4)),
          new Family(
              "granitemoeshared", "GraniteMoeSharedForCausalLM", defaults(2048, 1e-6, 1e4, 0)));

  /**
   * @param keyValueHeads 0 for as many as there are heads
   */
  private static Map<String, Double> defaults(
      int length, double epsilon, double theta, int keyValueHeads) {
    return Map.of(
        LENGTH,
        (double) length,
        EPSILON,
        epsilon,
        THETA,
        theta,
        KEY_VALUE_HEADS,
        (double) keyValueHeads);
  }

  private final Family family;
  private final ConfigFields fields;
  private final boolean windowIsNull;
  private final TensorSet tensors;
  private final int hiddenSize;
  private final int layers;
  private final int heads;
  private final int length;
  private Layout layout = Layout.named(TensorNames.TRANSFORMERS);

  private TransformersConfig(
      Family family, ConfigFields fields, boolean windowIsNull, TensorSet tensors) {
    this.family = family;
    this.fields = fields;
    this.windowIsNull = windowIsNull;
    this.tensors = tensors;
    hiddenSize = fields.integer("hidden_size");
    layers = fields.integer("num_hidden_layers");
    heads = positive(HEADS);
    length = fields.integer(LENGTH, family.defaults.get(LENGTH).intValue());
  }

  /**
   * What a configuration describes.
   *
   * @throws IOException that names the field for which it cannot be imported
   */
  static Architecture read(ObjectNode json, TensorSet tensors) throws IOException {
    Family family = family(json);
    requireUnquantized(json);
    ConfigFields fields = new ConfigFields(json);
    fields.value("model_type");
    fields.value("architectures");
    TransformersConfig config =
        new TransformersConfig(family, fields, json.path(WINDOW).isNull(), tensors);
    ModelConfig read = config.read();
    fields.requireNothingElse();
    return new Architecture(read, config.layout);
  }

  /**
   * Refuses a model of which nothing can be read, before its weights are looked for.
   *
   * @throws IOException that names the field for which it cannot be imported
   */
  static void requireKnown(Path folder, ObjectNode json) throws IOException {
    if (!json.path("model_type").asText().equals("minimind")) {
      try {
        family(json);
        requireUnquantized(json);
      } catch (IOException e) {
        throw new IOException("%s cannot be imported: %s".formatted(folder, e.getMessage()), e);
      }
    }
  }

  private static void requireUnquantized(ObjectNode json) throws IOException {
    JsonNode quantization = json.path("quantization_config");
    if (!quantization.isMissingNode() && !quantization.isNull()) {
      throw new IOException(
          "Its weights are quantized (quantization_config: %s), which cannot be read: take the model that is not."
              .formatted(quantization.path("quant_method").asText("without a method")));
    }
  }

  private static Family family(ObjectNode json) throws IOException {
    String type = json.path("model_type").asText("");
    JsonNode architectures = json.path("architectures");
    String model = architectures.path(0).asText("");
    if (json.has("text_config") || json.has("vision_config")) {
      throw new IOException(
          "It is of the class %s, which reads more than text (text_config): only models of text alone can be imported."
              .formatted(model.isEmpty() ? type : model));
    }
    for (Family family : FAMILIES) {
      if (family.type.equals(type) && !model.isEmpty() && !family.model.equals(model)) {
        throw new IOException(
            "architectures is %s, which is no %s: only models that give the next token can be imported."
                .formatted(model, family.model));
      }
      if (family.type.equals(type) || type.isEmpty() && family.model.equals(model)) {
        return family;
      }
    }
    if (json.has("auto_map")) {
      throw new IOException(
          "The architecture is code of its own (auto_map), which is not run: only %s can be imported."
              .formatted(known()));
    }
    throw new IOException(
        "model_type is %s, which is not known here: only %s can be imported."
            .formatted(type.isEmpty() ? "missing" : type, known()));
  }

  private static String known() {
    return String.join(", ", FAMILIES.stream().map(Family::type).toList()) + " and minimind";
  }

  private ModelConfig read() throws IOException {
    ModelConfig.Builder config =
        ModelConfig.builder()
            .hiddenSize(hiddenSize)
            .layers(layers)
            .heads(heads)
            .keyValueHeads(keyValueHeads())
            .headSize(fields.has("head_dim") ? positive("head_dim") : usualHeadSize())
            .feedForwardSize(fields.integer("intermediate_size"))
            .vocabularySize(fields.integer("vocab_size"))
            .maxLength(length)
            .normEpsilon((float) number(EPSILON))
            .initializerRange(fields.number("initializer_range", 0.02))
            .rotary(rotary());
    requireFullAttention();
    parts(config);
    switch (family.type) {
      case "qwen3" -> config.part(Part.QUERY_KEY_NORM);
      case "qwen3_moe" -> qwenMixture(config.part(Part.QUERY_KEY_NORM));
      case "mixtral" -> mixtral(config);
      case "phi3" -> phi();
      case "granitemoeshared" -> granite(config);
      default -> {
        // All is said.
      }
    }
    return config.build();
  }

  private int keyValueHeads() {
    int usual = family.defaults.get(KEY_VALUE_HEADS).intValue();
    return fields.has(KEY_VALUE_HEADS) ? positive(KEY_VALUE_HEADS) : usual == 0 ? heads : usual;
  }

  /** 0 where it follows from the width. */
  private int usualHeadSize() {
    fields.value("head_dim");
    return family.type.equals("qwen3") ? 128 : 0;
  }

  private void parts(ModelConfig.Builder config) throws IOException {
    boolean bias = family.type.equals("qwen2");
    if (List.of("llama", "qwen3", "qwen3_moe", "smollm3", "granitemoeshared")
        .contains(family.type)) {
      bias = fields.flag("attention_bias", false);
      if (bias) {
        config.part(Part.OUTPUT_BIAS);
      }
    }
    if (bias) {
      config.part(Part.QUERY_KEY_VALUE_BIAS);
    }
    if (List.of("llama", "smollm3").contains(family.type) && fields.flag("mlp_bias", false)) {
      config.part(Part.FEED_FORWARD_BIAS);
    }
    boolean tied = fields.flag("tie_word_embeddings", family.type.equals("smollm3"));
    if (!tied) {
      config.part(Part.OWN_HEAD);
    }
    TiedHead.check(tensors, tied, "model.embed_tokens.weight", "lm_head.weight");
    tensors.ignore(name -> name.endsWith("rotary_emb.inv_freq"));
  }

  private Rotary rotary() {
    boolean old = fields.has(RotaryScalingJson.FIELD);
    ConfigFields scaling = fields.object(old ? RotaryScalingJson.FIELD : PARAMETERS);
    if (old && !fields.value(PARAMETERS).isNull()) {
      requireEqual(PARAMETERS, fields.value(RotaryScalingJson.FIELD));
    }
    if (fields.has(THETA) && scaling.has(THETA)) {
      requireEqual(THETA, scaling.value(THETA));
    }
    double base = scaling.number(THETA, number(THETA));
    if (family.type.equals("phi3")) {
      // Nothing but its own kind of scaling, which is refused, looks at this.
      fields.value("original_max_position_embeddings");
    }
    return new Rotary(
        RotaryLayout.HALVES, (float) base, RotaryScalingJson.read(scaling), layersWithoutRotary());
  }

  /** Where a configuration says something twice, programs do not agree which of them counts. */
  private void requireEqual(String field, JsonNode other) {
    if (!fields.value(field).equals(other)) {
      throw fields.wrong(field, other + ", as it says elsewhere", fields.value(field));
    }
  }

  private List<Integer> layersWithoutRotary() {
    List<Integer> without = new ArrayList<>();
    if (family.type.equals("smollm3")) {
      int interval = fields.integer("no_rope_layer_interval", 4);
      JsonNode given = fields.value("no_rope_layers");
      if (!given.isNull() && (!given.isArray() || given.size() != layers)) {
        throw fields.wrong("no_rope_layers", "a list of 0 or 1 for each layer", given);
      }
      // What no tensors can belong to is refused later, with better words.
      for (int layer = 0; layer < Math.min(layers, tensors.size()); layer++) {
        boolean turns =
            given.isNull() ? (layer + 1) % interval != 0 : given.get(layer).asInt() != 0;
        if (!turns) {
          without.add(layer);
        }
      }
    }
    return without;
  }

  /**
   * Some layers of some families see no more than a window; where it is as long as the context,
   * all.
   */
  private void requireFullAttention() throws IOException {
    int absent = family.type.equals("mistral") && !windowIsNull ? 4096 : 0;
    int window = fields.integer(WINDOW, absent);
    boolean used =
        family.type.startsWith("qwen") || family.type.equals("smollm3")
            ? fields.flag("use_sliding_window", false)
            : true;
    fields.value("max_window_layers");
    if (used && window > 0 && window < length) {
      throw new IOException(
          "sliding_window is %d, shorter than the %d positions of the context: attention within a window cannot be computed."
              .formatted(window, length));
    }
    for (JsonNode type : fields.value("layer_types")) {
      if (!type.asText().equals("full_attention")) {
        throw new IOException(
            "layer_types names %s: only full_attention can be computed.".formatted(type));
      }
    }
  }

  private void qwenMixture(ModelConfig.Builder config) throws IOException {
    if (!fields.value("mlp_only_layers").isEmpty()
        || fields.integer("decoder_sparse_step", 1) != 1) {
      throw new IOException(
          "mlp_only_layers or decoder_sparse_step leaves layers without experts: only a mixture in"
              + " all layers can be computed.");
    }
    int experts = fields.integer("num_experts", fields.integer("num_local_experts", 128));
    fields.value("num_local_experts");
    config
        .feedForwardSize(fields.integer("moe_intermediate_size", 768))
        .experts(
            mixture(
                experts,
                fields.integer("num_experts_per_tok", 8),
                0,
                fields.flag("norm_topk_prob", false)));
    Layout each = layout;
    layout =
        (parameter, all) -> {
          String block = "model.layers." + parameter.layer() + ".mlp.experts.";
          return switch (parameter.role()) {
            case EXPERT_GATE, EXPERT_UP, EXPERT_DOWN ->
                all.has(block + "gate_up_proj")
                    ? stacked(parameter, all, block + "gate_up_proj", block + "down_proj")
                    : each.find(parameter, all);
            default -> each.find(parameter, all);
          };
        };
  }

  private void mixtral(ModelConfig.Builder config) {
    fields.value("router_jitter_noise");
    config.experts(
        mixture(
            fields.integer("num_local_experts", 8),
            fields.integer("num_experts_per_tok", 2),
            0,
            true));
    Layout each = layout;
    layout =
        (parameter, all) -> {
          String block = "model.layers." + parameter.layer() + ".block_sparse_moe.";
          String expert = block + "experts." + parameter.expert() + ".";
          return switch (parameter.role()) {
            case ROUTER -> all.require(block + "gate.weight");
            case EXPERT_GATE -> all.require(expert + "w1.weight");
            case EXPERT_UP -> all.require(expert + "w3.weight");
            case EXPERT_DOWN -> all.require(expert + "w2.weight");
            default -> each.find(parameter, all);
          };
        };
  }

  /** Queries, keys and values are one matrix, and so are gate and up. */
  private void phi() {
    fields.number("embd_pdrop", 0);
    fields.number("resid_pdrop", 0);
    Layout each = layout;
    layout =
        (parameter, all) -> {
          String layer = "model.layers." + parameter.layer() + ".";
          long rows = parameter.shape().dimension(0).extent();
          return switch (parameter.role()) {
            case QUERY -> slice(all, layer + "self_attn.qkv_proj.weight", 0, rows);
            case KEY ->
                slice(all, layer + "self_attn.qkv_proj.weight", last(all, layer, 2 * rows), rows);
            case VALUE ->
                slice(all, layer + "self_attn.qkv_proj.weight", last(all, layer, rows), rows);
            case GATE -> slice(all, layer + "mlp.gate_up_proj.weight", 0, rows);
            case UP -> slice(all, layer + "mlp.gate_up_proj.weight", rows, rows);
            default -> each.find(parameter, all);
          };
        };
  }

  private static long last(TensorSet all, String layer, long rows) throws IOException {
    return all.peek(layer + "self_attn.qkv_proj.weight").rows() - rows;
  }

  private void granite(ModelConfig.Builder config) throws IOException {
    requireNumber("embedding_multiplier", 1, 1);
    requireNumber("residual_multiplier", 1, 1);
    requireNumber("logits_scaling", 1, 1);
    requireNumber("attention_multiplier", 1, 1 / Math.sqrt((double) hiddenSize / heads));
    int inner = fields.integer("intermediate_size");
    int shared = fields.integer("shared_intermediate_size", 1024);
    if (shared != inner && shared != 0) {
      throw new IOException(
          "shared_intermediate_size is %d, which is not intermediate_size, %d: such a mixture cannot be computed."
              .formatted(shared, inner));
    }
    config.experts(
        mixture(
            fields.integer("num_local_experts", 8),
            fields.integer("num_experts_per_tok", 2),
            shared == 0 ? 0 : 1,
            true));
    Layout each = layout;
    layout =
        (parameter, all) -> {
          String layer = "model.layers." + parameter.layer() + ".";
          String block = layer + "block_sparse_moe.";
          long rows = parameter.shape().dimension(0).extent();
          return switch (parameter.role()) {
            case ROUTER -> all.require(block + "router.layer.weight");
            case EXPERT_GATE, EXPERT_UP, EXPERT_DOWN ->
                stacked(
                    parameter, all, block + "input_linear.weight", block + "output_linear.weight");
            case SHARED_GATE -> slice(all, layer + "shared_mlp.input_linear.weight", 0, rows);
            case SHARED_UP -> slice(all, layer + "shared_mlp.input_linear.weight", rows, rows);
            case SHARED_DOWN -> all.require(layer + "shared_mlp.output_linear.weight");
            default -> each.find(parameter, all);
          };
        };
  }

  private Experts mixture(int routed, int perToken, int shared, boolean renormalised) {
    return new Experts(
        routed,
        perToken,
        shared,
        renormalised,
        new Experts.Balance(
            fields.number("router_aux_loss_coef", 0.001), Experts.Balance.Scope.BATCH));
  }

  /** A matrix of an expert where all experts are one tensor, gate and up joined. */
  static StreamedTensor stacked(Parameter parameter, TensorSet all, String gateUp, String down)
      throws IOException {
    long rows = parameter.shape().dimension(0).extent();
    StreamedTensor stack = all.require(parameter.role() == Role.EXPERT_DOWN ? down : gateUp);
    if (stack.shape().size() != 3 || stack.rows() <= parameter.expert()) {
      throw new IOException(
          "The tensor %s has the shape %s, which is none of a stack of experts."
              .formatted(stack.name(), stack.shape()));
    }
    StreamedTensor expert = stack.part(parameter.expert());
    return switch (parameter.role()) {
      case EXPERT_GATE -> rows(expert, 0, rows, 2 * rows);
      case EXPERT_UP -> rows(expert, rows, rows, 2 * rows);
      default -> expert;
    };
  }

  private static StreamedTensor slice(TensorSet all, String name, long start, long count)
      throws IOException {
    StreamedTensor tensor = all.require(name);
    return rows(tensor, start, count, Math.max(start + count, tensor.rows()));
  }

  private static StreamedTensor rows(StreamedTensor tensor, long start, long count, long all)
      throws IOException {
    if (start < 0 || tensor.rows() != all || start + count > all) {
      throw new IOException(
          "The tensor %s has %d rows; the configuration says %d."
              .formatted(tensor.name(), tensor.rows(), all));
    }
    return tensor.rows(start, count);
  }

  private void requireNumber(String field, double absent, double expected) throws IOException {
    double value = fields.number(field, absent);
    if (Math.abs(value - expected) > 1e-6 * expected) {
      throw new IOException(
          "%s is %s; only %s can be computed.".formatted(field, value, (float) expected));
    }
  }

  private double number(String field) {
    return fields.number(field, family.defaults.get(field));
  }

  private int positive(String field) {
    int value = fields.integer(field);
    if (value < 1) {
      throw fields.wrong(field, "at least 1", fields.value(field));
    }
    return value;
  }
}
