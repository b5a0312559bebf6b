package io.minimind.graph;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.FLOAT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.FiniteDifferences.Subject;
import io.minimind.graph.Operators.Attention;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GradientRulesTest {

  /** One use of an operator; float32 where its kernels, or those of its gradient, have no other. */
  record Case(
      String operator, String use, ElementType precision, Function<Subject, Tensor> output) {
    @Override
    public String toString() {
      return operator + " " + use;
    }
  }

  private interface Binary {
    Tensor apply(Operators op, Tensor a, Tensor b);
  }

  static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    arithmetic(cases, "Add", Operators::add);
    arithmetic(cases, "Sub", Operators::subtract);
    arithmetic(cases, "Mul", Operators::multiply);
    arithmetic(cases, "Div", Operators::divide);
    unary(cases);
    shapes(cases);
    products(cases);
    layers(cases);
    for (int length : new int[] {1, 5}) {
      cases.add(attention(length, 4, 2));
      cases.add(attention(length, 3, 1));
      cases.add(attention(length, 2, 2));
    }
    return cases;
  }

  private static void arithmetic(List<Case> cases, String operator, Binary function) {
    long[][][] shapes = {
      {{2, 3}, {2, 3}},
      {{2, 3}, {}},
      {{}, {2, 3}},
      {{}, {}},
      {{2, 3}, {3}},
      {{3}, {2, 3}},
      {{2, 3}, {1, 3}},
      {{2, 1, 2}, {2, 3, 2}},
      {{2, 3}, {1}},
      {{1}, {2, 3}},
      {{2, 1}, {1, 3}},
      {{4, 1, 2}, {3, 1}}
    };
    for (long[][] shape : shapes) {
      String use = Arrays.toString(shape[0]) + " and " + Arrays.toString(shape[1]);
      cases.add(
          new Case(
              operator,
              use,
              FLOAT64,
              s -> function.apply(s.op, s.parameter("a", shape[0]), s.parameter("b", shape[1]))));
      cases.add(
          new Case(
              operator,
              use + ", the second constant",
              FLOAT64,
              s -> function.apply(s.op, s.parameter("a", shape[0]), s.constant("b", shape[1]))));
      cases.add(
          new Case(
              operator,
              use + ", the first constant",
              FLOAT64,
              s -> function.apply(s.op, s.constant("a", shape[0]), s.parameter("b", shape[1]))));
    }
    cases.add(
        new Case(
            operator,
            "twice the same",
            FLOAT64,
            s -> {
              Tensor a = s.parameter("a", 2, 2);
              return function.apply(s.op, a, a);
            }));
  }

  private static void unary(List<Case> cases) {
    cases.add(new Case("Neg", "", FLOAT64, s -> s.op.negate(s.parameter("x", 2, 3))));
    cases.add(
        new Case("Cast", "to float64", FLOAT32, s -> s.op.cast(s.parameter("x", 2, 3), FLOAT64)));
    cases.add(
        new Case("Cast", "to float32", FLOAT64, s -> s.op.cast(s.parameter("x", 4), FLOAT32)));
    cases.add(new Case("QuickGelu", "", FLOAT32, s -> s.op.silu(s.parameter("x", 2, 3))));
    cases.add(new Case("Softmax", "", FLOAT32, s -> s.op.softmax(s.parameter("x", 2, 3, 4))));
    cases.add(
        new Case("ReduceLogSumExp", "", FLOAT32, s -> s.op.logSumExp(s.parameter("x", 2, 3, 4))));
    cases.add(new Case("ReduceSum", "of all", FLOAT64, s -> s.op.sum(s.parameter("x", 2, 3))));
    int[][] axes = {{0}, {1}, {-1}, {0, 2}, {2, 0, 1}};
    for (int[] some : axes) {
      cases.add(
          new Case(
              "ReduceSum",
              "over " + Arrays.toString(some),
              FLOAT64,
              s -> s.op.sum(s.parameter("x", 2, 3, 2), some)));
    }
  }

  private static void shapes(List<Case> cases) {
    Dimension batch = Dimension.symbol("batch");
    Dimension length = Dimension.symbol("length");
    Dimension width = Dimension.of(2);
    cases.add(
        new Case(
            "Reshape", "", FLOAT64, s -> s.op.reshape(s.parameter("x", 2, 6), Shape.of(3, 4))));
    cases.add(
        new Case(
            "Reshape",
            "to a scalar",
            FLOAT64,
            s -> s.op.reshape(s.parameter("x", 1, 1), Shape.SCALAR)));
    cases.add(
        new Case(
            "Reshape",
            "with symbols",
            FLOAT64,
            s -> {
              Tensor rows = s.op.gather(s.parameter("x", 6, 2), s.rows());
              return s.op.reshape(rows, Shape.of(length.times(batch), width));
            }));
    cases.add(
        new Case(
            "Reshape",
            "with symbols apart",
            FLOAT64,
            s -> {
              Tensor rows = s.op.gather(s.parameter("x", 6, 2), s.rows());
              return s.op.reshape(rows, Shape.of(length, width, batch));
            }));
    cases.add(
        new Case(
            "Expand", "", FLOAT64, s -> s.op.expand(s.parameter("x", 3, 1), Shape.of(2, 3, 2))));
    cases.add(
        new Case(
            "Expand", "of a scalar", FLOAT64, s -> s.op.expand(s.parameter("x"), Shape.of(2, 3))));
    cases.add(
        new Case(
            "Expand",
            "with symbols",
            FLOAT64,
            s -> {
              s.rows();
              return s.op.expand(s.parameter("x", 1, 2), Shape.of(batch, length, width));
            }));
    int[][] permutations = {{1, 0, 2}, {2, 0, 1}, {0, 1, 2}};
    for (int[] permutation : permutations) {
      cases.add(
          new Case(
              "Transpose",
              Arrays.toString(permutation),
              FLOAT64,
              s -> s.op.transpose(s.parameter("x", 2, 3, 4), permutation)));
    }
    for (int axis : new int[] {0, -1}) {
      cases.add(
          new Case(
              "Concat",
              "along axis " + axis,
              FLOAT64,
              s -> {
                Tensor a = s.parameter("a", 2, 2);
                return s.op.concatenate(
                    List.of(a, s.parameter("b", 2, 2), a), axis, Dimension.of(6));
              }));
    }
    cases.add(
        new Case(
            "Split",
            "of the last axis",
            FLOAT64,
            s -> {
              List<Tensor> parts = s.op.split(s.parameter("x", 2, 4), 1, 3);
              return s.op.multiply(parts.get(0), parts.get(1));
            }));
    cases.add(
        new Case(
            "Split",
            "into parts that are counted, one of them empty",
            FLOAT64,
            s -> {
              List<Dimension> extents = new ArrayList<>();
              for (int count : new int[] {2, 0, 1}) {
                String name = "count" + extents.size();
                Tensor extent = s.integers(name, Shape.of(1), count);
                extents.add(s.op.dimension(name, extent));
              }
              List<Tensor> parts = s.op.split(s.parameter("x", 3, 2), 0, extents);
              List<Tensor> products = new ArrayList<>();
              for (Tensor part : parts) {
                products.add(s.op.linear(part, s.parameter("weight" + products.size(), 4, 2)));
              }
              return s.op.concatenate(products, 0, Dimension.of(3));
            }));
    cases.add(
        new Case(
            "Gather",
            "with repeated indices",
            FLOAT64,
            s -> {
              Tensor indices = s.integers("indices", Shape.of(2, 3), 3, 0, 3, 1, 3, 0);
              return s.op.gather(s.parameter("table", 5, 2), indices);
            }));
  }

  private static void products(List<Case> cases) {
    for (boolean transposeA : new boolean[] {false, true}) {
      for (boolean transposeB : new boolean[] {false, true}) {
        String use = (transposeA ? "aᵀ" : "a") + " · " + (transposeB ? "bᵀ" : "b");
        long[] a = transposeA ? new long[] {3, 2} : new long[] {2, 3};
        long[] b = transposeB ? new long[] {4, 3} : new long[] {3, 4};
        cases.add(
            new Case(
                "Gemm",
                use,
                FLOAT64,
                s ->
                    s.op.product(
                        s.parameter("a", a), transposeA, s.parameter("b", b), transposeB)));
        cases.add(
            new Case(
                "Gemm",
                use + ", b constant",
                FLOAT64,
                s ->
                    s.op.product(s.parameter("a", a), transposeA, s.constant("b", b), transposeB)));
        long[] stackA = {2, 2, a[0], a[1]};
        long[] stackB = {2, 2, b[0], b[1]};
        cases.add(
            new Case(
                "FusedMatMul",
                use + ", scaled",
                FLOAT32,
                s ->
                    s.op.batchedProduct(
                        s.parameter("a", stackA),
                        transposeA,
                        s.parameter("b", stackB),
                        transposeB,
                        0.3f)));
      }
    }
    cases.add(
        new Case(
            "Gemm",
            "of a matrix with itself",
            FLOAT64,
            s -> {
              Tensor a = s.parameter("a", 2, 3);
              return s.op.product(a, false, a, true);
            }));
  }

  private static void layers(List<Case> cases) {
    for (long[] shape : new long[][] {{5, 4}, {2, 2, 4}}) {
      cases.add(
          new Case(
              "SimplifiedLayerNormalization",
              Arrays.toString(shape),
              FLOAT32,
              s -> s.op.rmsNorm(s.parameter("x", shape), s.parameter("weight", 4), 1e-2f)));
    }
    cases.add(
        new Case(
            "RotaryEmbedding",
            "",
            FLOAT32,
            s ->
                s.op.rotary(
                    s.parameter("x", 2, 2, 3, 8),
                    s.constant("cos", 4, 4),
                    s.constant("sin", 4, 4))));
    cases.add(
        new Case(
            "CrossEntropy",
            "with ignored labels",
            FLOAT32,
            s -> {
              Tensor labels = s.integers("labels", Shape.of(5), 2, 0, 3, 0, 1);
              return s.op.crossEntropy(s.parameter("logits", 5, 4), labels, 0);
            }));
  }

  private static Case attention(int length, int heads, int keyValueHeads) {
    int headSize = 16;
    return new Case(
        "GroupQueryAttention",
        "of length %d, %d heads on %d".formatted(length, heads, keyValueHeads),
        FLOAT32,
        s -> {
          Tensor last = s.integers("last", Shape.of(2), length - 1, length - 1);
          Tensor total = s.integers("total", Shape.SCALAR, length);
          Attention attention =
              s.op.groupedQueryAttention(
                  s.parameter("query", 2, length, heads * headSize),
                  s.parameter("key", 2, length, keyValueHeads * headSize),
                  s.parameter("value", 2, length, keyValueHeads * headSize),
                  Optional.empty(),
                  s.op.cast(last, ElementType.INT32),
                  s.op.cast(total, ElementType.INT32),
                  s.constant("cosine", 8, headSize / 2),
                  s.constant("sine", 8, headSize / 2),
                  heads,
                  keyValueHeads);
          return attention.output();
        });
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientIsTheFiniteDifference(Case subject) {
    FiniteDifferences.check(subject.precision, subject.output);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aCaseUsesTheOperatorItIsNamedAfter(Case subject) {
    Subject forward = new Subject(subject.precision, Target.CPU);
    subject.output.apply(forward);
    assertTrue(
        forward.op.graph().nodes().stream()
            .anyMatch(node -> node.operator().equals(subject.operator)));
  }

  @ParameterizedTest
  @CsvSource({"1, 4, 2", "2, 3, 1", "5, 4, 2", "8, 2, 2"})
  void attentionWithoutAnOperatorForItHasAGradientToo(int length, int heads, int keyValueHeads) {
    Case subject = attention(length, heads, keyValueHeads);
    Graph graph = FiniteDifferences.check(FLOAT32, Target.CUDA, subject.output);
    assertTrue(
        graph.toModel().getGraph().getNodeList().stream()
            .noneMatch(node -> node.getOpType().equals("GroupQueryAttention")));
  }

  @Test
  void everyRuleHasACase() {
    assertEquals(
        new TreeSet<>(GradientRules.operators()),
        cases().stream().map(Case::operator).collect(Collectors.toCollection(TreeSet::new)));
  }
}
