/**
 * What ONNX Runtime is given: the graphs that train a model for an {@link
 * io.minimind.artifact.Objective}, the graph that decodes, and the folder that is a model.
 */
package io.minimind.artifact;
