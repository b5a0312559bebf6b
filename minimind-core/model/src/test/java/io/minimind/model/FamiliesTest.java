package io.minimind.model;

import static io.minimind.graph.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.operator.Operators;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a configuration can say, against logits of a second implementation: {@code families.json}
 * was computed in float64 with numpy, written from the formulas of the papers and of transformers'
 * models, with the weights of {@link Weights}.
 */
class FamiliesTest {

  /**
   * @param positions those whose logits are known
   */
  record Family(String name, ModelConfig config, long[] ids, int[] positions, double[][] logits) {

    List<NamedTensor> weights() {
      return Weights.of(config);
    }

    void assertLogits(int position, double[] found, double tolerance) {
      for (int i = 0; i < positions.length; i++) {
        if (positions[i] == position) {
          for (int token = 0; token < found.length; token++) {
            assertEquals(logits[i][token], found[token], tolerance, "position " + position);
          }
        }
      }
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static List<Family> families() throws IOException {
    try (InputStream json = FamiliesTest.class.getResourceAsStream("families.json")) {
      return StreamSupport.stream(new ObjectMapper().readTree(json).spliterator(), false)
          .map(FamiliesTest::family)
          .toList();
    }
  }

  private static Family family(JsonNode json) {
    ObjectMapper mapper = new ObjectMapper();
    return new Family(
        json.get("name").textValue(),
        ModelConfig.fromJson((ObjectNode) json.get("config")),
        mapper.convertValue(json.get("ids"), long[].class),
        mapper.convertValue(json.get("positions"), int[].class),
        mapper.convertValue(json.get("logits"), double[][].class));
  }

  private static NamedTensor ids(long[] ids) {
    return ModelRunner.longs("input_ids", ids, 1, ids.length);
  }

  /** On CUDA attention is several operators, all of which a CPU has too. */
  private static void assertLogits(Family family, Target target, double tolerance) {
    Operators op = new Operators(new Graph("logits", target));
    Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
    Transformer transformer = new Transformer(op, family.config);
    op.graph().output("logits", transformer.logits(op.graph().input("input_ids", INT64, rows)));
    List<NamedTensor> inputs = new ArrayList<>(family.weights());
    inputs.add(ids(family.ids));
    try (ModelRunner runner = ModelRunner.of(op.graph().toModel())) {
      double[] logits = ModelRunner.doubles(runner.run(inputs).get("logits"));
      int vocabulary = family.config.vocabularySize();
      for (int position : family.positions) {
        int from = position * vocabulary;
        family.assertLogits(
            position, Arrays.copyOfRange(logits, from, from + vocabulary), tolerance);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void trainingComputesTheLogits(Family family) {
    assertLogits(family, Target.CPU, 2e-5);
    assertLogits(family, Target.CUDA, 2e-5);
  }

  @ParameterizedTest
  @MethodSource("families")
  void theDecoderComputesTheLogits(Family family, @TempDir Path folder) throws IOException {
    ModelFolder.writeDecoder(folder, family.config, family.weights());
    ModelFolder.writeConfig(folder, family.config, Precision.FLOAT32);
    assertEquals(family.config, ModelConfig.read(folder.resolve(ModelFolder.CONFIG)));
    assertDecoded(family, folder, 2e-5);
  }

  /** Weights and activations of 8 bits leave some hundredths. */
  @ParameterizedTest
  @MethodSource("families")
  void theQuantizedDecoderComputesAboutTheLogits(Family family, @TempDir Path folder)
      throws IOException {
    ModelFolder.writeDecoder(folder, family.config, Precision.INT8, family.weights());
    double largest =
        Arrays.stream(family.logits).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
    assertDecoded(family, folder, 0.05 * largest);
  }

  /** A prompt up to the first position whose logits are known, then token by token. */
  private static void assertDecoded(Family family, Path folder, double tolerance) {
    try (ModelRunner decoder = ModelRunner.load(folder.resolve(ModelFolder.DECODER))) {
      List<NamedTensor> past = emptyPast(family.config);
      for (int start = 0, end = family.positions[0] + 1; end <= family.ids.length; end++) {
        List<NamedTensor> inputs = new ArrayList<>(past);
        inputs.add(ids(Arrays.copyOfRange(family.ids, start, end)));
        inputs.add(ModelRunner.integers("seqlens_k", new int[] {end - 1}, 1));
        inputs.add(ModelRunner.integers("total_sequence_length", new int[] {end}));
        inputs.add(ModelRunner.longs("logit_positions", new long[] {end - start - 1}, 1));
        Map<String, NamedTensor> outputs = decoder.run(inputs);
        family.assertLogits(end - 1, ModelRunner.doubles(outputs.get("logits")), tolerance);
        past = ModelRunner.pastOf(outputs);
        start = end;
      }
    }
  }

  private static List<NamedTensor> emptyPast(ModelConfig config) {
    List<NamedTensor> past = new ArrayList<>();
    long[] shape = {1, config.keyValueHeads(), config.maxLength(), config.cachedHeadSize()};
    int size = (int) LongStream.of(shape).reduce(1, Math::multiplyExact);
    for (int layer = 0; layer < config.layers(); layer++) {
      for (String kind : List.of("key", "value")) {
        String name = "past_key_values." + layer + "." + kind;
        past.add(NamedTensor.ofFloats(name, new float[size], shape));
      }
    }
    return past;
  }

  /** Along each parameter's gradient the loss changes by the gradient's norm. */
  @ParameterizedTest
  @MethodSource("families")
  void gradientsAreTheChangeOfTheLoss(Family family) {
    List<NamedTensor> weights = family.weights();
    int length = 12;
    long[] labels = Arrays.copyOfRange(family.ids, 1, length + 1);
    float[] mask = new float[length];
    Arrays.fill(mask, 1);
    List<NamedTensor> batch =
        List.of(
            ids(Arrays.copyOf(family.ids, length)),
            ModelRunner.longs("labels", labels, 1, length),
            NamedTensor.ofFloats("loss_mask", mask, 1, length),
            NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    try (ModelRunner model = ModelRunner.of(new TrainingArtifacts(family.config).gradients())) {
      Map<String, NamedTensor> outputs = model.run(together(weights, batch));
      for (NamedTensor weight : weights) {
        double[] gradient = ModelRunner.doubles(outputs.get(weight.name() + ".gradient"));
        double norm = Math.sqrt(Arrays.stream(gradient).map(x -> x * x).sum());
        double[] losses = new double[2];
        for (int sign = 0; sign < 2 && norm > 0; sign++) {
          double step = (sign == 0 ? 3e-3 : -3e-3) / norm;
          float[] moved = new float[gradient.length];
          for (int i = 0; i < moved.length; i++) {
            moved[i] = (float) (weight.floats().get(i) + step * gradient[i]);
          }
          NamedTensor next = NamedTensor.ofFloats(weight.name(), moved, weight.shape());
          List<NamedTensor> changed =
              weights.stream().map(other -> other == weight ? next : other).toList();
          losses[sign] = ModelRunner.doubles(model.run(together(changed, batch)).get("loss"))[0];
        }
        assertEquals(norm, (losses[0] - losses[1]) / 6e-3, 0.02 * norm + 3e-4, weight.name());
      }
    }
  }

  private static List<NamedTensor> together(List<NamedTensor> one, List<NamedTensor> other) {
    List<NamedTensor> all = new ArrayList<>(one);
    all.addAll(other);
    return all;
  }

  /** Adapters beside the matrices of any family begin as nothing, and can be merged. */
  @ParameterizedTest
  @MethodSource("families")
  void everyLinearLayerOfABlockTakesAnAdapter(Family family) {
    LowRankAdapters adapters = new LowRankAdapters(2, 4, LowRankAdapters.TARGETS);
    List<Parameter> adapted =
        new Parameters(family.config)
            .all().stream().filter(p -> p.role().adapterTarget().isPresent()).toList();
    Operators op = new Operators(new Graph("adapted"));
    Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
    new Transformer(op, family.config, Optional.of(adapters), TrainingPrecision.FLOAT32)
        .logits(op.graph().input("input_ids", INT64, rows));
    assertEquals(
        adapters.parameters(family.config).stream().map(Parameter::name).toList(),
        op.graph().trainableParameters().stream().map(tensor -> tensor.name()).toList());
    assertEquals(2 * adapted.size(), adapters.parameters(family.config).size());
    List<NamedTensor> weights = family.weights();
    List<NamedTensor> learnt = new ArrayList<>();
    for (Parameter parameter : adapters.parameters(family.config)) {
      Random random = new Random(parameter.name().hashCode());
      float[] values = new float[(int) parameter.shape().elements().extent()];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat();
      }
      learnt.add(NamedTensor.ofFloats(parameter.name(), values, parameter.shape().extents()));
    }
    Set<String> changed = new HashSet<>();
    List<NamedTensor> merged = adapters.merged(family.config, weights, learnt);
    for (int i = 0; i < merged.size(); i++) {
      if (!merged.get(i).equals(weights.get(i))) {
        changed.add(merged.get(i).name());
      }
    }
    assertEquals(new HashSet<>(adapted.stream().map(Parameter::name).toList()), changed);
  }

  /** Graphs declare what is declared, in that order, whatever they are of. */
  @ParameterizedTest
  @MethodSource("families")
  void theDeclarationIsThatOfTheGraphs(Family family) {
    Operators op = new Operators(new Graph("logits"));
    new Transformer(op, family.config).logits(op.graph().input("ids", INT64, Shape.of(1, 3)));
    assertEquals(
        new Parameters(family.config).all().stream().map(p -> p.name() + p.shape()).toList(),
        op.graph().parameters().stream().map(p -> p.name() + p.shape()).toList());
    assertEquals(
        family.config.parameterCount(),
        new Parameters(family.config)
            .all().stream().mapToLong(p -> p.shape().elements().extent()).sum());
  }

  @ParameterizedTest
  @EnumSource(TrainingPrecision.class)
  void everyFamilyTrainsInEveryPrecision(TrainingPrecision precision) throws IOException {
    for (Family family : families()) {
      for (Target target : Target.values()) {
        TrainingArtifacts artifacts = new TrainingArtifacts(family.config).with(precision, target);
        assertTrue(artifacts.training().getGraph().getNodeCount() > 0, family.name);
      }
    }
  }

  @Test
  void everyPartAndEveryScalingIsAmongThem() throws IOException {
    Set<Object> found = new HashSet<>();
    for (Family family : families()) {
      found.addAll(family.config.parts());
      found.add(family.config.rotary().layout());
      found.add(family.config.rotary().scaling().getClass());
    }
    Set<Object> expected = new HashSet<>(List.of(ModelConfig.Part.values()));
    Collections.addAll(expected, RotaryLayout.values());
    Collections.addAll(expected, (Object[]) RotaryScaling.class.getPermittedSubclasses());
    assertEquals(expected, found);
  }
}
