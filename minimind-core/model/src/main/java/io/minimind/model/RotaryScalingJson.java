package io.minimind.model;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.model.RotaryScaling.Linear;
import io.minimind.model.RotaryScaling.Llama3;
import io.minimind.model.RotaryScaling.Yarn;
import java.util.Optional;

/** The object {@code rope_scaling} of a configuration, as transformers has it and as we do. */
public final class RotaryScalingJson {

  /** The field of a configuration that holds the object. */
  public static final String FIELD = "rope_scaling";

  private RotaryScalingJson() {}

  /**
   * The scaling that an object describes; none if it has no fields.
   *
   * @throws IllegalArgumentException that names a field with which it cannot be computed
   */
  public static RotaryScaling read(ConfigFields fields) {
    String named = fields.has("rope_type") ? "rope_type" : "type";
    String type = fields.text("rope_type", fields.text("type", "default"));
    fields.value("type");
    RotaryScaling scaling =
        switch (type) {
          case "default" -> RotaryScaling.NONE;
          case "linear" -> new Linear(fields.number("factor"));
          case "llama3" ->
              new Llama3(
                  fields.number("factor"),
                  fields.number("low_freq_factor"),
                  fields.number("high_freq_factor"),
                  fields.integer("original_max_position_embeddings"));
          case "yarn" ->
              new Yarn(
                  fields.number("factor"),
                  fields.integer("original_max_position_embeddings"),
                  fields.number("beta_fast", 32),
                  fields.number("beta_slow", 1),
                  fields.number("attention_factor", Yarn.attentionFactor(fields.number("factor"))));
          default ->
              throw fields.wrong(named, "default, linear, llama3 or yarn", fields.value(named));
        };
    fields.requireNothingElse();
    return scaling;
  }

  /** The object that {@link #read} reads; empty where nothing is scaled. */
  public static Optional<ObjectNode> write(RotaryScaling scaling) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (scaling instanceof Linear linear) {
      json.put("rope_type", "linear").put("factor", linear.factor());
    } else if (scaling instanceof Llama3 llama) {
      json.put("rope_type", "llama3")
          .put("factor", llama.factor())
          .put("low_freq_factor", llama.lowFactor())
          .put("high_freq_factor", llama.highFactor())
          .put("original_max_position_embeddings", llama.originalLength());
    } else if (scaling instanceof Yarn yarn) {
      json.put("rope_type", "yarn")
          .put("factor", yarn.factor())
          .put("original_max_position_embeddings", yarn.originalLength())
          .put("beta_fast", yarn.fast())
          .put("beta_slow", yarn.slow())
          .put("attention_factor", yarn.attentionFactor());
    }
    return json.isEmpty() ? Optional.empty() : Optional.of(json);
  }
}
