/**
 * What a model is: {@link io.minimind.model.ModelConfig} says which architecture, {@code
 * Parameters} which tensors follow from it, and {@link io.minimind.model.Transformer} what is
 * computed with them. How a matrix is kept (trained, adapted, quantized) is a strategy beside it.
 */
package io.minimind.model;
