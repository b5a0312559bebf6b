package io.minimind.infer.graph;

import java.io.IOException;

/** What is wrong with a graph, as a part of a sentence. */
final class GraphException extends IOException {
  private static final long serialVersionUID = 1;

  GraphException(String problem) {
    super(problem);
  }
}
