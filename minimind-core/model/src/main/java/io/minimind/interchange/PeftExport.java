package io.minimind.interchange;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.StoredAdapter;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.Role;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The adapter beside a model as a folder that PEFT loads onto the model it was trained on, exported
 * for transformers.
 */
final class PeftExport {

  private PeftExport() {}

  static void write(StoredModel model, Path folder) throws IOException {
    StoredAdapter adapter = StoredAdapter.read(model.folder());
    Map<String, NamedTensor> stored = new LinkedHashMap<>();
    adapter.tensors().forEach(tensor -> stored.put(tensor.name(), tensor));
    Set<String> layers = new TreeSet<>();
    List<SafetensorsFile.Part> tensors = new ArrayList<>();
    for (Parameter parameter : new Parameters(model.config()).all()) {
      NamedTensor a = stored.get(parameter.module() + PeftConfig.A);
      NamedTensor b = stored.get(parameter.module() + PeftConfig.B);
      if (a == null || b == null) {
        continue;
      }
      requireLinear(parameter.role());
      String module =
          TensorNames.TRANSFORMERS.module(parameter.role(), parameter.layer(), parameter.expert());
      layers.add(module.substring(module.lastIndexOf('.') + 1));
      StreamedTensor up =
          StreamedTensor.of(b).reordered(model.order(parameter, RotaryLayout.HALVES));
      tensors.add(part(StreamedTensor.of(a), module + PeftConfig.A));
      tensors.add(part(up, module + PeftConfig.B));
    }
    if (tensors.size() != adapter.adapters().parameters(model.config()).size()) {
      throw new IOException(
          "%s has not every tensor of the adapter that its %s describes."
              .formatted(model.folder().resolve(StoredAdapter.WEIGHTS), StoredAdapter.CONFIG));
    }
    SafetensorsFile.writeParts(folder.resolve(PeftConfig.WEIGHTS), tensors, Map.of("format", "pt"));
    Json.write(folder.resolve(PeftConfig.FILE), config(adapter, layers));
  }

  /** transformers joins the matrices of experts, and those of a shared one, into others. */
  private static void requireLinear(Role role) throws IOException {
    switch (role) {
      case EXPERT_GATE, EXPERT_UP, EXPERT_DOWN, SHARED_GATE, SHARED_UP, SHARED_DOWN ->
          throw new IOException(
              "transformers joins the matrices of experts, beside which PEFT cannot put this"
                  + " adapter: export the model, which has it merged.");
      default -> {
        // A layer of its own.
      }
    }
  }

  private static SafetensorsFile.Part part(StreamedTensor tensor, String name) {
    return SafetensorsFile.Part.of(tensor.named(PeftConfig.PREFIX + name));
  }

  private static ObjectNode config(StoredAdapter adapter, Set<String> layers) {
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("peft_type", "LORA");
    json.put("task_type", "CAUSAL_LM");
    json.putNull("base_model_name_or_path");
    json.put("r", adapter.adapters().rank());
    json.put("lora_alpha", adapter.adapters().alpha());
    json.put("lora_dropout", 0.0);
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("init_lora_weights", true);
    json.put("inference_mode", true);
    ArrayNode targets = json.putArray("target_modules");
    layers.forEach(targets::add);
    return json;
  }
}
