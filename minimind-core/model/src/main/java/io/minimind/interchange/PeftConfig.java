package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the {@code adapter_config.json} of PEFT says of an adapter, and how its tensors are called.
 * A field that is not understood is refused.
 */
final class PeftConfig {

  static final String FILE = "adapter_config.json";
  static final String WEIGHTS = "adapter_model.safetensors";

  /** Stands before the names of the base. */
  static final String PREFIX = "base_model.model.";

  static final String A = ".lora_A.weight";
  static final String B = ".lora_B.weight";
  static final String MAGNITUDE = ".lora_magnitude_vector";

  /** They say how it was trained, or where from, and nothing of what it computes. */
  private static final Set<String> HARMLESS =
      Set.of(
          "auto_mapping",
          "base_model_name_or_path",
          "exclude_modules",
          "inference_mode",
          "layers_pattern",
          "layers_to_transform",
          "lora_dropout",
          "megatron_core",
          "modules_to_save",
          "peft_version",
          "qalora_group_size",
          "revision",
          "target_modules",
          "task_type");

  private final Path file;
  private final ObjectNode json;

  private PeftConfig(Path file, ObjectNode json) {
    this.file = file;
    this.json = json;
  }

  /** Whether a folder is an adapter of PEFT; beside a model of ours the file is one of ours. */
  static boolean isIn(Path folder) {
    return Files.exists(folder.resolve(FILE))
        && Files.notExists(folder.resolve(ModelFolder.DECODER));
  }

  /** The model to which the adapter in a folder belongs, if it says so itself. */
  static Optional<String> base(Path folder) throws IOException {
    JsonNode base = Json.read(folder.resolve(FILE)).path("base_model_name_or_path");
    return Optional.ofNullable(base.textValue()).filter(name -> !name.isBlank());
  }

  /** The file of the adapter's tensors. */
  static Path weights(Path folder) throws IOException {
    return Stream.of(WEIGHTS, "adapter_model.bin")
        .map(folder::resolve)
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(() -> new IOException("%s holds no %s.".formatted(folder, WEIGHTS)));
  }

  /**
   * Reads the configuration.
   *
   * @throws IOException that names a field with which the adapter cannot be computed
   */
  static PeftConfig read(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    PeftConfig config = new PeftConfig(file, Json.read(file));
    for (Map.Entry<String, JsonNode> field : config.json.properties()) {
      if (!isUnderstood(field.getKey(), field.getValue())) {
        throw config.wrong(field.getKey());
      }
    }
    return config;
  }

  private static boolean isUnderstood(String field, JsonNode value) {
    boolean neutral =
        value.isNull()
            || value.isBoolean() && !value.booleanValue()
            || value.isContainerNode() && value.isEmpty();
    return switch (field) {
      case "peft_type" -> value.asText().equals("LORA");
      case "bias" -> value.asText().equals("none");
      case "r", "lora_alpha" -> value.isNumber() && value.asDouble() > 0;
      case "use_rslora", "use_dora" -> value.isBoolean();
      case "rank_pattern", "alpha_pattern" -> neutral || isPattern(value);
      // The other ways to begin change the base as well.
      case "init_lora_weights" -> value.isBoolean() || value.asText().equals("gaussian");
      default -> neutral || HARMLESS.contains(field);
    };
  }

  /** Keys are expressions in PEFT; those that people write are ends of names. */
  private static boolean isPattern(JsonNode value) {
    return value.isObject()
        && value.properties().stream()
            .allMatch(
                one ->
                    one.getKey().matches("[A-Za-z0-9_.]+")
                        && one.getValue().isNumber()
                        && one.getValue().asDouble() > 0);
  }

  private IOException wrong(String field) {
    return new IOException(
        "%s: %s is %s, with which an adapter cannot be merged."
            .formatted(file, field, json.path(field)));
  }

  /**
   * What B · A is multiplied with.
   *
   * @param module without {@link #PREFIX}
   * @param stored the rank that its tensors have
   */
  double scale(String module, long stored) throws IOException {
    double rank = of(module, "rank_pattern", json.path("r").asDouble(8));
    if (rank != stored) {
      throw new IOException(
          "%s gives %s the rank %s, but its tensors have the rank %d."
              .formatted(file, module, rank, stored));
    }
    double alpha = of(module, "alpha_pattern", json.path("lora_alpha").asDouble(8));
    return alpha / (json.path("use_rslora").asBoolean() ? Math.sqrt(rank) : rank);
  }

  /**
   * @param stored whether the adapter has magnitudes of the rows of a module
   */
  void checkMagnitude(String module, boolean stored) throws IOException {
    if (json.path("use_dora").asBoolean() != stored) {
      throw new IOException(
          "%s: use_dora is %s, but for %s there is %s%s."
              .formatted(file, !stored, module, stored ? "a" : "no", MAGNITUDE));
    }
  }

  /** The first pattern that fits goes before what all have. */
  private double of(String module, String patterns, double all) {
    for (Map.Entry<String, JsonNode> one : json.path(patterns).properties()) {
      if (module.equals(one.getKey()) || module.endsWith("." + one.getKey())) {
        return one.getValue().asDouble();
      }
    }
    return all;
  }
}
