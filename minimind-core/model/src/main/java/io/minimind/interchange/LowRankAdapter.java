package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A low-rank adapter of another project: a folder of PEFT, or a file of MiniMind's. It is merged: a
 * matrix W becomes {@code W + scale · B · A} while it is read.
 */
final class LowRankAdapter {

  static final String CONFIG = "adapter_config.json";

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

  private LowRankAdapter() {}

  /** Whether a folder is an adapter of PEFT. */
  static boolean isFolder(Path folder) {
    return Files.exists(folder.resolve(CONFIG));
  }

  /** The model to which the adapter in a folder belongs, as it says itself. */
  static String base(Path folder) throws IOException {
    return Json.read(folder.resolve(CONFIG)).path("base_model_name_or_path").asText("unknown");
  }

  /**
   * Merges an adapter into the tensors of its base.
   *
   * @param adapter a folder of PEFT or a file of MiniMind's
   * @throws IOException if it does not belong to the base, or asks for what cannot be merged
   */
  static void merge(Path adapter, TensorSet base) throws IOException {
    if (!Files.isDirectory(adapter)) {
      merge(adapter, WeightFiles.open(adapter), ".lora.A.weight", ".lora.B.weight", "", 1, base);
      return;
    }
    ObjectNode config = Json.read(adapter.resolve(CONFIG));
    requireUnderstood(adapter.resolve(CONFIG), config);
    Path weights =
        Stream.of("adapter_model.safetensors", "adapter_model.bin")
            .map(adapter::resolve)
            .filter(Files::exists)
            .findFirst()
            .orElseThrow(
                () -> new IOException("%s holds no adapter_model.safetensors.".formatted(adapter)));
    double alpha = config.path("lora_alpha").asDouble(8);
    double rank = config.path("r").asDouble(8);
    double scale = alpha / (config.path("use_rslora").asBoolean() ? Math.sqrt(rank) : rank);
    merge(
        weights,
        WeightFiles.open(weights),
        ".lora_A.weight",
        ".lora_B.weight",
        "base_model.model.",
        scale,
        base);
  }

  private static void requireUnderstood(Path file, ObjectNode config) throws IOException {
    for (Map.Entry<String, JsonNode> field : config.properties()) {
      JsonNode value = field.getValue();
      boolean neutral =
          value.isNull()
              || value.isBoolean() && !value.booleanValue()
              || value.isContainerNode() && value.isEmpty();
      boolean understood =
          switch (field.getKey()) {
            case "peft_type" -> value.asText().equals("LORA");
            case "bias" -> value.asText().equals("none");
            case "r", "lora_alpha" -> value.isNumber() && value.asDouble() > 0;
            case "use_rslora" -> value.isBoolean();
            // The other ways to begin change the base as well.
            case "init_lora_weights" -> value.isBoolean() || value.asText().equals("gaussian");
            default -> neutral || HARMLESS.contains(field.getKey());
          };
      if (!understood) {
        throw new IOException(
            "%s: %s is %s, with which an adapter cannot be merged."
                .formatted(file, field.getKey(), value));
      }
    }
  }

  private static void merge(
      Path file,
      Map<String, StreamedTensor> tensors,
      String first,
      String second,
      String prefix,
      double scale,
      TensorSet base)
      throws IOException {
    Map<String, StreamedTensor> left = new TreeMap<>(tensors);
    for (String name : tensors.keySet()) {
      if (!name.startsWith(prefix)) {
        continue;
      }
      if (name.endsWith(first)) {
        String module = name.substring(0, name.length() - first.length());
        StreamedTensor down = left.remove(name);
        StreamedTensor up =
            Optional.ofNullable(left.remove(module + second))
                .orElseThrow(
                    () ->
                        new IOException(
                            "%s holds %s but no %s.".formatted(file, name, module + second)));
        String weight = module.substring(prefix.length()) + ".weight";
        base.replace(weight, merged(file, base.peek(weight), down, up, scale));
      } else if (!prefix.isEmpty() && !name.contains("lora_")) {
        // A module that was saved as a whole.
        String weight = name.substring(prefix.length());
        base.replace(weight, left.remove(name).named(weight));
      }
    }
    if (!left.isEmpty() || tensors.isEmpty()) {
      throw new IOException(
          tensors.isEmpty()
              ? file + " holds no tensors."
              : "%s holds %s, which is not understood here."
                  .formatted(file, left.keySet().iterator().next()));
    }
  }

  private static StreamedTensor merged(
      Path file, StreamedTensor matrix, StreamedTensor down, StreamedTensor up, double scale)
      throws IOException {
    int rank = (int) down.rows();
    int in = (int) matrix.rowElements();
    if (matrix.shape().size() != 2
        || down.rowElements() != in
        || up.rows() != matrix.rows()
        || up.rowElements() != rank) {
      throw new IOException(
          "The adapter %s has %s and %s for %s, which do not fit."
              .formatted(file, down, up, matrix));
    }
    float[] a = down.load();
    float[] b = up.load();
    return new StreamedTensor(
        matrix.name(),
        matrix.shape(),
        matrix.type(),
        (start, into, offset, count) -> {
          matrix.values().read(start, into, offset, count);
          for (int i = 0; i < count; i++) {
            int row = (int) ((start + i) / in);
            int column = (int) ((start + i) % in);
            double sum = 0;
            for (int k = 0; k < rank; k++) {
              sum += (double) b[row * rank + k] * a[k * in + column];
            }
            into[offset + i] += (float) (scale * sum);
          }
        });
  }
}
