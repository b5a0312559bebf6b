package io.minimind.model;

import io.minimind.files.ArgumentException;
import io.minimind.graph.Shape;
import io.minimind.model.InitialLaw.Constant;
import io.minimind.model.InitialLaw.Normal;
import io.minimind.weights.NamedTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

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

  /** Whether a parameter has an adapter beside it. */
  boolean adapts(Parameter parameter) {
    return parameter.role().adapterTarget().filter(targets::contains).isPresent();
  }

  float scale() {
    return (float) (alpha / rank);
  }

  /** Normal with deviation {@code 1 / sqrt(in)} at the start. */
  Parameter a(Parameter adapted) {
    Normal law = new Normal(1 / Math.sqrt(adapted.in()));
    return adapter(adapted, "lora_A", Role.ADAPTER_A, Shape.of(rank, adapted.in()), law);
  }

  /** 0 at the start, so that the model begins as it was. */
  Parameter b(Parameter adapted) {
    Constant law = new Constant(0);
    return adapter(adapted, "lora_B", Role.ADAPTER_B, Shape.of(adapted.out(), rank), law);
  }

  private static Parameter adapter(
      Parameter adapted, String name, Role role, Shape shape, InitialLaw law) {
    String module = adapted.module() + "." + name;
    return new Parameter(module, role, adapted.layer(), adapted.expert(), shape, law);
  }

  /** The parameters of the adapters of a model, in the order of those that they adapt. */
  public List<Parameter> parameters(ModelConfig config) {
    return new Parameters(config).all().stream().flatMap(this::adapters).toList();
  }

  /** The parameters of a model, each with those of its adapter behind it. */
  public List<Parameter> beside(List<Parameter> model) {
    return model.stream()
        .flatMap(parameter -> Stream.concat(Stream.of(parameter), adapters(parameter)))
        .toList();
  }

  private Stream<Parameter> adapters(Parameter parameter) {
    return adapts(parameter) ? Stream.of(a(parameter), b(parameter)) : Stream.empty();
  }

  /**
   * A model of its own: every adapter added to the weight that it adapts.
   *
   * @param weights of the model without adapters
   * @param adapters every A and B
   * @throws IllegalArgumentException if an adapter has no counterpart or no weight
   */
  public List<NamedTensor> merged(
      ModelConfig config, List<NamedTensor> weights, List<NamedTensor> adapters) {
    Map<String, Parameter> declared = new HashMap<>();
    new Parameters(config).all().forEach(each -> declared.put(each.name(), each));
    Map<String, NamedTensor> byName = new HashMap<>();
    adapters.forEach(adapter -> byName.put(adapter.name(), adapter));
    List<NamedTensor> merged = new ArrayList<>();
    for (NamedTensor weight : weights) {
      Parameter parameter = declared.get(weight.name());
      boolean adapted = parameter != null && adapts(parameter);
      NamedTensor a = adapted ? byName.remove(a(parameter).name()) : null;
      NamedTensor b = adapted ? byName.remove(b(parameter).name()) : null;
      merged.add(a == null || b == null ? weight : sum(weight, a, b));
    }
    if (!byName.isEmpty()) {
      throw new ArgumentException(
          "No weight fits the adapters " + new TreeSet<>(byName.keySet()) + ".");
    }
    return merged;
  }

  /** Rounded as PEFT rounds: the product, then times the scale, then the sum. */
  private NamedTensor sum(NamedTensor weight, NamedTensor a, NamedTensor b) {
    int out = Math.toIntExact(weight.shape()[0]);
    int in = Math.toIntExact(weight.shape()[1]);
    float[] values = new float[out * in];
    weight.floats().get(values);
    FloatBuffer down = a.floats();
    FloatBuffer up = b.floats();
    double[] product = new double[in];
    for (int row = 0; row < out; row++) {
      Arrays.fill(product, 0);
      for (int r = 0; r < rank; r++) {
        double factor = up.get(row * rank + r);
        for (int column = 0; column < in; column++) {
          product[column] += factor * down.get(r * in + column);
        }
      }
      for (int column = 0; column < in; column++) {
        values[row * in + column] += (float) product[column] * scale();
      }
    }
    return NamedTensor.ofFloats(weight.name(), values, weight.shape());
  }
}
