/**
 * The operators, each a class with its specification, its shape rule and its gradient rule; {@link
 * io.minimind.graph.operator.Operators} adds them to a graph, and {@link
 * io.minimind.graph.operator.Gradients} goes backwards through them.
 */
package io.minimind.graph.operator;
