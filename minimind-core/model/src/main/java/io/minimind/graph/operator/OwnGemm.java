package io.minimind.graph.operator;

import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;

/** A {@link Gemm} of float32 matrices by a kernel of this project. */
public record OwnGemm(boolean transposeA, boolean transposeB) implements Operator {

  public static final String TRANSPOSE_A = "transA";
  public static final String TRANSPOSE_B = "transB";

  public static final Specification SPECIFICATION = specification("Gemm");

  /** That of a product of matrices by a kernel of this project. */
  static Specification specification(String name) {
    return Specification.own(name, 2)
        .upTo(3)
        .with(TRANSPOSE_A, Attribute.INTEGER)
        .with(TRANSPOSE_B, Attribute.INTEGER);
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of(TRANSPOSE_A, transposeA ? 1L : 0L, TRANSPOSE_B, transposeB ? 1L : 0L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return new Gemm(transposeA, transposeB).results(inputs);
  }
}
