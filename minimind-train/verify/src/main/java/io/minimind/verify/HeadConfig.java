package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.ArgumentException;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.Experts;
import io.minimind.model.Experts.Balance;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Rotary;
import io.minimind.model.RotaryScaling;

/** The configuration of a reference model of MiniMind's third version, by its names. */
final class HeadConfig {

  private static final double INITIALIZER_RANGE = 0.02;

  private HeadConfig() {}

  /**
   * @throws IllegalArgumentException if a field is missing or the model is none of that version
   */
  static ModelConfig of(JsonNode config) {
    String activation = config.path("hidden_act").asText("silu");
    if (!activation.equals("silu")) {
      throw new ArgumentException(
          "A reference model has the activation \"%s\", but only silu can be computed."
              .formatted(activation));
    }
    RotaryScaling scaling =
        scaling(
            config.path("rope_scaling"), required(config, "max_position_embeddings").intValue());
    int hidden = required(config, "hidden_size").intValue();
    int heads = required(config, "num_attention_heads").intValue();
    float base = required(config, "rope_theta").floatValue();
    boolean mixture = config.path("use_moe").booleanValue();
    String inner = mixture ? "moe_intermediate_size" : "intermediate_size";
    ModelConfig.Builder builder =
        ModelConfig.builder()
            .hiddenSize(hidden)
            .layers(required(config, "num_hidden_layers").intValue())
            .heads(heads)
            .keyValueHeads(config.path("num_key_value_heads").asInt(heads))
            .headSize(config.path("head_dim").asInt(hidden / heads))
            .feedForwardSize(required(config, inner).intValue())
            .vocabularySize(required(config, "vocab_size").intValue())
            .maxLength(required(config, "max_position_embeddings").intValue())
            .normEpsilon(required(config, "rms_norm_eps").floatValue())
            .rotary(Rotary.of(RotaryLayout.HALVES, base).with(scaling))
            .part(Part.QUERY_KEY_NORM)
            .experts(mixture ? experts(config) : Experts.NONE)
            .initializerRange(INITIALIZER_RANGE);
    return config.path("tie_word_embeddings").asBoolean(true)
        ? builder.build()
        : builder.part(Part.OWN_HEAD).build();
  }

  private static JsonNode required(JsonNode config, String field) {
    if (!config.hasNonNull(field)) {
      throw new ArgumentException(
          "The configuration of a reference model has no \"%s\".".formatted(field));
    }
    return config.get(field);
  }

  private static Experts experts(JsonNode config) {
    double weight = required(config, "router_aux_loss_coef").doubleValue();
    return new Experts(
        required(config, "num_experts").intValue(),
        required(config, "num_experts_per_tok").intValue(),
        0,
        required(config, "norm_topk_prob").booleanValue(),
        new Balance(weight, Balance.Scope.BATCH));
  }

  /**
   * The original stretches only where there are more positions than it was trained on, but
   * multiplies with the attention factor in any case.
   */
  private static RotaryScaling scaling(JsonNode scaling, int positions) {
    int original = scaling.path("original_max_position_embeddings").asInt(2048);
    double attention = scaling.path("attention_factor").asDouble(1);
    double factor = positions > original ? scaling.path("factor").asDouble(16) : 1;
    if (!scaling.isObject() || factor == 1 && attention == 1) {
      return RotaryScaling.NONE;
    }
    return new RotaryScaling.Yarn(
        factor,
        original,
        scaling.path("beta_fast").asDouble(32),
        scaling.path("beta_slow").asDouble(1),
        attention);
  }
}
