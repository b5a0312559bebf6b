package io.minimind.interchange;

import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.Role;
import io.minimind.model.RotaryScaling;
import io.minimind.model.TensorNames;
import io.minimind.weights.StreamedTensor;
import io.minimind.weights.torch.TorchWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A model as MiniMind's own scripts save it: the first version's names, or those since the second.
 */
final class StateDictionary {

  private StateDictionary() {}

  static void write(StoredModel model, Path file) throws IOException {
    ModelConfig config = model.config();
    boolean plain =
        !config.has(Part.QUERY_KEY_VALUE_BIAS)
            && !config.has(Part.OUTPUT_BIAS)
            && !config.has(Part.FEED_FORWARD_BIAS)
            && !config.has(Part.OWN_HEAD)
            && config.rotary().layersWithout().isEmpty()
            && !(config.rotary().scaling() instanceof RotaryScaling.Llama3)
            && !(config.rotary().scaling() instanceof RotaryScaling.Linear);
    boolean normed = config.has(Part.QUERY_KEY_NORM);
    boolean first =
        !normed
            && (config.experts().shared() > 0
                || config.rotary().layout() == RotaryLayout.NEIGHBOURS);
    if (!plain || normed && config.experts().shared() > 0) {
      throw new IOException(
          "No version of MiniMind has this architecture: export the model for transformers.");
    }
    RotaryLayout layout = first ? RotaryLayout.NEIGHBOURS : RotaryLayout.HALVES;
    TensorNames names = first ? TensorNames.MINIMIND : TensorNames.TRANSFORMERS;
    List<StreamedTensor> tensors = new ArrayList<>();
    for (Parameter parameter : new Parameters(config).all()) {
      tensors.add(model.values(parameter, layout).named(names.of(parameter)));
    }
    Parameter embedding = new Parameters(config).get(Role.EMBEDDING);
    // The scripts want the head by its own name, which shares the embedding's storage.
    TorchWriter.write(
        file, tensors, names.of(embedding), first ? "output.weight" : "lm_head.weight");
  }
}
