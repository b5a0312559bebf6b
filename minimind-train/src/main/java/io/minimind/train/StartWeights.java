package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.Checksums;
import io.minimind.files.InputException;
import io.minimind.files.Sha256;
import io.minimind.graph.ElementType;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.weights.BlockQuantization;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The weights that a run starts from: random ones, or those of a model. */
public final class StartWeights {

  private StartWeights() {}

  /** Random weights; equal seeds give equal ones. */
  public static List<NamedTensor> random(ModelConfig model, long seed) {
    return new Parameters(model).start(seed);
  }

  /**
   * What tells the model in a folder apart from others: the digest of its weights and
   * configuration.
   *
   * @throws IOException if one of them is missing
   */
  public static String fingerprint(Path modelFolder) throws IOException {
    return Sha256.of(
        modelFolder.resolve(ModelFolder.CONFIG), modelFolder.resolve(ModelFolder.WEIGHTS));
  }

  /**
   * The weights in {@code model.safetensors} of a model folder. The file is mapped, not read. What
   * it holds besides the model's parameters is left alone.
   *
   * @throws IOException if the file is missing or broken or quantized, or has not every parameter
   *     of the model as float32 in its shape
   */
  public static List<NamedTensor> of(Path modelFolder, ModelConfig model) throws IOException {
    Path path = modelFolder.resolve(ModelFolder.WEIGHTS);
    if (!Files.isRegularFile(path)) {
      throw new InputException(
          "There are no weights to start from: %s is missing.".formatted(path));
    }
    Checksums.verify(modelFolder);
    SafetensorsFile file = SafetensorsFile.open(path);
    if (file.names().stream().anyMatch(name -> name.endsWith(BlockQuantization.values("")))) {
      throw new InputException(
          "The weights in %s are quantized, and cannot be trained: give the float32 model instead."
              .formatted(path));
    }
    List<NamedTensor> weights = new ArrayList<>();
    for (Parameter parameter : new Parameters(model).all()) {
      long[] shape = parameter.shape().extents();
      NamedTensor found =
          file.tensor(parameter.name())
              .orElseThrow(
                  () ->
                      new InputException(
                          "%s has no tensor %s, which the model of %s needs."
                              .formatted(
                                  path,
                                  parameter.name(),
                                  modelFolder.resolve(ModelFolder.CONFIG))));
      if (found.type() != ElementType.FLOAT32 || !Arrays.equals(found.shape(), shape)) {
        throw new InputException(
            "%s has the tensor %s where %s asks for float32%s."
                .formatted(
                    path, found, modelFolder.resolve(ModelFolder.CONFIG), Arrays.toString(shape)));
      }
      weights.add(found);
    }
    return weights;
  }
}
