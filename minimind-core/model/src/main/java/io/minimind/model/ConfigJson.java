package io.minimind.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.Experts.Balance;
import io.minimind.model.ModelConfig.Part;
import java.util.ArrayList;
import java.util.List;

/**
 * A configuration as JSON, with the field names of transformers' Llama, and of its other models
 * where Llama has none. A field that is not there means what MiniMind's first version did, and is
 * not written then.
 */
final class ConfigJson {

  /** In transformers' models that of all four layers of attention. */
  private static final String ATTENTION_BIAS = "attention_bias";

  /** Where it is there, that of the output layer. */
  private static final String OUTPUT_BIAS = "attention_output_bias";

  /** A switch: its part, its field, and the value that means that the part is there. */
  private record Switch(Part part, String field, boolean value) {}

  /** A part whose field is not there is absent. */
  private static final List<Switch> SWITCHES =
      List.of(
          new Switch(Part.QUERY_KEY_NORM, "use_qk_norm", true),
          new Switch(Part.QUERY_KEY_VALUE_BIAS, ATTENTION_BIAS, true),
          new Switch(Part.FEED_FORWARD_BIAS, "mlp_bias", true),
          new Switch(Part.OWN_HEAD, "tie_word_embeddings", false));

  private ConfigJson() {}

  static ObjectNode write(ModelConfig config) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("hidden_size", config.hiddenSize());
    json.put("num_hidden_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("num_key_value_heads", config.keyValueHeads());
    if (config.queryWidth() != config.hiddenSize()) {
      json.put("head_dim", config.headSize());
    }
    json.put("intermediate_size", config.feedForwardSize());
    json.put("vocab_size", config.vocabularySize());
    json.put("max_position_embeddings", config.maxLength());
    json.put("rms_norm_eps", config.normEpsilon());
    write(json, config.rotary(), config.layers());
    for (Switch one : SWITCHES) {
      if (config.has(one.part)) {
        json.put(one.field, one.value);
      }
    }
    if (config.has(Part.OUTPUT_BIAS) != config.has(Part.QUERY_KEY_VALUE_BIAS)) {
      json.put(OUTPUT_BIAS, config.has(Part.OUTPUT_BIAS));
    }
    write(json, config.experts());
    if (config.initializerRange() > 0) {
      json.put("initializer_range", config.initializerRange());
    }
    return json;
  }

  private static void write(ObjectNode json, Rotary rotary, int layers) {
    json.put("rope_theta", rotary.base());
    if (rotary.layout() == RotaryLayout.HALVES) {
      json.put("rope_interleave", false);
    }
    RotaryScalingJson.write(rotary.scaling())
        .ifPresent(scaling -> json.set(RotaryScalingJson.FIELD, scaling));
    if (!rotary.layersWithout().isEmpty()) {
      ArrayNode with = json.putArray("no_rope_layers");
      for (int layer = 0; layer < layers; layer++) {
        with.add(rotary.layersWithout().contains(layer) ? 0 : 1);
      }
    }
  }

  private static void write(ObjectNode json, Experts experts) {
    if (!experts.isMixture()) {
      return;
    }
    json.put("n_routed_experts", experts.routed());
    json.put("num_experts_per_tok", experts.perToken());
    if (experts.shared() > 0) {
      json.put("n_shared_experts", experts.shared());
    }
    if (experts.renormalised() != experts.perToken() > 1) {
      json.put("norm_topk_prob", experts.renormalised());
    }
    if (experts.balance().weight() != 0) {
      json.put("aux_loss_alpha", experts.balance().weight());
    }
    if (experts.balance().scope() == Balance.Scope.BATCH) {
      json.put("seq_aux", false);
    }
  }

  /**
   * @throws IllegalArgumentException if a field is missing, has a value that it cannot have, or is
   *     not understood
   */
  static ModelConfig read(ObjectNode json) {
    ConfigFields fields = new ConfigFields(json);
    requireWriter(json);
    int layers = fields.integer("num_hidden_layers");
    ModelConfig.Builder config =
        ModelConfig.builder()
            .hiddenSize(fields.integer("hidden_size"))
            .layers(layers)
            .heads(fields.integer("num_attention_heads"))
            .keyValueHeads(fields.integer("num_key_value_heads"))
            .headSize(fields.integer("head_dim", 0))
            .feedForwardSize(fields.integer("intermediate_size"))
            .vocabularySize(fields.integer("vocab_size"))
            .maxLength(fields.integer("max_position_embeddings"))
            .normEpsilon((float) fields.number("rms_norm_eps"))
            .rotary(rotary(fields, layers))
            .experts(experts(fields))
            .initializerRange(fields.number("initializer_range", 0));
    for (Switch one : SWITCHES) {
      if (fields.flag(one.field, !one.value) == one.value) {
        config.part(one.part);
      }
    }
    if (fields.flag(OUTPUT_BIAS, fields.flag(ATTENTION_BIAS, false))) {
      config.part(Part.OUTPUT_BIAS);
    }
    requireOwnQuantization(fields.object("quantization_config"));
    fields.requireNothingElse();
    return config.build();
  }

  /** A model of the same parts and another head is known by what transformers calls it. */
  private static void requireWriter(ObjectNode json) {
    String architecture = json.path("architectures").path(0).asText();
    if (architecture.endsWith("ForSequenceClassification")) {
      throw new ArgumentException(
          "it is that of a reward model (architectures: %s), which says what answers are worth and writes none."
              .formatted(architecture));
    }
  }

  private static Rotary rotary(ConfigFields fields, int layers) {
    return new Rotary(
        fields.flag("rope_interleave", true) ? RotaryLayout.NEIGHBOURS : RotaryLayout.HALVES,
        (float) fields.number("rope_theta"),
        RotaryScalingJson.read(fields.object(RotaryScalingJson.FIELD)),
        without(fields, layers));
  }

  /** The field has for each layer whether it turns, in spite of its name. */
  private static List<Integer> without(ConfigFields fields, int layers) {
    JsonNode turning = fields.value("no_rope_layers");
    if (turning.isNull()) {
      return List.of();
    }
    List<Integer> without = new ArrayList<>();
    for (int layer = 0; layer < turning.size(); layer++) {
      if (turning.get(layer).asInt(-1) == 0) {
        without.add(layer);
      }
    }
    if (!turning.isArray() || turning.size() != layers) {
      throw fields.wrong("no_rope_layers", "a list of 0 or 1 for each layer", turning);
    }
    return without;
  }

  private static Experts experts(ConfigFields fields) {
    int perToken = fields.integer("num_experts_per_tok", 0);
    Balance.Scope scope = fields.flag("seq_aux", true) ? Balance.Scope.ROW : Balance.Scope.BATCH;
    return new Experts(
        fields.integer("n_routed_experts", 0),
        perToken,
        fields.integer("n_shared_experts", 0),
        fields.flag("norm_topk_prob", perToken > 1),
        new Balance(fields.number("aux_loss_alpha", 0), scope));
  }

  /** Our decoders say how many bits their weights have; that changes no architecture. */
  private static void requireOwnQuantization(ConfigFields fields) {
    if (fields.text("quant_method", "minimind_blocks").equals("minimind_blocks")) {
      fields.integer("bits", 0);
      fields.integer("group_size", 0);
    }
    fields.requireNothingElse();
  }
}
