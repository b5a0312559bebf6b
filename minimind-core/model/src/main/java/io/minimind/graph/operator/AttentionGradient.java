package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.operator.CausalAttention.LENGTH_AXIS;

import io.minimind.graph.ElementType;
import io.minimind.graph.Node;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.CausalAttention.Block;
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
  private final Attention.Rotation rotation;

  AttentionGradient(Operators op, GroupQueryAttention operator, Node node) {
    this.op = op;
    this.node = node;
    this.type = node.input(GroupQueryAttention.QUERY).type();
    this.attention =
        new CausalAttention(
            op,
            node.input(GroupQueryAttention.KEY),
            operator,
            GroupQueryAttention.inSample(node.inputs()));
    this.rotation = operator.rotation(node.inputs());
  }

  /** The gradients of query, key and value. */
  List<Supplier<Tensor>> of(Tensor outputGradient) {
    // The barrier keeps the probabilities from being computed before the backward pass is here.
    List<Tensor> ready = Barrier.of(op.graph(), outputGradient, node.input(0));
    Tensor dy = attention.separated(ready.get(0));
    Tensor query = attention.rotated(attention.separated(ready.get(1)), rotation);
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
    Attention.Rotation back = back();
    Tensor dQuery = op.concatenate(dQueries, LENGTH_AXIS, query.shape().dimension(LENGTH_AXIS));
    Tensor dq = attention.rotated(dQuery, back);
    Tensor dk = attention.rotated(op.cast(dKey, type), back);
    Tensor dv = op.cast(dValue, type);
    return List.of(
        () -> attention.merged(dq, node.input(0).shape()),
        () -> attention.merged(dk, node.input(1).shape()),
        () -> attention.merged(dv, node.input(2).shape()));
  }

  private Attention.Rotation back() {
    return rotation.isPresent()
        ? new Attention.Rotation(
            rotation.layout(), rotation.cosine(), RotaryEmbedding.negatedOnce(op, rotation.sine()))
        : rotation;
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
