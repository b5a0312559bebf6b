package io.minimind.artifact;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Tensor;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Weights;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Loss, logits and gradients of whole models against a PyTorch implementation. */
class TrainingArtifactsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A model of one layer whose weights are {@link Weights}; PyTorch computed it in float32. */
  private static JsonNode reference(String file) throws IOException {
    try (InputStream resource = TrainingArtifactsTest.class.getResourceAsStream(file)) {
      return JSON.readTree(resource);
    }
  }

  /** One with heads of 16, which fit the attention operator, and one with heads of 12. */
  @ParameterizedTest
  @ValueSource(strings = {"reference.json", "padded_heads_reference.json"})
  void aSmallModelHasTheLossLogitsAndGradientsOfTheReference(String file) throws IOException {
    JsonNode reference = reference(file);
    Map<String, NamedTensor> outputs = gradients(reference, 1);
    assertEquals(reference.get("loss").doubleValue(), loss(outputs), 1e-5);
    double[] logits = ModelRunner.doubles(outputs.get("logits"));
    double[] last = doubles(reference.get("last_logits"));
    assertArrayEquals(
        last, Arrays.copyOfRange(logits, logits.length - last.length, logits.length), 1e-4);
    List<String> names = Weights.of(config(reference)).stream().map(NamedTensor::name).toList();
    assertEquals(names.size(), reference.get("gradients").size());
    for (int p = 0; p < names.size(); p++) {
      JsonNode expected = reference.get("gradients").get(names.get(p));
      double[] gradient = ModelRunner.doubles(outputs.get(names.get(p) + ".gradient"));
      double norm = expected.get("norm").doubleValue();
      assertEquals(norm, norm(gradient), 1e-4 * norm, names.get(p));
      // A sum with signs of its own for each element tells what a norm does not.
      double projection = 0;
      for (int i = 0; i < gradient.length; i++) {
        projection += gradient[i] * Math.cos(p + (double) i * i);
      }
      assertEquals(expected.get("projection").doubleValue(), projection, 1e-4 * norm, names.get(p));
    }
  }

  @Test
  void theScaleMultipliesGradientsAndNotTheLoss() throws IOException {
    JsonNode reference = reference("reference.json");
    Map<String, NamedTensor> whole = gradients(reference, 1);
    Map<String, NamedTensor> quarter = gradients(reference, 0.25f);
    assertEquals(loss(whole), loss(quarter));
    String name = "layers.0.attention.wk.weight.gradient";
    double[] expected = ModelRunner.doubles(whole.get(name));
    double[] quarters = ModelRunner.doubles(quarter.get(name));
    assertArrayEquals(Arrays.stream(expected).map(x -> x / 4).toArray(), quarters, 1e-7);
  }

  @Test
  void theEvaluationModelHasTheLossOfTheTrainingModel() throws IOException {
    JsonNode reference = reference("reference.json");
    try (ModelRunner evaluation =
        ModelRunner.of(new TrainingArtifacts(config(reference)).evaluation())) {
      List<NamedTensor> inputs = inputs(reference);
      inputs.addAll(Weights.of(config(reference)));
      assertEquals(reference.get("loss").doubleValue(), loss(evaluation.run(inputs)), 1e-5);
    }
  }

  /** Here cross entropy and, for each token, the square of the logarithm of the softmax's sum. */
  @Test
  void aLossOfOnesOwnIsAveragedOverTheUnmaskedTokens() throws IOException {
    JsonNode reference = reference("reference.json");
    Objective.PerToken zLoss =
        (op, logits, labels) -> {
          Tensor logSum = op.reshape(op.logSumExp(logits), labels.shape());
          Tensor loss = new Objective.NextToken().losses(op, logits, labels);
          return op.add(loss, op.multiply(logSum, logSum));
        };
    Map<String, NamedTensor> plain = gradients(reference, 1);
    double[] logits = ModelRunner.doubles(plain.get("logits"));
    double[] mask = flat(reference.get("loss_mask"));
    int vocabulary = logits.length / mask.length;
    double sum = 0;
    for (int i = 0; i < logits.length; i += vocabulary) {
      double exponentials =
          Arrays.stream(logits, i, i + vocabulary).map(Math::exp).reduce(0, Double::sum);
      sum += mask[i / vocabulary] * Math.pow(Math.log(exponentials), 2);
    }
    double expected = loss(plain) + sum / Arrays.stream(mask).sum();
    TrainingArtifacts artifacts = new TrainingArtifacts(config(reference), zLoss);
    try (ModelRunner evaluation = ModelRunner.of(artifacts.evaluation())) {
      List<NamedTensor> inputs = inputs(reference);
      inputs.addAll(Weights.of(config(reference)));
      assertEquals(expected, loss(evaluation.run(inputs)), 1e-4);
    }
  }

  /** What else it gave would be copied out of the session, and off a GPU, in every step. */
  @Test
  void theOptimizerGivesNothingButItsFlag() {
    GraphProto graph =
        new TrainingArtifacts(ModelConfig.of(32, 1, 2, 1, 260, 32))
            .optimizer(OptimizerSettings.DEFAULT)
            .getGraph();
    assertEquals(
        List.of("updated_flag"),
        graph.getOutputList().stream().map(ValueInfoProto::getName).toList());
  }

  @Test
  void theFirstStepOfTheOriginalIsReproduced() throws IOException {
    JsonNode dense = JSON.readTree(golden("dense.json").toFile());
    JsonNode size = dense.get("config");
    ModelConfig config =
        ModelConfig.of(
            size.get("dim").intValue(),
            size.get("n_layers").intValue(),
            size.get("n_heads").intValue(),
            size.get("n_kv_heads").intValue(),
            size.get("vocab_size").intValue(),
            size.get("max_seq_len").intValue());
    List<NamedTensor> inputs =
        inputs(
            dense.get("input_ids").get(0),
            dense.get("labels").get(0),
            dense.get("loss_mask").get(0));
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    inputs.addAll(SafetensorsFile.open(golden("dense.safetensors")).tensors());
    SafetensorsFile expected = SafetensorsFile.open(golden("dense.step0.safetensors"));
    try (ModelRunner model = ModelRunner.of(new TrainingArtifacts(config).gradients())) {
      Map<String, NamedTensor> outputs = model.run(inputs);
      assertEquals(dense.get("losses").get(0).doubleValue(), loss(outputs), 1e-5);
      assertArrayEquals(
          ModelRunner.doubles(expected.tensor("__logits__").orElseThrow()),
          ModelRunner.doubles(outputs.get("logits")),
          1e-4);
      double square = 0;
      for (Parameter parameter : new TrainingArtifacts(config).parameters()) {
        String name = parameter.name();
        double[] gradient = ModelRunner.doubles(outputs.get(name + ".gradient"));
        double[] wanted = ModelRunner.doubles(expected.tensor(name).orElseThrow());
        double[] difference =
            IntStream.range(0, wanted.length).mapToDouble(i -> gradient[i] - wanted[i]).toArray();
        assertEquals(0, norm(difference) / norm(wanted), 1e-3, name);
        square += Math.pow(norm(gradient), 2);
      }
      assertEquals(
          dense.get("grad_norms_before_clip").get(0).doubleValue(), Math.sqrt(square), 1e-4);
    }
  }

  private static Map<String, NamedTensor> gradients(JsonNode reference, float scale)
      throws IOException {
    List<NamedTensor> inputs = inputs(reference);
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {scale}));
    inputs.addAll(Weights.of(config(reference)));
    try (ModelRunner model = ModelRunner.of(new TrainingArtifacts(config(reference)).gradients())) {
      return model.run(inputs);
    }
  }

  private static ModelConfig config(JsonNode reference) throws IOException {
    return JSON.treeToValue(reference.get("config"), ModelConfig.class);
  }

  /** The batch that a reference holds as lists of rows. */
  private static List<NamedTensor> inputs(JsonNode batch) {
    return inputs(batch.get("input_ids"), batch.get("labels"), batch.get("loss_mask"));
  }

  private static List<NamedTensor> inputs(JsonNode ids, JsonNode labels, JsonNode mask) {
    long[] shape = {ids.size(), ids.get(0).size()};
    double[] weights = flat(mask);
    float[] floats = new float[weights.length];
    IntStream.range(0, floats.length).forEach(i -> floats[i] = (float) weights[i]);
    return new ArrayList<>(
        List.of(
            ModelRunner.longs("input_ids", longs(flat(ids)), shape),
            ModelRunner.longs("labels", longs(flat(labels)), shape),
            NamedTensor.ofFloats("loss_mask", floats, shape)));
  }

  private static long[] longs(double[] values) {
    return Arrays.stream(values).mapToLong(value -> (long) value).toArray();
  }

  private static double[] flat(JsonNode rows) {
    return StreamSupport.stream(rows.spliterator(), false)
        .flatMapToDouble(row -> Arrays.stream(doubles(row)))
        .toArray();
  }

  private static double[] doubles(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false)
        .mapToDouble(JsonNode::doubleValue)
        .toArray();
  }

  private static double loss(Map<String, NamedTensor> outputs) {
    return ModelRunner.doubles(outputs.get("loss"))[0];
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(value -> value * value).sum());
  }

  private static Path golden(String name) {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path file = at.resolve("shared/golden").resolve(name);
      if (Files.exists(file)) {
        return file;
      }
    }
    return Assumptions.abort("no shared/golden/" + name + " beside this checkout");
  }
}
