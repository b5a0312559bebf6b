package io.minimind.graph.operator;

import io.minimind.graph.Graph;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;

/** The same tensors, none of them available before all are; nothing is copied. */
record Barrier() implements Operator {

  private static final Specification SPECIFICATION =
      Specification.microsoft("PassThrough", 1).upTo(Specification.ANY);

  static List<Tensor> of(Graph graph, Tensor... tensors) {
    return graph.add(new Barrier(), tensors).outputs();
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return inputs.stream().map(Result::like).toList();
  }

  @Override
  public boolean movesElements() {
    return true;
  }
}
