package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.GenaiDecoder;
import io.minimind.artifact.ModelFolder;
import io.minimind.files.AtomicFile;
import io.minimind.files.DecoderNames;
import io.minimind.graph.Graph.ExternalData;
import io.minimind.model.ModelConfig;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A model as a folder for onnxruntime-genai: the same weights, a decoder graph of its kind, and
 * {@code genai_config.json}. Quantized matrices stay as they are.
 */
final class GenaiExport {

  static final String CONFIG = "genai_config.json";

  private final StoredModel model;
  private final ModelConfig config;

  private GenaiExport(StoredModel model) {
    this.model = model;
    config = model.config();
  }

  static void write(StoredModel model, Path folder) throws IOException {
    new GenaiExport(model).write(folder);
  }

  private void write(Path folder) throws IOException {
    model.writeTokenizer(folder);
    SafetensorsFile weights = model.weights();
    Map<String, ExternalData> places = new HashMap<>();
    for (NamedTensor tensor : weights.tensors()) {
      places.put(
          tensor.name(),
          new ExternalData(
              ModelFolder.WEIGHTS,
              weights.dataOffset(tensor.name()),
              tensor.elements() * tensor.type().bytes()));
    }
    AtomicFile.replace(
        folder.resolve(ModelFolder.WEIGHTS), channel -> copy(weights.path(), channel));
    AtomicFile.replace(
        folder.resolve(ModelFolder.DECODER),
        GenaiDecoder.create(config, model.precision(), places).toByteArray());
    Json.write(folder.resolve(CONFIG), configuration());
  }

  private static void copy(Path file, FileChannel to) throws IOException {
    try (FileChannel from = FileChannel.open(file)) {
      for (long done = 0; done < from.size(); ) {
        done += from.transferTo(done, from.size() - done, to);
      }
    }
  }

  private ObjectNode configuration() throws IOException {
    ObjectNode generation = model.generation();
    JsonNode end = generation.path("eos_token_id");
    ObjectNode json = Json.MAPPER.createObjectNode();
    ObjectNode described = json.putObject("model");
    // What it computes stands in the graph; the type says that it goes on with texts.
    described.put("type", "llama");
    described.put("vocab_size", config.vocabularySize());
    described.put("context_length", config.maxLength());
    described.set("bos_token_id", given(generation.path("bos_token_id"), 0));
    described.set("eos_token_id", given(end, 0));
    described.set(
        "pad_token_id",
        given(generation.path("pad_token_id"), end.isArray() ? end.path(0).asInt() : end.asInt()));
    ObjectNode decoder = described.putObject("decoder");
    decoder.put("filename", ModelFolder.DECODER);
    decoder.put("head_size", config.cachedHeadSize());
    decoder.put("hidden_size", config.hiddenSize());
    decoder.put("num_attention_heads", config.heads());
    decoder.put("num_key_value_heads", config.keyValueHeads());
    decoder.put("num_hidden_layers", config.layers());
    decoder.putObject("session_options").putArray("provider_options");
    ObjectNode inputs = decoder.putObject("inputs");
    inputs.put("input_ids", DecoderNames.INPUT_IDS);
    inputs.put("attention_mask", GenaiDecoder.ATTENTION_MASK);
    inputs.put("past_key_names", "past_key_values.%d.key");
    inputs.put("past_value_names", "past_key_values.%d.value");
    ObjectNode outputs = decoder.putObject("outputs");
    outputs.put("logits", DecoderNames.LOGITS);
    outputs.put("present_key_names", "present.%d.key");
    outputs.put("present_value_names", "present.%d.value");
    ObjectNode search = json.putObject("search");
    search.put("max_length", config.maxLength());
    search.put("past_present_share_buffer", true);
    search.put("do_sample", false);
    return json;
  }

  private static JsonNode given(JsonNode id, int absent) {
    return id.isInt() || id.isArray() ? id : Json.MAPPER.getNodeFactory().numberNode(absent);
  }
}
