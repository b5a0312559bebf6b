package io.minimind.graph;

import java.util.List;
import java.util.function.Supplier;

/**
 * The gradient of grouped-query attention without a past. The forward operator keeps no attention
 * probabilities, so they are computed again here, from the query and the rotated keys: one matrix
 * product more, and no [batch, heads, length, length] tensor that lives from the forward to the
 * backward pass.
 *
 * <p>All query heads of one key/value head are stacked along the length, so that no key or value is
 * ever repeated.
 */
final class AttentionGradient {

  private static final float MASKED = -1e9f;

  private AttentionGradient() {}

  static List<Supplier<Tensor>> rule(Operators op, Node node, List<Tensor> gradients) {
    if (node.input(3).isPresent()) {
      throw new IllegalArgumentException("Attention over a past has no gradient.");
    }
    if (gradients.get(1).isPresent() || gradients.get(2).isPresent()) {
      throw new IllegalArgumentException(
          "The present keys and values of attention have no gradient; only its output has.");
    }
    Tensor query = node.input(0);
    Tensor cosine = node.input(7);
    Tensor sine = node.input(8);
    Tensor key = node.output(1);
    Tensor value = node.output(2);

    Dimension batch = query.shape().dimension(0);
    Dimension length = query.shape().dimension(1);
    Dimension headSize = key.shape().dimension(3);
    Dimension heads = Dimension.of(node.integer("num_heads", 0));
    Dimension keyValueHeads = key.shape().dimension(1);
    Dimension grouped = length.times(Dimension.of(heads.extent() / keyValueHeads.extent()));
    Shape separate = Shape.of(batch, length, heads, headSize);
    Shape perHead = Shape.of(batch, heads, length, headSize);
    Shape stacked = Shape.of(batch, keyValueHeads, grouped, headSize);
    Shape scores = Shape.of(batch, heads, length, length);
    Shape stackedScores = Shape.of(batch, keyValueHeads, grouped, length);
    float scale = (float) (1 / Math.sqrt(headSize.extent()));

    // The barrier keeps the probabilities from being computed before the backward pass is here.
    List<Tensor> ready = op.barrier(gradients.get(0), query);
    Tensor dy = op.reshape(op.transpose(op.reshape(ready.get(0), separate), 0, 2, 1, 3), stacked);
    Tensor rotated =
        op.rotary(op.transpose(op.reshape(ready.get(1), separate), 0, 2, 1, 3), cosine, sine);
    Tensor q = op.reshape(rotated, stacked);

    Tensor logits = op.reshape(op.batchedProduct(q, false, key, true, scale), scores);
    Tensor probabilities = op.softmax(op.add(logits, op.causalMask(length, MASKED)));
    Tensor weights = op.reshape(probabilities, stackedScores);

    Tensor dValue = op.batchedProduct(weights, true, dy, false, 1);
    Tensor dProbabilities = op.reshape(op.batchedProduct(dy, false, value, true, 1), scores);
    Tensor dLogits = op.reshape(op.softmaxGradient(dProbabilities, probabilities), stackedScores);
    Tensor dQuery = op.batchedProduct(dLogits, false, key, false, scale);
    Tensor dKey = op.batchedProduct(dLogits, true, q, false, scale);

    Tensor backSine = op.negatedOnce(sine);
    Tensor dq = op.rotary(op.reshape(dQuery, perHead), cosine, backSine);
    Tensor dk = op.rotary(dKey, cosine, backSine);
    return List.of(
        () -> merged(op, dq, query.shape()),
        () -> merged(op, dk, node.input(1).shape()),
        () -> merged(op, dValue, node.input(2).shape()));
  }

  /** [batch, heads, length, head size] as [batch, length, heads · head size]. */
  private static Tensor merged(Operators op, Tensor x, Shape shape) {
    return op.reshape(op.transpose(x, 0, 2, 1, 3), shape);
  }
}
