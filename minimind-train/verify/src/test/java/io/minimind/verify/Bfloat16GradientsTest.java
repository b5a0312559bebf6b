package io.minimind.verify;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.Target;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.TinyModel;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients with products in bf16 on a CPU, against float32. */
class Bfloat16GradientsTest {

  /** Of a gradient's norm. */
  private static final double LIMIT = 2e-2;

  private static FirstStep step(
      ModelConfig config, TrainingPrecision precision, Batch batch, List<NamedTensor> weights) {
    TrainingArtifacts artifacts =
        new TrainingArtifacts(config).with(precision, Target.CPU_WITH_OWN_KERNELS);
    return FirstStep.of(artifacts, batch, weights);
  }

  /** The norm of the difference, as a part of that of the expected. */
  private static double difference(FloatBuffer expected, FloatBuffer found) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.limit(); i++) {
      difference += Math.pow(found.get(i) - (double) expected.get(i), 2);
      norm += Math.pow(expected.get(i), 2);
    }
    return Math.sqrt(difference / norm);
  }

  /** Rows of one position, single rows, widths that no block of a kernel divides. */
  @ParameterizedTest
  @CsvSource({
    "64, 4, 2, 2, 9",
    "64, 4, 4, 1, 1",
    "48, 3, 1, 1, 17",
    "36, 2, 1, 3, 33",
    "128, 4, 2, 3, 61"
  })
  void areThoseOfFloat32(int width, int heads, int keyValueHeads, int rows, int length) {
    ModelConfig config =
        ModelConfig.of(
            width,
            2,
            heads,
            keyValueHeads,
            TinyModel.CONFIG.vocabularySize(),
            Math.max(16, length));
    List<NamedTensor> weights = new Parameters(config).start(3);
    try (Batch batch = TinyModel.batch(5, rows, length)) {
      FirstStep exact = step(config, TrainingPrecision.FLOAT32, batch, weights);
      FirstStep rounded = step(config, TrainingPrecision.BFLOAT16, batch, weights);
      double largest = 0;
      for (NamedTensor weight : weights) {
        String name = weight.name() + TrainingArtifacts.GRADIENT;
        FloatBuffer expected = exact.values(name);
        if (length == 1 && isZero(expected)) {
          continue; // What attends to itself alone does so whatever the query is.
        }
        double difference = difference(expected, rounded.values(name));
        assertTrue(difference < LIMIT, name + " differs by " + difference);
        largest = Math.max(largest, difference);
      }
      assertTrue(largest > 1e-4, "nothing was rounded");
    }
  }

  private static boolean isZero(FloatBuffer values) {
    for (int i = 0; i < values.limit(); i++) {
      if (Math.abs(values.get(i)) > 1e-9) {
        return false;
      }
    }
    return true;
  }

  @ParameterizedTest
  @ValueSource(strings = {"dense", "dense_accumulation", "moe"})
  void areThoseOfTheReference(String name) throws IOException {
    GoldenFolder golden = golden("shared/golden");
    TrainingReference reference = golden.read(name, TrainingReference.class);
    ModelConfig config = reference.config().model();
    List<NamedTensor> weights = golden.parameters(name, config);
    try (Batch batch = reference.batch(0)) {
      FirstStep found = step(config, TrainingPrecision.BFLOAT16, batch, weights);
      compare(found, weights, golden.tensors(name + ".step0"), NamedTensor::name);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"head_dense", "head_moe_top1", "head_moe_top2"})
  void areThoseOfTheReferenceOfTheThirdVersion(String name) throws IOException {
    GoldenFolder golden = golden("shared/golden-head");
    HeadReference reference = golden.read(name, HeadReference.class);
    ModelConfig config = reference.model();
    List<NamedTensor> weights =
        golden.parameters(reference.start(), config, TensorNames.TRANSFORMERS);
    Parameters parameters = new Parameters(config);
    try (Batch batch = reference.batch(0)) {
      FirstStep found = step(config, TrainingPrecision.BFLOAT16, batch, weights);
      compare(
          found,
          weights,
          golden.tensors(name + ".step0"),
          weight ->
              parameters.all().stream()
                  .filter(parameter -> parameter.name().equals(weight.name()))
                  .map(TensorNames.TRANSFORMERS::of)
                  .findFirst()
                  .orElseThrow());
    }
  }

  /** Rows whose gradients the reference does not have, against those of float32. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5, 6})
  void areThoseOfFloat32OnOtherRowsOfTheReference(int index) throws IOException {
    GoldenFolder golden = golden("shared/golden-head");
    HeadReference reference = golden.read("head_dense", HeadReference.class);
    ModelConfig config = reference.model();
    List<NamedTensor> weights =
        golden.parameters(reference.start(), config, TensorNames.TRANSFORMERS);
    try (Batch batch = reference.batch(index)) {
      FirstStep exact = step(config, TrainingPrecision.FLOAT32, batch, weights);
      FirstStep rounded = step(config, TrainingPrecision.BFLOAT16, batch, weights);
      for (NamedTensor weight : weights) {
        String name = weight.name() + TrainingArtifacts.GRADIENT;
        double difference = difference(exact.values(name), rounded.values(name));
        assertTrue(difference < LIMIT, name + " differs by " + difference);
      }
    }
  }

  private interface Naming {
    String of(NamedTensor weight);
  }

  private static void compare(
      FirstStep found, List<NamedTensor> weights, SafetensorsFile expected, Naming theirs)
      throws IOException {
    double largest = 0;
    String worst = "";
    for (NamedTensor weight : weights) {
      FloatBuffer gradient = GoldenFolder.tensor(expected, theirs.of(weight)).floats();
      if (isZero(gradient)) {
        continue;
      }
      FloatBuffer own = found.values(weight.name() + TrainingArtifacts.GRADIENT);
      double difference = difference(gradient, own);
      if (difference > largest) {
        largest = difference;
        worst = weight.name();
      }
    }
    assertTrue(largest < LIMIT, worst + " differs by " + largest);
  }

  private static GoldenFolder golden(String name) throws IOException {
    Path folder =
        Stream.iterate(Path.of("").toAbsolutePath(), at -> at != null, Path::getParent)
            .map(at -> at.resolve(name))
            .filter(Files::isDirectory)
            .findFirst()
            .orElse(null);
    Assumptions.assumeTrue(folder != null, "no folder " + name + " beside this checkout");
    return GoldenFolder.open(folder);
  }
}
