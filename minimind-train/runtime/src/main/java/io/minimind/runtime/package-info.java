/**
 * ONNX Runtime's training API, and the one package that touches native memory in training. {@link
 * io.minimind.runtime.ModelInTraining} is a model on one device or on several; its builder is the
 * one way to open it. No type of JavaCPP leaves this package.
 *
 * <p>A program that trains needs {@link io.minimind.runtime.Device} and no more; one whose batches
 * depend on the weights asks a {@code ModelInTraining}.
 */
package io.minimind.runtime;
