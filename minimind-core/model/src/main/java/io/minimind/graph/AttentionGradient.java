package io.minimind.graph;

import static io.minimind.graph.CausalAttention.LENGTH_AXIS;
import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.graph.CausalAttention.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The gradient of grouped-query attention without a past. The forward pass keeps no attention
 * probabilities, so they are computed again here, from the query and the rotated keys: one matrix
 * product more, and no [batch, heads, length, length] tensor that lives from the forward to the
 * backward pass.
 */
final class AttentionGradient {

  private final Operators op;
  private final Node node;
  private final CausalAttention attention;
  private final ElementType type;

  private AttentionGradient(Operators op, Node node) {
    this.op = op;
    this.node = node;
    this.type = node.input(0).type();
    this.attention =
        new CausalAttention(
            op, node.input(1), node.integer("num_heads", 0), node.integer("kv_num_heads", 0));
  }

  static List<Supplier<Tensor>> rule(Operators op, Node node, List<Tensor> gradients) {
    if (node.input(3).isPresent()) {
      throw new IllegalArgumentException("Attention over a past has no gradient.");
    }
    if (gradients.get(1).isPresent() || gradients.get(2).isPresent()) {
      throw new IllegalArgumentException(
          "The present keys and values of attention have no gradient; only its output has.");
    }
    return new AttentionGradient(op, node).gradients(gradients.get(0));
  }

  private List<Supplier<Tensor>> gradients(Tensor outputGradient) {
    Tensor cosine = node.input(7);
    Tensor sine = node.input(8);
    // The barrier keeps the probabilities from being computed before the backward pass is here.
    List<Tensor> ready = op.barrier(outputGradient, node.input(0));
    Tensor dy = attention.separated(ready.get(0));
    Tensor query = op.rotary(attention.separated(ready.get(1)), cosine, sine);
    Tensor along = along(ready.get(0), node.output(0));

    List<Tensor> dQueries = new ArrayList<>();
    Tensor dKey = null;
    Tensor dValue = null;
    for (Block block : attention.blocks()) {
      Part part =
          part(block, block.stacked(block.rows(query)), block.stacked(block.rows(dy)), along);
      dQueries.add(block.perHead(part.query()));
      dKey = attention.extended(dKey, op.cast(part.key(), FLOAT32));
      dValue = attention.extended(dValue, op.cast(part.value(), FLOAT32));
    }
    Tensor backSine = op.negatedOnce(sine);
    Tensor dQuery = op.concatenate(dQueries, LENGTH_AXIS, query.shape().dimension(LENGTH_AXIS));
    Tensor dq = op.rotary(dQuery, cosine, backSine);
    Tensor dk = op.rotary(op.cast(dKey, type), cosine, backSine);
    Tensor dv = op.cast(dValue, type);
    return List.of(
        () -> attention.merged(dq, node.input(0).shape()),
        () -> attention.merged(dk, node.input(1).shape()),
        () -> attention.merged(dv, node.input(2).shape()));
  }

  /**
   * The gradient of a row of probabilities along that row, {@code sum(p · dp)}, which is the
   * output's gradient along the output (Dao et al. 2022, "FlashAttention", appendix B): float32
   * [batch, heads, length, 1].
   */
  private Tensor along(Tensor outputGradient, Tensor output) {
    return attention.sumPerHead(
        op.multiply(op.cast(outputGradient, FLOAT32), op.cast(output, FLOAT32)));
  }

  /** Gradients from one block: of its queries, stacked, and of the keys and values it sees. */
  private record Part(Tensor query, Tensor key, Tensor value) {}

  private Part part(Block block, Tensor query, Tensor dy, Tensor along) {
    Tensor keys = block.columns(node.output(1));
    Tensor values = block.columns(node.output(2));
    float scale = attention.scale();
    Tensor probabilities = block.probabilities(query, keys);
    Tensor weights = block.stacked(op.cast(probabilities, type));
    Tensor dProbabilities = block.perHead(op.batchedProduct(dy, false, values, true, 1));
    Tensor centred = op.subtract(op.cast(dProbabilities, FLOAT32), block.rows(along));
    Tensor dLogits = block.stacked(op.cast(op.multiply(probabilities, centred), type));
    return new Part(
        op.batchedProduct(dLogits, false, keys, false, scale),
        op.batchedProduct(dLogits, true, query, false, scale),
        op.batchedProduct(weights, true, dy, false, 1));
  }
}
