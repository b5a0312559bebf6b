package io.minimind.interchange;

import io.minimind.graph.operator.RotaryLayout;
import io.minimind.interchange.Architecture.Layout;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Role;
import io.minimind.model.Rotary;
import io.minimind.model.RotaryScaling;
import io.minimind.weights.StreamedTensor;
import io.minimind.weights.gguf.GgufMetadata;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a GGUF file says of its model. A key of its architecture that is not understood is refused.
 */
final class GgufModel {

  /** How each architecture turns positions. */
  private static final Map<String, RotaryLayout> LAYOUTS =
      Map.of(
          "llama", RotaryLayout.NEIGHBOURS,
          "qwen2", RotaryLayout.HALVES,
          "qwen3", RotaryLayout.HALVES,
          "qwen3moe", RotaryLayout.HALVES,
          "granitemoe", RotaryLayout.NEIGHBOURS);

  /** They change nothing that is computed. */
  private static final Set<String> HARMLESS =
      Set.of("vocab_size", "rope.scaling.finetuned", "feed_forward_length");

  private final GgufMetadata metadata;
  private final TensorSet tensors;
  private final String architecture;
  private final Set<String> read = new HashSet<>();

  private GgufModel(GgufMetadata metadata, TensorSet tensors) throws IOException {
    this.metadata = metadata;
    this.tensors = tensors;
    architecture = metadata.text("general.architecture").orElse("missing");
    if (!LAYOUTS.containsKey(architecture)) {
      throw new IOException(
          "general.architecture is %s, which is not known here: only llama, qwen2, qwen3, qwen3moe and granitemoe can be imported."
              .formatted(architecture));
    }
  }

  /**
   * What the model is.
   *
   * @throws IOException that names the key or tensor for which it cannot be imported
   */
  static Architecture read(GgufMetadata metadata, TensorSet tensors) throws IOException {
    return new GgufModel(metadata, tensors).read();
  }

  private Architecture read() throws IOException {
    int heads = required("attention.head_count");
    int width = required("embedding_length");
    int head = optional("attention.key_length", heads == 0 ? 0 : width / heads);
    for (String key : List.of("attention.value_length", "rope.dimension_count")) {
      if (optional(key, head) != head) {
        throw new IOException(
            "%s.%s is %d, but the heads are %d wide: such heads cannot be computed."
                .formatted(architecture, key, optional(key, head), head));
      }
    }
    StreamedTensor embedding = tensors.peek("token_embd.weight");
    ModelConfig.Builder config =
        ModelConfig.builder()
            .hiddenSize(width)
            .layers(required("block_count"))
            .heads(heads)
            .keyValueHeads(optional("attention.head_count_kv", heads))
            .headSize(head)
            .vocabularySize(Math.toIntExact(embedding.rows()))
            .maxLength(required("context_length"))
            .normEpsilon((float) number("attention.layer_norm_rms_epsilon"))
            .rotary(rotary(head))
            .initializerRange(0.02);
    if (tensors.has("output.weight")) {
      config.part(Part.OWN_HEAD);
    }
    if (architecture.startsWith("qwen3")) {
      config.part(Part.QUERY_KEY_NORM);
    }
    if (tensors.has("blk.0.attn_q.bias")) {
      config.part(Part.QUERY_KEY_VALUE_BIAS);
    }
    if (tensors.has("blk.0.attn_output.bias")) {
      config.part(Part.OUTPUT_BIAS);
    }
    if (tensors.has("blk.0.ffn_gate.bias")) {
      config.part(Part.FEED_FORWARD_BIAS);
    }
    if (optional("expert_count", 0) > 0) {
      experts(config);
    } else {
      config.feedForwardSize(required("feed_forward_length"));
    }
    requireCausal();
    neutral("logit_scale", 1);
    neutral("embedding_scale", 1);
    neutral("residual_scale", 1);
    neutral("attention.scale", 1 / Math.sqrt(head));
    requireNothingElse();
    return new Architecture(config.build(), layout());
  }

  private void experts(ModelConfig.Builder config) throws IOException {
    if (architecture.startsWith("llama") || architecture.equals("qwen2")) {
      throw new IOException(
          "%s.expert_count is set: a mixture of this architecture cannot be computed."
              .formatted(architecture));
    }
    boolean granite = architecture.equals("granitemoe");
    int inner = required(granite ? "feed_forward_length" : "expert_feed_forward_length");
    int shared = optional("expert_shared_feed_forward_length", 0);
    if (shared != 0 && shared != inner) {
      throw new IOException(
          "%s.expert_shared_feed_forward_length is %d, which is not %d: such a mixture cannot be computed."
              .formatted(architecture, shared, inner));
    }
    config
        .feedForwardSize(inner)
        .experts(
            new Experts(
                required("expert_count"),
                required("expert_used_count"),
                shared == 0 ? 0 : 1,
                true,
                new Experts.Balance(0, Experts.Balance.Scope.BATCH)));
  }

