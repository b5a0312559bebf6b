package io.minimind.artifact;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import io.minimind.graph.ElementType;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Specification;
import io.minimind.graph.Target;
import io.minimind.model.Experts;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.model.Weights;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Graphs of all precisions and targets against those of float32 on the CPU. */
class MixedPrecisionTest {

  private static final int VOCABULARY = 40;
  private static final ModelConfig CONFIG = ModelConfig.of(64, 2, 4, 2, VOCABULARY, 16);

  private static TrainingArtifacts artifacts(ModelConfig config) {
    return new TrainingArtifacts(config);
  }

  /** What a graph finds on two rows of a length, with a weight for each position. */
  private static Map<String, NamedTensor> run(
      TrainingArtifacts artifacts, ModelConfig config, int length, NamedTensor... more) {
    Random random = new Random(length);
    int tokens = 2 * length;
    float[] mask = new float[tokens];
    Arrays.fill(mask, 1);
    mask[tokens - 1] = 0;
    List<NamedTensor> inputs = new ArrayList<>(Weights.of(config));
    inputs.add(
        ModelRunner.longs("input_ids", random.longs(tokens, 0, VOCABULARY).toArray(), 2, length));
    inputs.add(
        ModelRunner.longs("labels", random.longs(tokens, 0, VOCABULARY).toArray(), 2, length));
    inputs.add(NamedTensor.ofFloats("loss_mask", mask, 2, length));
    if (Arrays.stream(more).noneMatch(input -> input.name().equals("gradient_scale"))) {
      inputs.add(scalar("gradient_scale", 1));
    }
    inputs.addAll(List.of(more));
    try (ModelRunner model = ModelRunner.of(artifacts.gradients())) {
      return model.run(inputs);
    }
  }

  private static NamedTensor scalar(String name, float value) {
    return NamedTensor.ofFloats(name, new float[] {value});
  }

  private static Map<String, NamedTensor> run(TrainingPrecision precision, NamedTensor... more) {
    return run(artifacts(CONFIG).with(precision, Target.CPU), CONFIG, 9, more);
  }

  private static double loss(Map<String, NamedTensor> outputs) {
    return ModelRunner.doubles(outputs.get("loss"))[0];
  }

