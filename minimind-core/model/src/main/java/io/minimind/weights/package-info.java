/**
 * Tensors in files: safetensors for models, ONNX Runtime's flatbuffer for the state of a training
 * run. Files are mapped when read, and written beside their place and renamed.
 */
package io.minimind.weights;