  private Rotary rotary(int head) throws IOException {
    String key = architecture + ".rope.scaling.type";
    read.add("rope.scaling.type");
    String type = metadata.text(key).orElse("none");
    RotaryScaling scaling =
        switch (type) {
          case "none" -> RotaryScaling.NONE;
          case "linear" -> new RotaryScaling.Linear(number("rope.scaling.factor", 1));
          case "yarn" -> yarn();
          default ->
              throw new IOException("%s is %s, which cannot be computed.".formatted(key, type));
        };
    float base = (float) number("rope.freq_base", 10_000);
    Optional<StreamedTensor> divisors = tensors.take(FrequencyDivisors.TENSOR);
    if (divisors.isPresent()) {
      if (!architecture.equals("llama") || scaling != RotaryScaling.NONE) {
        throw new IOException(
            "The tensor %s stands beside the architecture %s and the scaling %s: such a model cannot be computed."
                .formatted(FrequencyDivisors.TENSOR, architecture, type));
      }
      scaling = FrequencyDivisors.scaling(divisors.get().load(), base, head);
    }
    return Rotary.of(LAYOUTS.get(architecture), base).with(scaling);
  }

  /** llama.cpp multiplies the attention factor with the one that the paper recommends. */
  private RotaryScaling yarn() throws IOException {
    double factor = number("rope.scaling.factor", 1);
    return new RotaryScaling.Yarn(
        factor,
        required("rope.scaling.original_context_length"),
        number("rope.scaling.yarn_beta_fast", 32),
        number("rope.scaling.yarn_beta_slow", 1),
        number("rope.scaling.attn_factor", 1) * RotaryScaling.Yarn.attentionFactor(factor));
  }

  private Layout layout() {
    return (parameter, all) -> {
      StreamedTensor tensor = all.require(name(parameter));
      boolean stacked =
          switch (parameter.role()) {
            case EXPERT_GATE, EXPERT_UP, EXPERT_DOWN -> true;
            default -> false;
          };
      if (!stacked) {
        return tensor;
      }
      if (tensor.shape().size() != 3 || tensor.rows() <= parameter.expert()) {
        throw new IOException(
            "The tensor %s has the shape %s, which is none of a stack of experts."
                .formatted(tensor.name(), tensor.shape()));
      }
      return tensor.part(parameter.expert());
    };
  }

  /** The name of a parameter, or of the stack of experts that it is in. */
  static String name(Parameter parameter) {
    String module =
        switch (parameter.role().weight()) {
          case EMBEDDING -> "token_embd";
          case NORM -> "output_norm";
          case HEAD -> "output";
          default -> "blk." + parameter.layer() + "." + inBlock(parameter.role().weight());
        };
    return module + (parameter.role().isBias() ? ".bias" : ".weight");
  }

  private static String inBlock(Role role) {
    return switch (role) {
      case ATTENTION_NORM -> "attn_norm";
      case QUERY -> "attn_q";
      case KEY -> "attn_k";
      case VALUE -> "attn_v";
      case QUERY_NORM -> "attn_q_norm";
      case KEY_NORM -> "attn_k_norm";
      case OUTPUT -> "attn_output";
      case FEED_FORWARD_NORM -> "ffn_norm";
      case GATE -> "ffn_gate";
      case UP -> "ffn_up";
      case DOWN -> "ffn_down";
      case ROUTER -> "ffn_gate_inp";
      case EXPERT_GATE -> "ffn_gate_exps";
      case EXPERT_UP -> "ffn_up_exps";
      case EXPERT_DOWN -> "ffn_down_exps";
      case SHARED_GATE -> "ffn_gate_shexp";
      case SHARED_UP -> "ffn_up_shexp";
      case SHARED_DOWN -> "ffn_down_shexp";
      default -> throw new IllegalArgumentException("GGUF has no name for " + role + ".");
    };
  }

  private int required(String key) throws IOException {
    read.add(key);
    long value =
        metadata
            .integer(architecture + "." + key)
            .orElseThrow(
                () -> new IOException("The key %s.%s is missing.".formatted(architecture, key)));
    return bounded(key, value);
  }

  private int optional(String key, int absent) throws IOException {
    read.add(key);
    return bounded(key, metadata.integer(architecture + "." + key).orElse(absent));
  }

  private int bounded(String key, long value) throws IOException {
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new IOException("%s.%s is %d, which cannot be.".formatted(architecture, key, value));
    }
    return (int) value;
  }

  private void requireCausal() throws IOException {
    read.add("attention.causal");
    if (!metadata.flag(architecture + ".attention.causal").orElse(true)) {
      throw new IOException(
          "%s.attention.causal is false: attention to later tokens cannot be computed."
              .formatted(architecture));
    }
  }

  private double number(String key) throws IOException {
    read.add(key);
    return metadata
        .number(architecture + "." + key)
        .orElseThrow(
            () -> new IOException("The key %s.%s is missing.".formatted(architecture, key)));
  }

  private double number(String key, double absent) throws IOException {
    read.add(key);
    return metadata.number(architecture + "." + key).orElse(absent);
  }

  private void neutral(String key, double neutral) throws IOException {
    double value = number(key, neutral);
    // Where it is 0, it is not set.
    if (value != 0 && Math.abs(value - neutral) > 1e-6 * neutral) {
      throw new IOException(
          "%s.%s is %s; only %s can be computed."
              .formatted(architecture, key, value, (float) neutral));
    }
  }

  private void requireNothingElse() throws IOException {
    for (String key : metadata.keys()) {
      String own =
          key.startsWith(architecture + ".") ? key.substring(architecture.length() + 1) : "";
      if (!own.isEmpty() && !read.contains(own) && !HARMLESS.contains(own)) {
        throw new IOException(
            "The key %s is not understood here and may change what the model computes."
                .formatted(key));
      }
    }
  }
}
