package io.minimind.interchange;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.Role;
import io.minimind.model.RotaryScalingJson;
import io.minimind.model.TensorNames;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A model as a folder that transformers loads without code of its own. */
final class TransformersFolder {

  private final StoredModel model;
  private final ModelConfig config;
  private final ObjectNode json = Json.MAPPER.createObjectNode();
  private final List<SafetensorsFile.Part> tensors = new ArrayList<>();

  private TransformersFolder(StoredModel model) {
    this.model = model;
    config = model.config();
  }

  static void write(StoredModel model, Path folder) throws IOException {
    new TransformersFolder(model).write(folder);
  }

  private void write(Path folder) throws IOException {
    common();
    if (config.experts().isMixture()) {
      mixture();
    } else {
      dense();
    }
    ObjectNode generation = model.generation();
    generation.properties().forEach(field -> json.set(field.getKey(), field.getValue()));
    model.writeTokenizer(folder);
    SafetensorsFile.writeParts(
        folder.resolve(ModelFolder.WEIGHTS), tensors, Map.of("format", "pt"));
    Json.write(folder.resolve(ModelFolder.GENERATION_CONFIG), generation);
    Json.write(folder.resolve(ModelFolder.CONFIG), json);
  }

  private void common() {
    json.put("hidden_size", config.hiddenSize());
    json.put("num_hidden_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("num_key_value_heads", config.keyValueHeads());
    json.put("head_dim", config.headSize());
    json.put("intermediate_size", config.feedForwardSize());
    json.put("vocab_size", config.vocabularySize());
    json.put("max_position_embeddings", config.maxLength());
    json.put("rms_norm_eps", config.normEpsilon());
    json.put("hidden_act", "silu");
    json.put("tie_word_embeddings", !config.has(Part.OWN_HEAD));
    json.put("torch_dtype", "float32");
    json.put("use_cache", true);
    json.put("rope_theta", config.rotary().base());
    RotaryScalingJson.write(config.rotary().scaling())
        .ifPresent(scaling -> json.set(RotaryScalingJson.FIELD, scaling));
  }

  /**
   * Biases of queries, keys and values alone are Qwen2's, for which transformers rebuilds
   * tokenizers.
   */
  private void dense() throws IOException {
    boolean bias = config.has(Part.QUERY_KEY_VALUE_BIAS) || config.has(Part.OUTPUT_BIAS);
    if (config.has(Part.QUERY_KEY_NORM)) {
      require(!config.has(Part.FEED_FORWARD_BIAS), "biases of the feed-forward layers");
      family("qwen3", "Qwen3ForCausalLM");
      json.put("use_sliding_window", false);
    } else if (!config.rotary().layersWithout().isEmpty()) {
      family("smollm3", "SmolLM3ForCausalLM");
      var layers = json.putArray("no_rope_layers");
      for (int layer = 0; layer < config.layers(); layer++) {
        layers.add(config.rotary().layersWithout().contains(layer) ? 0 : 1);
      }
    } else {
      family("llama", "LlamaForCausalLM");
    }
    json.put("attention_bias", bias);
    if (!config.has(Part.QUERY_KEY_NORM)) {
      json.put("mlp_bias", config.has(Part.FEED_FORWARD_BIAS));
    }
    for (Parameter parameter : new Parameters(config).all()) {
      add(TensorNames.TRANSFORMERS.of(parameter), values(parameter));
    }
    if (bias) {
      zeroBiases();
    }
  }

  /** Where one bias is, the class has all four. */
  private void zeroBiases() {
    Parameters parameters = new Parameters(config);
    List<Role> missing =
        !config.has(Part.OUTPUT_BIAS)
            ? List.of(Role.OUTPUT_BIAS)
            : config.has(Part.QUERY_KEY_VALUE_BIAS)
                ? List.of()
                : List.of(Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS);
    for (int layer = 0; layer < config.layers(); layer++) {
      for (Role role : missing) {
        Parameter parameter = parameters.get(role, layer);
        long size = parameter.shape().dimension(0).extent();
        add(
            TensorNames.TRANSFORMERS.of(parameter),
            StreamedTensor.of(parameter.name(), new float[(int) size], size));
      }
    }
  }

  private void mixture() throws IOException {
    Experts experts = config.experts();
    require(
        !config.has(Part.QUERY_KEY_VALUE_BIAS) && !config.has(Part.OUTPUT_BIAS),
        "biases beside a mixture of experts");
    require(
        config.rotary().layersWithout().isEmpty(), "layers without rotary positions and experts");
    json.put("num_experts_per_tok", experts.perToken());
    json.put("router_aux_loss_coef", experts.balance().weight());
    if (config.has(Part.QUERY_KEY_NORM)) {
      require(experts.shared() == 0, "norms of queries and keys beside a shared expert");
      family("qwen3_moe", "Qwen3MoeForCausalLM");
      json.put("num_experts", experts.routed());
      json.put("moe_intermediate_size", config.feedForwardSize());
      json.put("norm_topk_prob", experts.renormalised());
      json.put("decoder_sparse_step", 1);
      json.putArray("mlp_only_layers");
      json.put("use_sliding_window", false);
      for (Parameter parameter : new Parameters(config).all()) {
        add(TensorNames.TRANSFORMERS.of(parameter), values(parameter));
      }
      return;
    }
    require(experts.renormalised(), "a mixture whose weights are not divided by their sum");
    family("granitemoeshared", "GraniteMoeSharedForCausalLM");
    json.put("num_local_experts", experts.routed());
    json.put("shared_intermediate_size", experts.shared() == 0 ? 0 : config.feedForwardSize());
    json.put("embedding_multiplier", 1.0);
    json.put("residual_multiplier", 1.0);
    json.put("logits_scaling", 1.0);
    json.put("attention_multiplier", 1 / Math.sqrt(config.headSize()));
    json.put("attention_bias", false);
    granite();
  }

  private void granite() throws IOException {
    Parameters parameters = new Parameters(config);
    for (Parameter parameter : parameters.all()) {
      String layer = "model.layers." + parameter.layer() + ".";
      String block = layer + "block_sparse_moe.";
      boolean first = parameter.expert() == 0;
      switch (parameter.role()) {
        case ROUTER -> add(block + "router.layer.weight", values(parameter));
        case EXPERT_GATE -> {
          if (first) {
            add(block + "input_linear.weight", stack(parameter, Role.EXPERT_GATE, Role.EXPERT_UP));
          }
        }
        case EXPERT_DOWN -> {
          if (first) {
            add(block + "output_linear.weight", stack(parameter, Role.EXPERT_DOWN));
          }
        }
        case EXPERT_UP, SHARED_UP -> {
          // Joined with the gates.
        }
        case SHARED_GATE ->
            add(
                layer + "shared_mlp.input_linear.weight",
                joined(
                    List.of(
                        values(parameter),
                        values(parameters.get(Role.SHARED_UP, parameter.layer())))));
        case SHARED_DOWN -> add(layer + "shared_mlp.output_linear.weight", values(parameter));
        default -> add(TensorNames.TRANSFORMERS.of(parameter), values(parameter));
      }
    }
  }

  /** The matrices of all experts of a layer as one tensor [experts, out, in]. */
  private StreamedTensor stack(Parameter parameter, Role... roles) throws IOException {
    Parameters parameters = new Parameters(config);
    List<StreamedTensor> all = new ArrayList<>();
    for (int expert = 0; expert < config.experts().routed(); expert++) {
      for (Role role : roles) {
        all.add(values(parameters.get(role, parameter.layer(), expert)));
      }
    }
    StreamedTensor joined = joined(all);
    long experts = config.experts().routed();
    return joined.shaped(experts, joined.rows() / experts, joined.rowElements());
  }

  /** Matrices of one size below each other. */
  static StreamedTensor joined(List<StreamedTensor> parts) {
    long each = parts.get(0).elements();
    return new StreamedTensor(
        parts.get(0).name(),
        List.of(parts.size() * parts.get(0).rows(), parts.get(0).rowElements()),
        parts.get(0).type(),
        (first, into, offset, count) -> {
          int done = 0;
          while (done < count) {
            int part = (int) ((first + done) / each);
            long within = (first + done) % each;
            int piece = (int) Math.min(count - done, each - within);
            parts.get(part).values().read(within, into, offset + done, piece);
            done += piece;
          }
        });
  }

  private StreamedTensor values(Parameter parameter) throws IOException {
    return model.values(parameter, RotaryLayout.HALVES);
  }

  private void add(String name, StreamedTensor tensor) {
    tensors.add(SafetensorsFile.Part.of(tensor.named(name)));
  }

  private void family(String type, String architecture) {
    json.put("model_type", type);
    json.putArray("architectures").add(architecture);
  }

  private static void require(boolean possible, String part) throws IOException {
    if (!possible) {
      throw new IOException("transformers has no model with " + part + ".");
    }
  }
}
