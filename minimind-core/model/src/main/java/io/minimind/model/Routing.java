package io.minimind.model;

import io.minimind.graph.Tensor;

/**
 * How a gate chose among the experts of a layer.
 *
 * @param scores float32 [tokens, experts], a probability for each
 * @param chosen int64 [tokens, chosen], the experts of each token, the most probable first
 * @param weights float32 [tokens, chosen, 1], how much each of them counts
 * @param choices float32 [tokens, chosen, experts], 1 for the expert that was chosen and 0 for the
 *     others
 */
public record Routing(Tensor scores, Tensor chosen, Tensor weights, Tensor choices) {}
