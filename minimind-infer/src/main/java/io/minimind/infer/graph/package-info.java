/**
 * What is known of a {@code model.onnx} before the runtime sees it. ONNX Runtime trusts the graphs
 * that it is given: a wrong number in one can end the process. So every node, attribute and tensor
 * is compared with what the exporter writes.
 *
 * <p>This package is the SDK's own and no part of its interface: it may change in any version.
 */
package io.minimind.infer.graph;
