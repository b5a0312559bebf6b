package io.minimind.model;

import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.operator.Attention.Rotation;
import io.minimind.graph.operator.RotaryLayout;
import java.util.List;

/**
 * The rotary positions of a model.
 *
 * @param base of the frequencies, above 1
 * @param layersWithout those whose queries and keys are not turned, from 0
 */
public record Rotary(
    RotaryLayout layout, float base, RotaryScaling scaling, List<Integer> layersWithout) {

  /**
   * @throws IllegalArgumentException if the base is not above 1
   */
  public Rotary {
    layersWithout = layersWithout.stream().distinct().sorted().toList();
  }

  /** Without scaling, and in all layers. */
  public static Rotary of(RotaryLayout layout, float base) {
    return new Rotary(layout, base, RotaryScaling.NONE, List.of());
  }

  /** The same frequencies, scaled. */
  public Rotary with(RotaryScaling scaling) {
    return new Rotary(layout, base, scaling, layersWithout);
  }

  /**
   * The angles of all positions as constants of a graph.
   *
   * @param pairs of channels; those beyond the head's, with which it may be padded, get angles too
   */
  Rotation table(Graph graph, int positions, int headSize, int pairs) {
    float[] cosines = new float[Math.multiplyExact(positions, pairs)];
    float[] sines = new float[cosines.length];
    float[] frequencies = new float[pairs];
    for (int pair = 0; pair < pairs; pair++) {
      double unscaled = 1 / Math.pow(base, 2f * pair / headSize);
      frequencies[pair] = (float) scaling.frequency(unscaled, pair, base, headSize);
    }
    double factor = scaling.attentionFactor();
    for (int i = 0; i < cosines.length; i++) {
      float angle = i / pairs * frequencies[i % pairs];
      cosines[i] = (float) (factor * Math.cos(angle));
      sines[i] = (float) (factor * Math.sin(angle));
    }
    Shape shape = Shape.of(positions, pairs);
    return new Rotation(
        layout,
        graph.constant("rotary.cosine", shape, cosines),
        graph.constant("rotary.sine", shape, sines));
  }
}
