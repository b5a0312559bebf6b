package io.minimind.graph;

import io.minimind.graph.CausalBlocks.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The gradient of grouped-query attention without a past. The forward operator keeps no attention
 * probabilities, so they are computed again here, from the query and the rotated keys: one matrix
 * product more, and no [batch, heads, length, length] tensor that lives from the forward to the
 * backward pass.
 *
 * <p>Queries are taken in blocks, and each block sees only the keys up to its own end: with four
 * blocks, five eighths of the square are computed. All query heads of one key/value head are
 * stacked along the length, so that no key or value is ever repeated.
 */
final class AttentionGradient {

  private static final float MASKED = -1e9f;
  private static final int BLOCKS = 4;
  private static final int LENGTH_AXIS = 2;

  private final Operators op;
  private final Tensor key;
  private final Tensor value;
  private final Dimension batch;
  private final Dimension length;
  private final Dimension headSize;
  private final Dimension heads;
  private final Dimension keyValueHeads;
  private final float scale;
  private final CausalBlocks blocks;

  private AttentionGradient(Operators op, Node node) {
    this.op = op;
    this.key = node.output(1);
    this.value = node.output(2);
    this.batch = key.shape().dimension(0);
    this.length = node.input(0).shape().dimension(1);
    this.headSize = key.shape().dimension(3);
    this.heads = Dimension.of(node.integer("num_heads", 0));
    this.keyValueHeads = key.shape().dimension(1);
    this.blocks = new CausalBlocks(op, length, BLOCKS);
    this.scale = (float) (1 / Math.sqrt(headSize.extent()));
  }

  static List<Supplier<Tensor>> rule(Operators op, Node node, List<Tensor> gradients) {
    if (node.input(3).isPresent()) {
      throw new IllegalArgumentException("Attention over a past has no gradient.");
    }
    if (gradients.get(1).isPresent() || gradients.get(2).isPresent()) {
      throw new IllegalArgumentException(
          "The present keys and values of attention have no gradient; only its output has.");
    }
    return new AttentionGradient(op, node).gradients(node, gradients.get(0));
  }

  /**
   * The gradients of one block of queries: [batch, heads, block, head size], and those of its keys.
   */
  private record Block(Tensor query, Tensor key, Tensor value) {}

  private List<Supplier<Tensor>> gradients(Node node, Tensor outputGradient) {
    Tensor cosine = node.input(7);
    Tensor sine = node.input(8);
    // The barrier keeps the probabilities from being computed before the backward pass is here.
    List<Tensor> ready = op.barrier(outputGradient, node.input(0));
    Tensor dy = separated(ready.get(0));
    Tensor query = op.rotary(separated(ready.get(1)), cosine, sine);
    Tensor along = along(ready.get(0), node.output(0));

    List<Tensor> dQueries = new ArrayList<>();
    Tensor dKey = null;
    Tensor dValue = null;
    for (int i = 0; i < BLOCKS; i++) {
      Range rows = blocks.block(i);
      Range columns = blocks.seenBy(i);
      Block block = block(query, dy, along, rows, columns);
      dQueries.add(block.query());
      dKey = extended(dKey, block.key());
      dValue = extended(dValue, block.value());
    }
    Tensor backSine = op.negatedOnce(sine);
    Tensor dQuery = op.concatenate(dQueries, LENGTH_AXIS, length);
    Tensor dq = op.rotary(dQuery, cosine, backSine);
    Tensor dk = op.rotary(dKey, cosine, backSine);
    Tensor dv = dValue;
    return List.of(
        () -> merged(dq, node.input(0).shape()),
        () -> merged(dk, node.input(1).shape()),
        () -> merged(dv, node.input(2).shape()));
  }

  /**
   * The gradient of a row of probabilities along that row, {@code sum(p · dp)}, which is the
   * output's gradient along the output (Dao et al. 2022, "FlashAttention", appendix B): [batch,
   * heads, length, 1].
   */
  private Tensor along(Tensor outputGradient, Tensor output) {
    Shape separate = Shape.of(batch, length, heads, headSize);
    Tensor product = op.multiply(outputGradient, output);
    return op.transpose(op.sum(op.reshape(product, separate), -1), 0, 2, 1, 3);
  }

  private Block block(
      Tensor query, Tensor outputGradient, Tensor along, Range rows, Range columns) {
    Dimension extent = rows.extent();
    Dimension grouped = extent.times(Dimension.of(heads.extent() / keyValueHeads.extent()));
    Shape stacked = Shape.of(batch, keyValueHeads, grouped, headSize);
    Shape scores = Shape.of(batch, heads, extent, columns.extent());
    Shape stackedScores = Shape.of(batch, keyValueHeads, grouped, columns.extent());
    Tensor q = op.reshape(blocks.slice(query, LENGTH_AXIS, rows), stacked);
    Tensor dy = op.reshape(blocks.slice(outputGradient, LENGTH_AXIS, rows), stacked);
    Tensor keys = blocks.slice(key, LENGTH_AXIS, columns);
    Tensor values = blocks.slice(value, LENGTH_AXIS, columns);

    Tensor logits = op.reshape(op.batchedProduct(q, false, keys, true, scale), scores);
    Tensor mask = blocks.mask(rows, columns, MASKED);
    Tensor probabilities = op.softmax(op.add(logits, mask));
    Tensor weights = op.reshape(probabilities, stackedScores);
    Tensor dProbabilities = op.reshape(op.batchedProduct(dy, false, values, true, 1), scores);
    Tensor centred = op.subtract(dProbabilities, blocks.slice(along, LENGTH_AXIS, rows));
    Tensor dLogits = op.reshape(op.multiply(probabilities, centred), stackedScores);
    Tensor dQuery = op.batchedProduct(dLogits, false, keys, false, scale);
    return new Block(
        op.reshape(dQuery, Shape.of(batch, heads, extent, headSize)),
        op.batchedProduct(dLogits, true, q, false, scale),
        op.batchedProduct(weights, true, dy, false, 1));
  }

  /** The sum of a gradient towards fewer keys and one towards more. */
  private Tensor extended(Tensor sum, Tensor next) {
    return sum == null
        ? next
        : op.add(blocks.padEnd(sum, LENGTH_AXIS, next.shape().dimension(LENGTH_AXIS)), next);
  }

  /** [batch, length, heads · head size] as [batch, heads, length, head size]. */
  private Tensor separated(Tensor x) {
    return op.transpose(op.reshape(x, Shape.of(batch, length, heads, headSize)), 0, 2, 1, 3);
  }

  /** [batch, heads, length, head size] as [batch, length, heads · head size]. */
  private Tensor merged(Tensor x, Shape shape) {
    return op.reshape(op.transpose(x, 0, 2, 1, 3), shape);
  }
}
