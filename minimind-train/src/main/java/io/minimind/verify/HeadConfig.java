package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
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
    RotaryScaling scaling =
        scaling(config.path("rope_scaling"), config.required("max_position_embeddings").intValue());
    float base = config.required("rope_theta").floatValue();
    boolean mixture = config.path("use_moe").booleanValue();
    String inner = mixture ? "moe_intermediate_size" : "intermediate_size";
    return ModelConfig.builder()
        .hiddenSize(config.required("hidden_size").intValue())
        .layers(config.required("num_hidden_layers").intValue())
        .heads(config.required("num_attention_heads").intValue())
        .keyValueHeads(config.required("num_key_value_heads").intValue())
        .headSize(config.required("head_dim").intValue())
        .feedForwardSize(config.required(inner).intValue())
        .vocabularySize(config.required("vocab_size").intValue())
        .maxLength(config.required("max_position_embeddings").intValue())
        .normEpsilon(config.required("rms_norm_eps").floatValue())
        .rotary(Rotary.of(RotaryLayout.HALVES, base).with(scaling))
        .part(Part.QUERY_KEY_NORM)
        .experts(mixture ? experts(config) : Experts.NONE)
        .initializerRange(INITIALIZER_RANGE)
        .build();
  }

  private static Experts experts(JsonNode config) {
    double weight = config.required("router_aux_loss_coef").doubleValue();
    return new Experts(
        config.required("num_experts").intValue(),
        config.required("num_experts_per_tok").intValue(),
        0,
        config.required("norm_topk_prob").booleanValue(),
        new Balance(weight, Balance.Scope.BATCH));
  }

  /** The original scales only where there are more positions than it was trained on. */
  private static RotaryScaling scaling(JsonNode scaling, int positions) {
    int original = scaling.path("original_max_position_embeddings").intValue();
    return scaling.isObject() && positions > original
        ? new RotaryScaling.Yarn(
            scaling.required("factor").doubleValue(),
            original,
            scaling.required("beta_fast").doubleValue(),
            scaling.required("beta_slow").doubleValue(),
            scaling.required("attention_factor").doubleValue())
        : RotaryScaling.NONE;
  }
}
