package io.minimind.interchange;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.CutFiles;
import io.minimind.files.InputFile;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import io.minimind.weights.gguf.GgufFile;
import io.minimind.weights.torch.TorchFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** The tensors of files that other programs write, whatever their format. */
public final class WeightFiles {

  /** Where transformers looks for weights in a folder, in this order; an index names more files. */
  private static final List<String> NAMES =
      List.of(
          "model.safetensors",
          "model.safetensors.index.json",
          "pytorch_model.bin",
          "pytorch_model.bin.index.json");

  private WeightFiles() {}

  /** The file of a folder that holds its weights, or the index of several. */
  public static Optional<Path> in(Path folder) {
    return NAMES.stream().map(folder::resolve).filter(Files::exists).findFirst();
  }

  /**
   * Opens safetensors, what PyTorch saved, or GGUF, by its content; or the files that an index
   * names. Only headers are read.
   *
   * @return the tensors by their names, in the order of the file
   * @throws IOException with one sentence that names the file and what is wrong with it
   */
  public static Map<String, StreamedTensor> open(Path file) throws IOException {
    if (file.getFileName().toString().endsWith(".index.json")) {
      return shards(file);
    }
    if (GgufFile.isGguf(file)) {
      return thatMayBeCut(file, GgufFile.open(file).tensors());
    }
    if (TorchFile.isTorch(file)) {
      return thatMayBeCut(file, TorchFile.open(file).tensors());
    }
    if (!SafetensorsFile.isSafetensors(file) && !file.toString().endsWith(".safetensors")) {
      throw new IOException(
          file
              + " holds no weights: expected safetensors, GGUF or what PyTorch saved (.pth, .bin),"
              + " or a folder with such a file and config.json.");
    }
    Map<String, StreamedTensor> tensors = new LinkedHashMap<>();
    for (NamedTensor tensor : SafetensorsFile.open(file).tensors()) {
      tensors.put(tensor.name(), StreamedTensor.of(tensor));
    }
    return thatMayBeCut(file, tensors);
  }

  /** The tensors of a mapped file, whose values cannot be read any more once it is cut. */
  static Map<String, StreamedTensor> thatMayBeCut(Path file, Map<String, StreamedTensor> tensors)
      throws IOException {
    long size = Files.size(file);
    Map<String, StreamedTensor> guarded = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) ->
            guarded.put(
                name,
                new StreamedTensor(
                    tensor.name(),
                    tensor.shape(),
                    tensor.type(),
                    (first, into, offset, count) ->
                        CutFiles.reading(
                            file,
                            size,
                            () -> {
                              tensor.values().read(first, into, offset, count);
                              return null;
                            }))));
    return guarded;
  }

  private static Map<String, StreamedTensor> shards(Path index) throws IOException {
    JsonNode places = weightMap(index);
    TreeSet<String> files = new TreeSet<>();
    for (JsonNode place : places) {
      String name = place.asText();
      if (!place.isTextual() || name.isEmpty() || name.matches(".*[/\\\\:\\x00].*|\\.+")) {
        throw new IOException(
            "%s names %s where the name of a file beside it was expected.".formatted(index, place));
      }
      files.add(name);
    }
    Map<String, StreamedTensor> tensors = new LinkedHashMap<>();
    for (String name : files) {
      Path file = index.resolveSibling(name);
      if (!Files.isRegularFile(file)) {
        throw new IOException(
            "%s names %s, which is not there: download that file too.".formatted(index, name));
      }
      for (Map.Entry<String, StreamedTensor> tensor : open(file).entrySet()) {
        if (tensors.put(tensor.getKey(), tensor.getValue()) != null) {
          throw new IOException(
              "Two of the files that %s names hold a tensor %s.".formatted(index, tensor.getKey()));
        }
      }
    }
    for (Map.Entry<String, JsonNode> place : places.properties()) {
      if (!tensors.containsKey(place.getKey())) {
        throw new IOException(
            "%s says that %s holds %s, but it does not."
                .formatted(index, place.getValue().asText(), place.getKey()));
      }
    }
    return tensors;
  }

  private static JsonNode weightMap(Path index) throws IOException {
    JsonNode map = InputFile.json(index, Json.MAPPER::readTree).path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw new IOException(index + " has no weight_map that says which file holds which tensor.");
    }
    return map;
  }
}
