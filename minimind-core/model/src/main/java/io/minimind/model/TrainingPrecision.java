package io.minimind.model;

import io.minimind.graph.ElementType;

/**
 * The types in which a model is trained. Weights, their gradients and Adam's moments are float32 in
 * all of them, as are norms, softmax and the loss; what differs is the matrix products
 * (Micikevicius et al. 2018, "Mixed Precision Training").
 */
public enum TrainingPrecision {
  FLOAT32("float32", ElementType.FLOAT32),
  /** The graphs of float32, on a device that rounds the operands of products to 10 bits. */
  TF32("tf32", ElementType.FLOAT32),
  BFLOAT16("bf16", ElementType.BFLOAT16),
  FLOAT16("fp16", ElementType.FLOAT16);

  private final String label;
  private final ElementType products;

  TrainingPrecision(String label, ElementType products) {
    this.label = label;
    this.products = products;
  }

  /** The type of the operands and results of matrix products. */
  public ElementType products() {
    return products;
  }

  /** Whether gradients are so small for the type that the loss has to be scaled up for them. */
  public boolean scalesLoss() {
    return this == FLOAT16;
  }

  /** As one writes it on a command line. */
  @Override
  public String toString() {
    return label;
  }
}
