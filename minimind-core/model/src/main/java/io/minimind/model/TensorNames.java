package io.minimind.model;

import static java.util.Map.entry;

import java.util.Map;

/**
 * What a format calls the parameters of a model.
 *
 * @param modules for each role that is no bias the name without {@code .weight}, in which {@code N}
 *     stands for the layer and {@code E} for the expert, each as a part between dots
 */
public record TensorNames(Map<Role, String> modules) {

  /** Those of MiniMind's first version, which the files of this project have. */
  public static final TensorNames MINIMIND =
      new TensorNames(
          Map.ofEntries(
              entry(Role.EMBEDDING, "tok_embeddings"),
              entry(Role.ATTENTION_NORM, "layers.N.attention_norm"),
              entry(Role.QUERY, "layers.N.attention.wq"),
              entry(Role.KEY, "layers.N.attention.wk"),
              entry(Role.VALUE, "layers.N.attention.wv"),
              entry(Role.QUERY_NORM, "layers.N.attention.q_norm"),
              entry(Role.KEY_NORM, "layers.N.attention.k_norm"),
              entry(Role.OUTPUT, "layers.N.attention.wo"),
              entry(Role.FEED_FORWARD_NORM, "layers.N.ffn_norm"),
              entry(Role.GATE, "layers.N.feed_forward.w1"),
              entry(Role.UP, "layers.N.feed_forward.w3"),
              entry(Role.DOWN, "layers.N.feed_forward.w2"),
              entry(Role.ROUTER, "layers.N.feed_forward.gate"),
              entry(Role.EXPERT_GATE, "layers.N.feed_forward.experts.E.w1"),
              entry(Role.EXPERT_UP, "layers.N.feed_forward.experts.E.w3"),
              entry(Role.EXPERT_DOWN, "layers.N.feed_forward.experts.E.w2"),
              entry(Role.SHARED_GATE, "layers.N.feed_forward.shared_experts.w1"),
              entry(Role.SHARED_UP, "layers.N.feed_forward.shared_experts.w3"),
              entry(Role.SHARED_DOWN, "layers.N.feed_forward.shared_experts.w2"),
              entry(Role.NORM, "norm"),
              entry(Role.HEAD, "output")));

  /** Those of transformers' Llama, Qwen and Mistral, and of MiniMind since its third version. */
  public static final TensorNames TRANSFORMERS =
      new TensorNames(
          Map.ofEntries(
              entry(Role.EMBEDDING, "model.embed_tokens"),
              entry(Role.ATTENTION_NORM, "model.layers.N.input_layernorm"),
              entry(Role.QUERY, "model.layers.N.self_attn.q_proj"),
              entry(Role.KEY, "model.layers.N.self_attn.k_proj"),
              entry(Role.VALUE, "model.layers.N.self_attn.v_proj"),
              entry(Role.QUERY_NORM, "model.layers.N.self_attn.q_norm"),
              entry(Role.KEY_NORM, "model.layers.N.self_attn.k_norm"),
              entry(Role.OUTPUT, "model.layers.N.self_attn.o_proj"),
              entry(Role.FEED_FORWARD_NORM, "model.layers.N.post_attention_layernorm"),
              entry(Role.GATE, "model.layers.N.mlp.gate_proj"),
              entry(Role.UP, "model.layers.N.mlp.up_proj"),
              entry(Role.DOWN, "model.layers.N.mlp.down_proj"),
              entry(Role.ROUTER, "model.layers.N.mlp.gate"),
              entry(Role.EXPERT_GATE, "model.layers.N.mlp.experts.E.gate_proj"),
              entry(Role.EXPERT_UP, "model.layers.N.mlp.experts.E.up_proj"),
              entry(Role.EXPERT_DOWN, "model.layers.N.mlp.experts.E.down_proj"),
              entry(Role.SHARED_GATE, "model.layers.N.mlp.shared_experts.gate_proj"),
              entry(Role.SHARED_UP, "model.layers.N.mlp.shared_experts.up_proj"),
              entry(Role.SHARED_DOWN, "model.layers.N.mlp.shared_experts.down_proj"),
              entry(Role.NORM, "model.norm"),
              entry(Role.HEAD, "lm_head")));

  public TensorNames {
    modules = Map.copyOf(modules);
  }

  /**
   * The name of what has a weight and perhaps a bias.
   *
   * @param layer {@link Parameter#NONE} for a role outside the layers
   * @param expert {@link Parameter#NONE} for a role outside the experts to choose from
   * @throws IllegalArgumentException if the format has no name for the role
   */
  public String module(Role role, int layer, int expert) {
    String module = modules.get(role.weight());
    if (module == null) {
      throw new IllegalArgumentException("There is no name for a parameter " + role + ".");
    }
    return module.replace(".N.", "." + layer + ".").replace(".E.", "." + expert + ".");
  }

  /** What the format calls a parameter. */
  public String of(Parameter parameter) {
    return Parameter.name(
        module(parameter.role(), parameter.layer(), parameter.expert()), parameter.role());
  }
}
