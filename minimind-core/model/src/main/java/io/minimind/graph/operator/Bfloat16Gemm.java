package io.minimind.graph.operator;

import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A {@link Gemm} by a kernel of this project that rounds both factors to bf16, to the nearest and
 * of two that are as near to the even one, and adds up their products in float32. Operands and
 * result are float32.
 */
public record Bfloat16Gemm(boolean transposeA, boolean transposeB) implements Operator {

  public static final Specification SPECIFICATION = OwnGemm.specification("Bfloat16Gemm");

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return new OwnGemm(transposeA, transposeB).attributes();
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    return new Gemm(transposeA, transposeB).results(inputs);
  }
}
