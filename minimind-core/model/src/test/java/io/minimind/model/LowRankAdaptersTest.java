package io.minimind.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.graph.ModelRunner;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LowRankAdaptersTest {

  private static final int VOCABULARY = 24;
  private static final ModelConfig CONFIG = ModelConfig.of(32, 2, 2, 1, VOCABULARY, 8);
  private static final LowRankAdapters ALL = new LowRankAdapters(3, 5, LowRankAdapters.TARGETS);

  private static TrainingArtifacts artifacts(LowRankAdapters adapters) {
    return new TrainingArtifacts(CONFIG, new Objective.NextToken(), Optional.of(adapters));
  }

  private static Map<String, NamedTensor> run(ModelRunner model, List<NamedTensor> parameters) {
    long[] ids = new Random(3).longs(12, 1, VOCABULARY).toArray();
    long[] labels = new Random(4).longs(12, 1, VOCABULARY).toArray();
    float[] mask = new float[12];
    Arrays.fill(mask, 1);
    List<NamedTensor> inputs = new ArrayList<>(parameters);
    inputs.add(ModelRunner.longs("input_ids", ids, 2, 6));
    inputs.add(ModelRunner.longs("labels", labels, 2, 6));
    inputs.add(NamedTensor.ofFloats("loss_mask", mask, 2, 6));
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    return model.run(inputs);
  }

  /** Adapters that have learnt something: no matrix is 0. */
  private static List<NamedTensor> learnt(LowRankAdapters adapters) {
    return artifacts(adapters).trainableParameters().stream()
        .map(
            tensor -> {
              Random random = new Random(tensor.name().hashCode());
              float[] values = new float[(int) tensor.shape().elements().extent()];
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) (0.1 * random.nextGaussian());
              }
              return NamedTensor.ofFloats(tensor.name(), values, tensor.shape().extents());
            })
        .toList();
  }

  private static List<NamedTensor> together(List<NamedTensor> one, List<NamedTensor> other) {
    List<NamedTensor> all = new ArrayList<>(one);
    all.addAll(other);
    return all;
  }

  private static double[] logits(Map<String, NamedTensor> outputs) {
    return ModelRunner.doubles(outputs.get("logits"));
  }

  @Test
  void aModelWithAdaptersEqualsTheMergedOne() {
    List<NamedTensor> weights = Weights.of(CONFIG);
    List<NamedTensor> adapters = learnt(ALL);
    try (ModelRunner adapted = ModelRunner.of(artifacts(ALL).gradients());
        ModelRunner plain = ModelRunner.of(new TrainingArtifacts(CONFIG).gradients())) {
      double[] expected = logits(run(plain, ALL.merged(CONFIG, weights, adapters)));
      assertArrayEquals(expected, logits(run(adapted, together(weights, adapters))), 1e-4);
      double[] base = logits(run(plain, weights));
      assertTrue(Math.abs(expected[0] - base[0]) > 1e-2, "the adapters matter");
      List<NamedTensor> fresh =
          ALL.parameters(CONFIG).stream().map(parameter -> parameter.start(1)).toList();
      assertArrayEquals(
          base, logits(run(adapted, together(weights, fresh))), 0, "it begins as it was");
    }
  }

  @Test
  void onlyTheTargetsHaveAdaptersAndOnlyThoseAreTrained() {
    LowRankAdapters some = new LowRankAdapters(2, 4, List.of("w2", "wq"));
    assertEquals(List.of("wq", "w2"), some.targets());
    List<String> trained =
        artifacts(some).trainableParameters().stream().map(Parameter::name).toList();
    assertEquals(
        List.of(
            "layers.0.attention.wq.lora_A.weight",
            "layers.0.attention.wq.lora_B.weight",
            "layers.0.feed_forward.w2.lora_A.weight",
            "layers.0.feed_forward.w2.lora_B.weight",
            "layers.1.attention.wq.lora_A.weight",
            "layers.1.attention.wq.lora_B.weight",
            "layers.1.feed_forward.w2.lora_A.weight",
            "layers.1.feed_forward.w2.lora_B.weight"),
        trained);
    List<String> all = artifacts(some).parameters().stream().map(Parameter::name).toList();
    new TrainingArtifacts(CONFIG)
        .parameters()
        .forEach(parameter -> assertTrue(all.contains(parameter.name()), parameter.name()));
    try (ModelRunner model = ModelRunner.of(artifacts(some).gradients())) {
      Map<String, NamedTensor> outputs = run(model, together(Weights.of(CONFIG), learnt(some)));
      trained.forEach(name -> assertTrue(outputs.containsKey(name + ".gradient"), name));
      assertFalse(outputs.containsKey("tok_embeddings.weight.gradient"));
      assertEquals(2 + trained.size(), outputs.size());
    }
  }

  /** Along each matrix' gradient the loss changes by the gradient's norm. */
  @Test
  void gradientsAreTheChangeOfTheLoss() {
    List<NamedTensor> weights = Weights.of(CONFIG);
    List<NamedTensor> adapters = learnt(ALL);
    try (ModelRunner model = ModelRunner.of(artifacts(ALL).gradients())) {
      Map<String, NamedTensor> outputs = run(model, together(weights, adapters));
      for (NamedTensor adapter : adapters) {
        double[] gradient = ModelRunner.doubles(outputs.get(adapter.name() + ".gradient"));
        double norm = Math.sqrt(Arrays.stream(gradient).map(x -> x * x).sum());
        double[] losses = new double[2];
        for (int sign = 0; sign < 2; sign++) {
          double step = (sign == 0 ? 0.01 : -0.01) / norm;
          float[] moved = new float[gradient.length];
          for (int i = 0; i < moved.length; i++) {
            moved[i] = (float) (adapter.floats().get(i) + step * gradient[i]);
          }
          NamedTensor next = NamedTensor.ofFloats(adapter.name(), moved, adapter.shape());
          List<NamedTensor> changed =
              adapters.stream().map(other -> other == adapter ? next : other).toList();
          losses[sign] = ModelRunner.doubles(run(model, together(weights, changed)).get("loss"))[0];
        }
        assertEquals(norm, (losses[0] - losses[1]) / 0.02, 0.02 * norm + 1e-4, adapter.name());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"wx", "", "wq.weight"})
  void unknownTargetsAreRefused(String target) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> new LowRankAdapters(1, 1, List.of(target)))
            .getMessage();
    assertTrue(message.contains("wq,wk,wv,wo,w1,w2,w3"), message);
  }

  @Test
  void ranksAndStrengthsOutOfRangeAreRefused() {
    List<String> targets = List.of("wq");
    assertThrows(IllegalArgumentException.class, () -> new LowRankAdapters(0, 1, targets));
    assertThrows(IllegalArgumentException.class, () -> new LowRankAdapters(1, 0, targets));
    assertThrows(IllegalArgumentException.class, () -> new LowRankAdapters(1, 1, List.of()));
    assertThrows(
        IllegalArgumentException.class,
        () -> ALL.merged(CONFIG, List.of(), learnt(ALL)),
        "no weights");
  }
}
