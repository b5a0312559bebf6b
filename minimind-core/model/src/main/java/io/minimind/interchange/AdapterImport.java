package io.minimind.interchange;

import io.minimind.artifact.StoredAdapter;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Reads an adapter to go on training it. */
public final class AdapterImport {

  private AdapterImport() {}

  /**
   * An adapter beside the model that it was trained on.
   *
   * @param source a folder of PEFT, a file of MiniMind's ({@code .pth}), or a folder in which this
   *     project has left an adapter
   * @param model the model that it belongs to, which does not have it merged
   * @throws IOException with one sentence, if there is no adapter, it does not fit the model, or it
   *     is none that can be trained here
   */
  public static StoredAdapter read(Path source, ModelConfig model) throws IOException {
    if (Files.notExists(source)) {
      throw new IOException("There is no adapter at " + source + ": check the path.");
    }
    boolean ours = Files.exists(source.resolve(StoredAdapter.WEIGHTS));
    if (Files.isDirectory(source) && !ours && !PeftConfig.isIn(source)) {
      throw new IOException(
          "%s holds no adapter: expected %s of PEFT, or %s of a run with --lora-rank."
              .formatted(source, PeftConfig.WEIGHTS, StoredAdapter.WEIGHTS));
    }
    StoredAdapter adapter = ours ? StoredAdapter.read(source) : foreign(source, model);
    requireFitting(source, adapter, model);
    return adapter;
  }

  private static StoredAdapter foreign(Path source, ModelConfig model) throws IOException {
    return LowRankAdapter.open(source)
        .own(model)
        .orElseThrow(
            () ->
                new IOException(
                    "The adapter %s cannot be trained on: all of its layers must be layers of the model, in every block the same, with one rank and one strength, and without magnitudes or whole modules."
                        .formatted(source)));
  }

  private static void requireFitting(Path source, StoredAdapter adapter, ModelConfig model)
      throws IOException {
    LowRankAdapters adapters = adapter.adapters();
    Map<String, NamedTensor> left = new HashMap<>();
    adapter.tensors().forEach(tensor -> left.put(tensor.name(), tensor));
    for (Parameter parameter : adapters.parameters(model)) {
      NamedTensor found = left.remove(parameter.name());
      if (found == null || !Arrays.equals(found.shape(), parameter.shape().extents())) {
        throw new IOException(
            "The adapter %s does not fit the model: it has %s for %s of the shape %s."
                .formatted(
                    source,
                    found == null ? "nothing" : found,
                    parameter.name(),
                    Arrays.toString(parameter.shape().extents())));
      }
    }
    if (!left.isEmpty()) {
      throw new IOException(
          "The adapter %s does not fit the model, which has no place for %s."
              .formatted(source, left.keySet().iterator().next()));
    }
  }
}
