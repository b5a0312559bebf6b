/**
 * An ONNX graph under construction: tensors and their shapes, nodes, and what an operator is. What
 * can be computed with is in {@link io.minimind.graph.operator}.
 */
package io.minimind.graph;
