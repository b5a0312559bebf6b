package io.minimind.interchange;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.interchange.Architecture.Layout;
import io.minimind.model.ConfigFields;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Rotary;
import io.minimind.model.RotaryScaling;
import io.minimind.model.RotaryScalingJson;
import io.minimind.model.TensorNames;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * MiniMind's own models: a state dictionary of its first version, of MiniMind2 or of its third
 * version, with the configuration of its own class or with none. What the file does not say and no
 * default is sure of is asked for.
 */
final class MiniMindModel {

  private static final String FIRST_EMBEDDING = "tok_embeddings.weight";
  private static final String EMBEDDING = "model.embed_tokens.weight";

  /** The first version's names for what transformers has names for too. */
  private static final List<List<String>> FIRST_NAMES =
      List.of(
          List.of("dim", "hidden_size"),
          List.of("n_layers", "num_hidden_layers"),
          List.of("n_heads", "num_attention_heads"),
          List.of("n_kv_heads", "num_key_value_heads"),
          List.of("hidden_dim", "intermediate_size"),
          List.of("norm_eps", "rms_norm_eps"),
          List.of("max_seq_len", "max_position_embeddings"));

  private final TensorSet tensors;
  private final boolean first;
  private final boolean normed;
  private final List<String> notes;

  private MiniMindModel(TensorSet tensors, List<String> notes) {
    this.tensors = tensors;
    this.notes = notes;
    first = tensors.has(FIRST_EMBEDDING);
    normed = tensors.has("model.layers.0.self_attn.q_norm.weight");
  }

  /** Whether tensors have the names of one of MiniMind's models. */
  static boolean isMiniMind(TensorSet tensors) {
    return tensors.has(FIRST_EMBEDDING) || tensors.has(EMBEDDING);
  }

  /**
   * What the model is.
   *
   * @param settings what is known of it besides, with the names of transformers' fields, or of its
   *     own class; they go before what the file says
   * @param notes where what was taken for granted is told
   * @throws IOException that names what is not known or cannot be computed
   */
  static Architecture read(TensorSet tensors, ObjectNode settings, List<String> notes)
      throws IOException {
    return new MiniMindModel(tensors, notes).read(settings);
  }

  private Architecture read(ObjectNode settings) throws IOException {
    ObjectNode json = inferred();
    ObjectNode given = settings.deepCopy();
    for (List<String> names : FIRST_NAMES) {
      if (given.has(names.get(0))) {
        given.set(names.get(1), given.remove(names.get(0)));
      }
    }
    given
        .properties()
        .forEach(
            field -> {
              if (!field.getValue().isNull()) {
                json.set(field.getKey(), field.getValue());
              }
            });
    boolean mixture = json.path("use_moe").asBoolean(json.path("routed_found").asInt() > 0);
    json.remove("routed_found");
    ConfigFields fields = new ConfigFields(json);
    ModelConfig config = config(fields, mixture);
    for (String harmless :
        List.of(
            "model_type",
            "architectures",
            "auto_map",
            "use_moe",
            "flash_attn",
            "multiple_of",
            "num_experts",
            "num_experts_per_tok",
            "n_routed_experts",
            "n_shared_experts",
            "norm_topk_prob",
            "moe_intermediate_size",
            "aux_loss_alpha",
            "seq_aux")) {
      fields.value(harmless);
    }
    if (!fields.text("scoring_func", "softmax").equals("softmax")) {
      throw fields.wrong("scoring_func", "softmax", fields.value("scoring_func"));
    }
    fields.requireNothingElse();
    String embedding = first ? FIRST_EMBEDDING : EMBEDDING;
    TiedHead.check(
        tensors, !config.has(Part.OWN_HEAD), embedding, first ? "output.weight" : "lm_head.weight");
    tensors.ignore(name -> name.equals("pos_cis") || name.matches("(model\\.)?freqs_(cos|sin)"));
    return new Architecture(
        config, Layout.named(first ? TensorNames.MINIMIND : TensorNames.TRANSFORMERS));
  }

