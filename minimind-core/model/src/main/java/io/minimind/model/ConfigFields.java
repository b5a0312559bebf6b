package io.minimind.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.minimind.files.ArgumentException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The fields of a {@code config.json}, with a memory of which were read: what is left over must be
 * harmless. Every method throws {@link ArgumentException} that names the field, if there is
 * something wrong with it.
 */
public final class ConfigFields {

  /** They say nothing of what a model computes from its weights. */
  private static final Set<String> HARMLESS =
      Set.of(
          "_attn_implementation",
          "_name_or_path",
          "bos_token_id",
          "chunk_size_feed_forward",
          "dtype",
          "eos_token_id",
          "id2label",
          "initializer_range",
          "is_decoder",
          "label2id",
          "max_window_layers",
          "name_or_path",
          "output_attentions",
          "output_hidden_states",
          "output_router_logits",
          "pad_token_id",
          "return_dict",
          "router_aux_loss_coef",
          "tokenizer_class",
          "torch_dtype",
          "torchscript",
          "transformers_version",
          "unk_token_id",
          "use_cache");

  /** They change what is computed, but not with this value. */
  private static final Map<String, Set<JsonNode>> NEUTRAL =
      Map.of(
          "hidden_act", Set.of(TextNode.valueOf("silu"), TextNode.valueOf("swish")),
          "attention_dropout", Set.of(IntNode.valueOf(0), DoubleNode.valueOf(0)),
          "hidden_dropout", Set.of(IntNode.valueOf(0), DoubleNode.valueOf(0)),
          "dropout", Set.of(IntNode.valueOf(0), DoubleNode.valueOf(0)),
          "partial_rotary_factor", Set.of(IntNode.valueOf(1), DoubleNode.valueOf(1)),
          "pretraining_tp", Set.of(IntNode.valueOf(1)),
          "use_sliding_window", Set.of(BooleanNode.FALSE),
          "is_encoder_decoder", Set.of(BooleanNode.FALSE));

  private final String prefix;
  private final ObjectNode json;
  private final Set<String> read = new HashSet<>();

  public ConfigFields(ObjectNode json) {
    this("", json);
  }

  private ConfigFields(String prefix, ObjectNode json) {
    this.prefix = prefix;
    this.json = json;
  }

  /** Whether a field is there and not null. */
  public boolean has(String field) {
    return json.hasNonNull(field);
  }

  /** A whole number; 0 if it is null. */
  public int integer(String field) {
    requireField(field);
    return integer(field, 0);
  }

  public int integer(String field, int absent) {
    JsonNode value = value(field);
    if (value.isNull()) {
      return absent;
    }
    if (!value.isNumber() || value.doubleValue() != value.intValue()) {
      throw wrong(field, "a whole number", value);
    }
    return value.intValue();
  }

  /** A number; 0 if it is null. */
  public double number(String field) {
    requireField(field);
    return number(field, 0);
  }

  public double number(String field, double absent) {
    JsonNode value = value(field);
    if (!value.isNull() && !value.isNumber()) {
      throw wrong(field, "a number", value);
    }
    return value.isNull() ? absent : value.doubleValue();
  }

  public boolean flag(String field, boolean absent) {
    JsonNode value = value(field);
    if (!value.isNull() && !value.isBoolean()) {
      throw wrong(field, "true or false", value);
    }
    return value.isNull() ? absent : value.booleanValue();
  }

  public String text(String field, String absent) {
    JsonNode value = value(field);
    if (!value.isNull() && !value.isTextual()) {
      throw wrong(field, "a text", value);
    }
    return value.isNull() ? absent : value.textValue();
  }

  /** The fields of an object, which are read and checked for themselves; none if it is null. */
  public ConfigFields object(String field) {
    JsonNode value = value(field);
    if (!value.isNull() && !value.isObject()) {
      throw wrong(field, "an object", value);
    }
    return new ConfigFields(
        prefix + field + ".", value instanceof ObjectNode object ? object : json.objectNode());
  }

  /** Whatever a field holds; null as {@link NullNode} if it is not there. */
  public JsonNode value(String field) {
    read.add(field);
    JsonNode value = json.get(field);
    return value == null ? NullNode.getInstance() : value;
  }

  private void requireField(String field) {
    if (!json.has(field)) {
      throw new ArgumentException("The field '" + prefix + field + "' is missing.");
    }
  }

  /** The error of a field that has a value which it cannot have. */
  public ArgumentException wrong(String field, String expected, JsonNode value) {
    return new ArgumentException(
        "%s%s: it must be %s, but is %s.".formatted(prefix, field, expected, value));
  }

  /**
   * Refuses what was not read and may change what a model computes.
   *
   * @throws IllegalArgumentException that names the first of such fields
   */
  public void requireNothingElse() {
    Set<String> others = new TreeSet<>();
    json.fieldNames().forEachRemaining(others::add);
    others.removeAll(read);
    for (String field : others) {
      JsonNode value = json.get(field);
      boolean neutral = NEUTRAL.getOrDefault(field, Set.of()).contains(value);
      if (!value.isNull() && !neutral && !HARMLESS.contains(field)) {
        throw new ArgumentException(
            "%s%s is %s: that is not understood here and may change what the model computes."
                .formatted(prefix, field, value));
      }
    }
  }
}
