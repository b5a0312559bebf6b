package io.minimind.infer;

import io.minimind.files.ArgumentException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Objects;

/**
 * A decoder that lies in memory and not in a folder, such as that of a model in training. It is for
 * the runtime that trains: ONNX Runtime 1.28 refuses weights that have no file.
 *
 * @param graph what {@code model.onnx} would hold; its weights are external data
 * @param weights every weight of the graph. They are read where they lie and must stay there, and
 *     be native memory in the native byte order, until the model is closed.
 * @param fixed whether the weights stay as they are until the model is closed. Then the runtime
 *     keeps a copy of the matrices in the order in which the processor multiplies with several
 *     rows, as it does for a folder. Otherwise every change of a weight is seen by the next step,
 *     and there is no copy; steps of single texts take hardly longer for it, those of several texts
 *     up to three times as long.
 */
public record DecoderInMemory(byte[] graph, List<Weight> weights, boolean fixed) {

  /**
   * A weight.
   *
   * @param values direct, from position 0 to the limit
   * @param shape extents, outermost first
   */
  public record Weight(String name, FloatBuffer values, long... shape) {

    /**
     * @throws IllegalArgumentException if the values would have to be copied
     */
    public Weight {
      Objects.requireNonNull(name, "name");
      if (!values.isDirect()) {
        throw new ArgumentException(
            "The weight %s lies in the Java heap, but must be in native memory.".formatted(name));
      }
    }
  }

  public DecoderInMemory {
    Objects.requireNonNull(graph, "graph");
    weights = List.copyOf(weights);
  }
}
