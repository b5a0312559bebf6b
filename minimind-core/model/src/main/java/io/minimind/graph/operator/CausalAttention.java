package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.CausalBlocks.Range;
import java.util.ArrayList;
import java.util.List;

/**
 * Grouped-query attention without a past, in operators that have kernels everywhere: what the
 * forward and the backward pass have in common, and the forward pass.
 *
 * <p>Queries are taken in blocks, and each block sees only the keys up to its own end: with four
 * blocks, five eighths of the square are computed. All query heads of one key/value head are
 * stacked along the length, so that no key or value is ever repeated. Whatever the type of query,
 * key and value, softmax is float32. Where rows hold several samples, a mask keeps these apart.
 */
final class CausalAttention {

  static final int BLOCKS = 4;
  static final int LENGTH_AXIS = 2;

  private static final float MASKED = -1e9f;

  private final Operators op;
  private final Dimension batch;
  private final Dimension length;
  private final Dimension heads;
  private final Dimension keyValueHeads;
  private final Dimension headSize;
  private final float scale;
  private final CausalBlocks blocks;
  private final Tensor inSample;

  /**
   * @param key [batch, length, key/value heads · head size]
   * @param inSample {@link Attention.Positions#inSample}
   */
  CausalAttention(Operators op, Tensor key, GroupQueryAttention operator, Tensor inSample) {
    this.op = op;
    this.inSample = inSample;
    this.batch = key.shape().dimension(0);
    this.length = key.shape().dimension(1);
    this.heads = Dimension.of(operator.queryHeads());
    this.keyValueHeads = Dimension.of(operator.keyValueHeads());
    this.headSize = Dimension.of(key.shape().dimension(2).extent() / operator.keyValueHeads());
    this.scale = (float) (1 / Math.sqrt(headSize.extent()));
    this.blocks = new CausalBlocks(op, length, BLOCKS);
  }

  /** A block of queries and the keys that it sees. */
  final class Block {
    private final Range rows;
    private final Range columns;

    private Block(int index) {
      this.rows = blocks.block(index);
      this.columns = blocks.seenBy(index);
    }

    /** Of [batch, heads, length, …] this block's rows. */
    Tensor rows(Tensor x) {
      return blocks.slice(x, LENGTH_AXIS, rows);
    }

    /** Of [batch, key/value heads, length, head size] what this block sees. */
    Tensor columns(Tensor x) {
      return blocks.slice(x, LENGTH_AXIS, columns);
    }

    /** [batch, heads, block, …] as [batch, key/value heads, heads of each · block, …]. */
    Tensor stacked(Tensor x) {
      Dimension each = Dimension.of(heads.extent() / keyValueHeads.extent());
      Dimension last = x.shape().dimension(-1);
      return op.reshape(x, Shape.of(batch, keyValueHeads, rows.extent().times(each), last));
    }

    /** The way back from {@link #stacked}. */
    Tensor perHead(Tensor x) {
      return op.reshape(x, Shape.of(batch, heads, rows.extent(), x.shape().dimension(-1)));
    }

    /**
     * @param query rows, stacked
     * @param key columns
     * @return float32 [batch, heads, block, columns]
     */
    Tensor probabilities(Tensor query, Tensor key) {
      Tensor logits = perHead(op.batchedProduct(query, false, key, true, scale));
      Tensor causal = op.add(op.cast(logits, FLOAT32), blocks.mask(rows, columns, MASKED));
      return op.softmax(
          inSample.isPresent()
              ? op.add(causal, blocks.apart(inSample, rows, columns, MASKED))
              : causal);
    }
  }

  /** The blocks from the first to the last. */
  List<Block> blocks() {
    List<Block> all = new ArrayList<>();
    for (int i = 0; i < BLOCKS; i++) {
      all.add(new Block(i));
    }
    return all;
  }

  /** Adds the forward pass: output, rotated keys, values. */
  List<Tensor> add(Tensor query, Tensor key, Tensor value, Attention.Rotation rotation) {
    Tensor queries = rotated(separated(query), rotation);
    Tensor keys = rotated(separated(key), rotation);
    Tensor values = separated(value);
    List<Tensor> outputs = new ArrayList<>();
    for (Block block : blocks()) {
      Tensor rows = block.stacked(block.rows(queries));
      Tensor probabilities = block.probabilities(rows, block.columns(keys));
      Tensor weights = block.stacked(op.cast(probabilities, query.type()));
      outputs.add(
          block.perHead(op.batchedProduct(weights, false, block.columns(values), false, 1)));
    }
    Tensor output = op.concatenate(outputs, LENGTH_AXIS, length);
    return List.of(merged(output, query.shape()), keys, values);
  }

  /** [batch, heads, length, size] turned by the angles of its positions, if there are any. */
  Tensor rotated(Tensor x, Attention.Rotation rotation) {
    return rotation.isPresent() ? RotaryEmbedding.of(op, x, inSample, rotation) : x;
  }

  float scale() {
    return scale;
  }

  /** The sum of a tensor towards fewer keys and one towards more; the first may be null. */
  Tensor extended(Tensor sum, Tensor next) {
    return sum == null
        ? next
        : op.add(blocks.padEnd(sum, LENGTH_AXIS, next.shape().dimension(LENGTH_AXIS)), next);
  }

  /** [batch, length, heads · size] as [batch, heads, length, size], of any number of heads. */
  Tensor separated(Tensor x) {
    Dimension count = Dimension.of(x.shape().dimension(2).extent() / headSize.extent());
    return op.transpose(op.reshape(x, Shape.of(batch, length, count, headSize)), 0, 2, 1, 3);
  }

  /** The way back from {@link #separated}. */
  Tensor merged(Tensor x, Shape shape) {
    return op.reshape(op.transpose(x, 0, 2, 1, 3), shape);
  }

  /** Sums over each head of [batch, length, heads · size]: [batch, heads, length, 1]. */
  Tensor sumPerHead(Tensor x) {
    return op.transpose(
        op.sum(op.reshape(x, Shape.of(batch, length, heads, headSize)), -1), 0, 2, 1, 3);
  }
}
