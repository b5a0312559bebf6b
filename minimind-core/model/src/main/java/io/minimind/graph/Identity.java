package io.minimind.graph;

import java.util.List;

/** A tensor under another name. */
record Identity() implements Operator {

  private static final Specification SPECIFICATION = Specification.onnx("Identity", 16, 1);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return List.of(Result.like(inputs.get(0)));
  }
}