  /** The norm of the difference of two gradients, as a part of the first one's. */
  private static double difference(NamedTensor expected, NamedTensor found) {
    double[] wanted = ModelRunner.doubles(expected);
    double[] got = ModelRunner.doubles(found);
    double[] difference =
        IntStream.range(0, wanted.length).mapToDouble(i -> got[i] - wanted[i]).toArray();
    return norm(difference) / norm(wanted);
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(value -> value * value).sum());
  }

  private static List<String> gradients(Map<String, NamedTensor> outputs) {
    return outputs.keySet().stream().filter(name -> name.endsWith(".gradient")).toList();
  }

  /** The graph for CUDA has attention in several operators, all of which a CPU has too. */
  @ParameterizedTest
  @CsvSource({"64, 1", "64, 2", "64, 3", "64, 9", "64, 16", "48, 1", "48, 7"})
  void attentionIsTheSameInOneOperatorAndInSeveral(int width, int length) {
    ModelConfig config = ModelConfig.of(width, 2, 4, 2, VOCABULARY, 16);
    Map<String, NamedTensor> fused = run(artifacts(config), config, length);
    TrainingArtifacts explicit = artifacts(config).with(TrainingPrecision.TF32, Target.CUDA);
    Map<String, NamedTensor> found = run(explicit, config, length);
    assertEquals(loss(fused), loss(found), 1e-5);
    assertArrayEquals(
        ModelRunner.doubles(fused.get("logits")), ModelRunner.doubles(found.get("logits")), 1e-5);
    assertFalse(gradients(fused).isEmpty());
    for (String name : gradients(fused)) {
      assertArrayEquals(
          ModelRunner.doubles(fused.get(name)), ModelRunner.doubles(found.get(name)), 1e-5, name);
    }
  }

  /**
   * A rounding to a type of {@code bits} bits changes a number by at most {@code 2^-bits} of it,
   * and a gradient has come through some tens of roundings in a row.
   */
  @ParameterizedTest
  @CsvSource({"BFLOAT16, 8", "FLOAT16, 11"})
  void gradientsAreThoseOfFloat32WithinThePrecision(TrainingPrecision precision, int bits) {
    double unit = Math.pow(2, -bits);
    Map<String, NamedTensor> exact = run(TrainingPrecision.FLOAT32);
    Map<String, NamedTensor> rounded = run(precision, lossScale(precision));
    assertEquals(loss(exact), loss(rounded), 4 * unit * loss(exact));
    assertTrue(difference(exact.get("logits"), rounded.get("logits")) < 8 * unit);
    for (String name : gradients(exact)) {
      double difference = difference(exact.get(name), rounded.get(name));
      assertTrue(difference < 16 * unit, name + " differs by " + difference);
      assertTrue(difference > unit / 16, name + " is not rounded: " + difference);
    }
  }

  private static NamedTensor[] lossScale(TrainingPrecision precision) {
    return precision.scalesLoss()
        ? new NamedTensor[] {scalar("loss_scale", 1024)}
        : new NamedTensor[0];
  }

  @Test
  void tf32HasTheGraphsOfFloat32() {
    for (Target target : Target.values()) {
      assertEquals(
          artifacts(CONFIG).with(TrainingPrecision.FLOAT32, target).training(),
          artifacts(CONFIG).with(TrainingPrecision.TF32, target).training());
    }
  }

  /**
   * Gates of experts, values and outputs of attention on the way forwards, and what a vector comes
   * out of, are products in float32 too.
   */
  @Test
  void withKernelsForItOnlyProductsAreInBfloat16() {
    ModelConfig mixture = CONFIG.with(Experts.of(4, 2, 1, 0.01));
    for (ModelConfig config : List.of(CONFIG, mixture)) {
      List<NodeProto> exact = nodes(config, TrainingPrecision.FLOAT32);
      List<NodeProto> rounded = nodes(config, TrainingPrecision.BFLOAT16);
      long gates = config.experts().isMixture() ? 3L * config.layers() : 0;
      long unrounded = gates + 2L * config.layers();
      assertEquals(count(exact, "Gemm") - unrounded, count(rounded, "Bfloat16Gemm"));
      assertEquals(unrounded, count(rounded, "Gemm"));
      assertEquals(count(exact, "FusedAttention"), count(rounded, "FusedAttention"));
      assertTrue(
          rounded.stream()
              .filter(node -> node.getOpType().equals("Cast"))
              .noneMatch(node -> node.getAttribute(0).getI() == ElementType.BFLOAT16.onnxCode()));
    }
  }

  private static List<NodeProto> nodes(ModelConfig config, TrainingPrecision precision) {
    return artifacts(config)
        .with(precision, Target.CPU_WITH_OWN_KERNELS)
        .training()
        .getGraph()
        .getNodeList();
  }

  private static long count(List<NodeProto> nodes, String operator) {
    return nodes.stream()
        .filter(node -> node.getDomain().equals(Specification.OWN))
        .filter(node -> node.getOpType().equals(operator))
        .count();
  }

  @Test
  void theLossScaleChangesNoGradientThatHasRoom() {
    Map<String, NamedTensor> once = run(TrainingPrecision.FLOAT16, scalar("loss_scale", 256));
    Map<String, NamedTensor> more = run(TrainingPrecision.FLOAT16, scalar("loss_scale", 4096));
    assertEquals(loss(once), loss(more));
    for (String name : gradients(once)) {
      assertTrue(difference(once.get(name), more.get(name)) < 1e-3, name);
    }
  }

  /** What the scale is for: gradients below the smallest number of the type would be 0. */
  @Test
  void smallGradientsNeedTheLossScale() {
    NamedTensor tiny = scalar("gradient_scale", 1e-6f);
    String name = "layers.0.attention.wq.weight.gradient";
    double expected = norm(ModelRunner.doubles(run(TrainingPrecision.FLOAT32, tiny).get(name)));
    for (float scale : new float[] {1, 65536}) {
      Map<String, NamedTensor> found =
          run(TrainingPrecision.FLOAT16, tiny, scalar("loss_scale", scale));
      double norm = norm(ModelRunner.doubles(found.get(name)));
      assertEquals(scale > 1 ? expected : 0, norm, 0.05 * expected);
    }
  }

  @Test
  void tooLargeALossScaleIsSeenInTheGradients() {
    Map<String, NamedTensor> found = run(TrainingPrecision.FLOAT16, scalar("loss_scale", 0x1p40f));
    assertTrue(Double.isFinite(loss(found)));
    double norm =
        gradients(found).stream()
            .mapToDouble(name -> norm(ModelRunner.doubles(found.get(name))))
            .sum();
    assertFalse(Double.isFinite(norm));
  }

  /** Those of the first matrices are 0 as long as the second ones are. */
  @ParameterizedTest
  @CsvSource({"BFLOAT16, 8", "FLOAT16, 11"})
  void adaptersTrainInHalfPrecisionToo(TrainingPrecision precision, int bits) {
    LowRankAdapters adapters = new LowRankAdapters(2, 5, LowRankAdapters.TARGETS);
    TrainingArtifacts artifacts =
        new TrainingArtifacts(CONFIG, new Objective.NextToken(), Optional.of(adapters));
    List<NamedTensor> more =
        new ArrayList<>(
            artifacts.trainableParameters().stream().map(parameter -> parameter.start(1)).toList());
    Map<String, NamedTensor> exact = run(artifacts, CONFIG, 5, more.toArray(NamedTensor[]::new));
    more.addAll(List.of(lossScale(precision)));
    Map<String, NamedTensor> found =
        run(artifacts.with(precision, Target.CPU), CONFIG, 5, more.toArray(NamedTensor[]::new));
    for (String name : gradients(exact)) {
      if (name.contains("lora_B")) {
        assertTrue(difference(exact.get(name), found.get(name)) < Math.pow(2, 4 - bits), name);
      }
    }
  }
}
