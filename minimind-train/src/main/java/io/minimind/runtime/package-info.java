/**
 * ONNX Runtime's training API, and the one package that touches native memory in training. {@link
 * io.minimind.runtime.ModelInTraining} is a model on one device or on several; its builder is the
 * one way to open it. No type of JavaCPP leaves this package.
 *
 * <p>What is public here is the seam to the packages that train; a program needs {@link
 * io.minimind.runtime.Device} and no more.
 */
package io.minimind.runtime;