  private ModelConfig config(ConfigFields fields, boolean mixture) throws IOException {
    int heads = asked(fields, "num_attention_heads", first ? "16" : "8");
    int keyValueHeads = asked(fields, "num_key_value_heads", first ? "8" : normed ? "4" : "2");
    int length = assumed(fields, "max_position_embeddings", first ? 512 : 32768).intValue();
    double base = assumed(fields, "rope_theta", first ? 1e4 : 1e6).doubleValue();
    double epsilon = assumed(fields, "rms_norm_eps", first || !normed ? 1e-5 : 1e-6).doubleValue();
    RotaryScaling scaling = RotaryScaling.NONE;
    ConfigFields rope = fields.object(RotaryScalingJson.FIELD);
    if (fields.has(RotaryScalingJson.FIELD)) {
      scaling = RotaryScalingJson.read(rope);
    } else if (fields.flag("inference_rope_scaling", false)) {
      scaling = new RotaryScaling.Yarn(16, 2048, 32, 1, 1);
    }
    if (scaling instanceof RotaryScaling.Yarn yarn && length <= yarn.originalLength()) {
      scaling = RotaryScaling.NONE;
    }
    fields.value("inference_rope_scaling");
    ModelConfig.Builder config =
        ModelConfig.builder()
            .hiddenSize(fields.integer("hidden_size"))
            .layers(fields.integer("num_hidden_layers"))
            .heads(heads)
            .keyValueHeads(keyValueHeads)
            .headSize(fields.integer("head_dim", 0))
            .feedForwardSize(fields.integer("intermediate_size"))
            .vocabularySize(fields.integer("vocab_size"))
            .maxLength(length)
            .normEpsilon((float) epsilon)
            .rotary(
                Rotary.of(first ? RotaryLayout.NEIGHBOURS : RotaryLayout.HALVES, (float) base)
                    .with(scaling))
            .initializerRange(first ? 0 : 0.02);
    if (normed) {
      config.part(Part.QUERY_KEY_NORM);
    }
    if (!fields.flag("tie_word_embeddings", true)) {
      config.part(Part.OWN_HEAD);
    }
    if (mixture) {
      config.experts(experts(fields));
      if (fields.has("moe_intermediate_size")) {
        config.feedForwardSize(fields.integer("moe_intermediate_size"));
      }
    }
    return config.build();
  }

  private Experts experts(ConfigFields fields) throws IOException {
    int perToken = asked(fields, "num_experts_per_tok", first ? "2" : "1");
    int routed = fields.integer(first ? "n_routed_experts" : "num_experts", 0);
    if (!first) {
      return new Experts(
          routed,
          perToken,
          0,
          fields.flag("norm_topk_prob", true),
          new Experts.Balance(
              fields.number("router_aux_loss_coef", 5e-4), Experts.Balance.Scope.BATCH));
    }
    boolean shared =
        fields.value("n_shared_experts").asInt(0) > 0
            || fields.value("n_shared_experts").asBoolean(false);
    return new Experts(
        routed,
        perToken,
        shared ? 1 : 0,
        perToken > 1 && fields.flag("norm_topk_prob", true),
        new Experts.Balance(fields.number("aux_loss_alpha", 0.01), Experts.Balance.Scope.ROW));
  }

  /** A number that the file does not hold and that cannot be guessed. */
  private int asked(ConfigFields fields, String field, String original) throws IOException {
    if (!fields.has(field)) {
      throw new IOException(
          "%s does not say what %s is: give the setting %s=%s, as the original has it, or that of your model."
              .formatted(tensors.source(), field, field, original));
    }
    return fields.integer(field);
  }

  /** A number that the file does not hold and that hardly anybody changes. */
  private Number assumed(ConfigFields fields, String field, Number original) {
    if (fields.has(field)) {
      return fields.number(field);
    }
    fields.value(field);
    notes.add(
        "%s does not say what %s is: taken to be %s, the original's default."
            .formatted(tensors.source(), field, original));
    return original;
  }

  /** What can be read off the tensors. */
  private ObjectNode inferred() throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    StreamedTensor embedding =
        tensors.has(first ? FIRST_EMBEDDING : EMBEDDING)
            ? tensors.peek(first ? FIRST_EMBEDDING : EMBEDDING)
            : tensors.peek("lm_head.weight");
    json.put("vocab_size", embedding.rows());
    json.put("hidden_size", embedding.rowElements());
    json.put("num_hidden_layers", layers());
    String block = first ? "layers.0." : "model.layers.0.";
    String feedForward = block + (first ? "feed_forward." : "mlp.");
    String gate = first ? "w1.weight" : "gate_proj.weight";
    if (tensors.has(feedForward + "gate.weight")) {
      long routed = tensors.peek(feedForward + "gate.weight").rows();
      json.put("routed_found", routed);
      json.put(first ? "n_routed_experts" : "num_experts", routed);
      if (first) {
        json.put("n_shared_experts", tensors.has(feedForward + "shared_experts." + gate) ? 1 : 0);
      }
      feedForward += "experts.0.";
    }
    if (tensors.has(feedForward + gate)) {
      json.put("intermediate_size", tensors.peek(feedForward + gate).rows());
    }
    String attention = block + "self_attn.";
    if (normed) {
      long head = tensors.peek(attention + "q_norm.weight").elements();
      json.put("head_dim", head);
      json.put("num_attention_heads", tensors.peek(attention + "q_proj.weight").rows() / head);
      json.put("num_key_value_heads", tensors.peek(attention + "k_proj.weight").rows() / head);
    }
    return json;
  }

  private int layers() {
    List<Integer> layers = new ArrayList<>();
    for (String name : tensors.names()) {
      String[] parts = name.split("\\.");
      int at = first ? 0 : 1;
      if (parts.length > at + 1
          && parts[at].equals("layers")
          && parts[at + 1].matches("\\d{1,6}")) {
        layers.add(Integer.parseInt(parts[at + 1]));
      }
    }
    return layers.stream().mapToInt(layer -> layer + 1).max().orElse(0);
  }
}
