package io.minimind.interchange;

import io.minimind.model.ConfigFields;
import io.minimind.model.RotaryScaling;
import io.minimind.model.RotaryScaling.Linear;
import io.minimind.model.RotaryScaling.Llama3;
import io.minimind.model.RotaryScaling.Yarn;

/** How transformers writes the scaling of rotary positions. */
final class RotaryFields {

  private RotaryFields() {}

  /**
   * The scaling that an object describes.
   *
   * @throws IllegalArgumentException that names a field with which it cannot be computed
   */
  static RotaryScaling scaling(ConfigFields fields) {
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
              throw fields.wrong(
                  fields.has("rope_type") ? "rope_type" : "type",
                  "default, linear, llama3 or yarn",
                  fields.value(fields.has("rope_type") ? "rope_type" : "type"));
        };
    fields.requireNothingElse();
    return scaling;
  }
}
