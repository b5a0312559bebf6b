package io.minimind.artifact;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.files.JsonErrors;
import io.minimind.files.StrictJson;
import io.minimind.model.LowRankAdapters;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The low-rank adapters that lie beside a model which has them merged: {@code adapter.safetensors}
 * and {@code adapter_config.json}.
 *
 * @param tensors every A and B, by the names that {@link LowRankAdapters#parameters} has
 */
public record StoredAdapter(LowRankAdapters adapters, List<NamedTensor> tensors) {

  public static final String WEIGHTS = "adapter.safetensors";
  public static final String CONFIG = "adapter_config.json";

  private static final ObjectMapper JSON =
      StrictJson.mapper().enable(SerializationFeature.INDENT_OUTPUT);

  public StoredAdapter {
    tensors = List.copyOf(tensors);
  }

  /** Writes both files. */
  public void write(Path folder) throws IOException {
    SafetensorsFile.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
    AtomicFile.replace(folder.resolve(CONFIG), JSON.writeValueAsBytes(adapters));
  }

  /**
   * Reads both files.
   *
   * @throws IOException with one sentence, if one is missing or damaged
   */
  public static StoredAdapter read(Path folder) throws IOException {
    Path config = folder.resolve(CONFIG);
    Path weights = folder.resolve(WEIGHTS);
    if (!Files.isRegularFile(config) || !Files.isRegularFile(weights)) {
      throw new InputException(
          "There is no adapter in %s: one is where a run with --lora-rank trained it, or where a model was imported with one."
              .formatted(folder));
    }
    try {
      return new StoredAdapter(
          JSON.treeToValue(InputFile.json(config, JSON::readTree), LowRankAdapters.class),
          SafetensorsFile.open(weights).tensors());
    } catch (JsonProcessingException e) {
      throw new InputException(
          "%s describes no adapter%s: %s."
              .formatted(config, JsonErrors.place(e), JsonErrors.reason(e)),
          e);
    }
  }
}
