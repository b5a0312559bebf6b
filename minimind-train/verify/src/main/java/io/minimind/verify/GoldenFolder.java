package io.minimind.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.minimind.files.InputException;
import io.minimind.files.JsonErrors;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A folder of reference numbers. It knows which of them were read. */
final class GoldenFolder {

  /** The fields are in snake case; those that no case needs are passed over. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .addModule(new Jdk8Module())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private final Path folder;
  private final Set<String> read = new TreeSet<>();

  private GoldenFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * @throws IOException if there is no such folder
   */
  static GoldenFolder open(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new InputException(
          "There is no folder " + folder + ": name the folder of the reference numbers.");
    }
    return new GoldenFolder(folder);
  }

  /**
   * Reads {@code NAME.json}.
   *
   * @param name of a file, or of one in a folder: {@code FOLDER/FILE}
   * @throws IOException if it is missing or has not the fields of the type
   */
  <T> T read(String name, Class<T> type) throws IOException {
    Path file = file(name + ".json");
    read.add(name.replaceFirst("/.*", ""));
    try {
      return JSON.readValue(file.toFile(), type);
    } catch (JsonProcessingException e) {
      // What follows the first clause is about Jackson's settings and types.
      String reason = JsonErrors.reason(e).replaceFirst("( \\(index|; ).*", "");
      throw new InputException(
          "%s is damaged or of another form%s: %s.".formatted(file, JsonErrors.place(e), reason),
          e);
    }
  }

  SafetensorsFile tensors(String name) throws IOException {
    return SafetensorsFile.open(file(name + ".safetensors"));
  }

  /** A folder in it. */
  Path folder(String name) {
    read.add(name);
    return folder.resolve(name);
  }

  /** Whether there is {@code NAME.json}. */
  boolean has(String name) {
    return Files.isRegularFile(folder.resolve(name + ".json"));
  }

  /** Whether there is {@code NAME.safetensors}. */
  boolean hasTensors(String name) {
    return Files.isRegularFile(folder.resolve(name + ".safetensors"));
  }

  /**
   * The parameters of a model, in the order of its graphs, from {@code NAME.safetensors}.
   *
   * @throws IOException if one is missing or has another shape
   */
  List<NamedTensor> parameters(String name, ModelConfig config) throws IOException {
    return parameters(name, config, TensorNames.MINIMIND);
  }

  /** As {@link #parameters(String, ModelConfig)}, from a file that has other names for them. */
  List<NamedTensor> parameters(String name, ModelConfig config, TensorNames names)
      throws IOException {
    SafetensorsFile tensors = tensors(name);
    List<NamedTensor> parameters = new ArrayList<>();
    for (Parameter parameter : new Parameters(config).all()) {
      NamedTensor tensor = tensor(tensors, names.of(parameter));
      if (!Arrays.equals(tensor.shape(), parameter.shape().extents())) {
        throw new InputException(
            "%s has the tensor %s, but the configuration asks for %s."
                .formatted(tensors.path(), tensor, parameter.shape()));
      }
      parameters.add(
          new NamedTensor(parameter.name(), tensor.type(), tensor.shape(), tensor.data()));
    }
    return parameters;
  }

  static NamedTensor tensor(SafetensorsFile tensors, String name) throws IOException {
    return tensors
        .tensor(name)
        .orElseThrow(() -> new InputException(tensors.path() + " has no tensor " + name + "."));
  }

  /** The references that nothing has read. */
  List<Case> unread() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      files
          .filter(file -> file.toString().endsWith(".json") || Files.isDirectory(file))
          .forEach(file -> names.add(file.getFileName().toString().replace(".json", "")));
    }
    names.removeAll(read);
    return names.stream().<Case>map(name -> new Case.Skipped(name, "not implemented")).toList();
  }

  private Path file(String name) throws IOException {
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw new InputException(
          "The reference numbers in " + folder + " lack the file " + name + ".");
    }
    return file;
  }
}
