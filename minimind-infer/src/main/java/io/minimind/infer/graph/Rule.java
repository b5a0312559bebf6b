package io.minimind.infer.graph;

import java.util.List;

/** What an operator takes and gives. */
@FunctionalInterface
interface Rule {
  /**
   * Checks a node's inputs and attributes.
   *
   * @return its outputs; a node may leave out the last of them
   * @throws GraphException if the runtime must not see such a node
   */
  List<Value> outputs(NodeCheck node) throws GraphException;
}
