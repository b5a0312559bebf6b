package io.minimind.model;

import io.minimind.files.ArgumentException;
import io.minimind.graph.Tensor;
import io.minimind.weights.NamedTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * Low-rank adaptation (Hu et al. 2021, "LoRA"): the weights of a model stay as they are, and to
 * some of its linear layers {@code x Wᵀ} is added {@code alpha / rank · x Aᵀ Bᵀ}, of which only A
 * [rank, in] and B [out, rank] are trained. They are the parameters {@code NAME.lora_A.weight} and
 * {@code NAME.lora_B.weight} of the layer whose weight is {@code NAME.weight}.
 *
 * @param rank of the addition, at least 1
 * @param alpha its strength, above 0
 * @param targets which layers of every block have one: some of {@link #TARGETS}, in that order
 */
public record LowRankAdapters(int rank, double alpha, List<String> targets) {

  /** The linear layers of a block: attention, then feed-forward. */
  public static final List<String> TARGETS = List.of("wq", "wk", "wv", "wo", "w1", "w2", "w3");

  private static final String A = ".lora_A.weight";
  private static final String B = ".lora_B.weight";

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public LowRankAdapters {
    if (rank < 1) {
      throw new ArgumentException("The LoRA rank must be at least 1, but is " + rank + ".");
    }
    if (!(alpha > 0) || Double.isInfinite(alpha)) {
      throw new ArgumentException("The LoRA alpha must be a number above 0, but is " + alpha + ".");
    }
    if (targets.isEmpty() || !TARGETS.containsAll(targets)) {
      throw new ArgumentException(
          "The LoRA targets must be some of %s, but are %s."
              .formatted(String.join(",", TARGETS), String.join(",", targets)));
    }
    List<String> given = targets;
    targets = TARGETS.stream().filter(given::contains).toList();
  }

  /** The name of the layer that has a weight. */
  static String layer(String weight) {
    return weight.replaceFirst("\\.weight$", "");
  }

  boolean adapts(String layer) {
    return targets.contains(layer.substring(layer.lastIndexOf('.') + 1));
  }

  float scale() {
    return (float) (alpha / rank);
  }

  static String a(String layer) {
    return layer + A;
  }

  static String b(String layer) {
    return layer + B;
  }

  /**
   * Start values: B is 0, so that the model begins as it was, and A is normal with deviation {@code
   * 1 / sqrt(in)}.
   *
   * @param parameters those of the adapters
   */
  public static List<NamedTensor> initialize(List<Tensor> parameters, long seed) {
    return parameters.stream().map(parameter -> initialize(parameter, seed)).toList();
  }

  private static NamedTensor initialize(Tensor parameter, long seed) {
    long[] extents = parameter.shape().extents();
    float[] values = new float[Math.toIntExact(parameter.shape().elements().extent())];
    if (parameter.name().endsWith(A)) {
      Random random = new Random(31 * seed + parameter.name().hashCode());
      double deviation = 1 / Math.sqrt(extents[1]);
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (deviation * random.nextGaussian());
      }
    }
    return NamedTensor.ofFloats(parameter.name(), values, extents);
  }

  /**
   * A model of its own: every adapter added to the weight that it adapts.
   *
   * @param weights of the model without adapters
   * @param adapters every A and B
   * @throws IllegalArgumentException if an adapter has no counterpart or no weight
   */
  public List<NamedTensor> merged(List<NamedTensor> weights, List<NamedTensor> adapters) {
    Map<String, NamedTensor> byName = new HashMap<>();
    adapters.forEach(adapter -> byName.put(adapter.name(), adapter));
    List<NamedTensor> merged = new ArrayList<>();
    for (NamedTensor weight : weights) {
      String layer = layer(weight.name());
      NamedTensor a = byName.remove(a(layer));
      NamedTensor b = byName.remove(b(layer));
      merged.add(a == null || b == null ? weight : sum(weight, a, b));
    }
    if (!byName.isEmpty()) {
      throw new ArgumentException(
          "No weight fits the adapters " + new TreeSet<>(byName.keySet()) + ".");
    }
    return merged;
  }

  private NamedTensor sum(NamedTensor weight, NamedTensor a, NamedTensor b) {
    int out = Math.toIntExact(weight.shape()[0]);
    int in = Math.toIntExact(weight.shape()[1]);
    float[] values = new float[out * in];
    weight.floats().get(values);
    FloatBuffer down = a.floats();
    FloatBuffer up = b.floats();
    for (int row = 0; row < out; row++) {
      for (int r = 0; r < rank; r++) {
        float factor = scale() * up.get(row * rank + r);
        for (int column = 0; column < in; column++) {
          values[row * in + column] += factor * down.get(r * in + column);
        }
      }
    }
    return NamedTensor.ofFloats(weight.name(), values, weight.shape());
  }
}
