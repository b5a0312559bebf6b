package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.FLOAT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.Cast;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention.Heads;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.Attention.Rotation;
import io.minimind.graph.operator.FiniteDifferences.Subject;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GradientRulesTest {

  /** One use of an operator; float32 where its kernels, or those of its gradient, have no other. */
  record Case(
      Class<? extends Operator> operator,
      String use,
      ElementType precision,
      Function<Subject, Tensor> output) {
    @Override
    public String toString() {
      return operator.getSimpleName() + " " + use;
    }
  }

  private interface Binary {
    Tensor apply(Operators op, Tensor a, Tensor b);
  }

  static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    arithmetic(cases, Add.class, Operators::add);
    arithmetic(cases, Subtract.class, Operators::subtract);
    arithmetic(cases, Multiply.class, Operators::multiply);
    arithmetic(cases, Divide.class, Operators::divide);
    arithmetic(cases, Minimum.class, Operators::minimum);
    arithmetic(cases, Maximum.class, Operators::maximum);
    unary(cases);
    shapes(cases);
    products(cases);
    layers(cases);
    for (int length : new int[] {1, 5}) {
      cases.add(attention(length, 4, 2));
      cases.add(attention(length, 3, 1));
      cases.add(attention(length, 2, 2));
    }
    cases.addAll(otherRotations());
    return cases;
  }

  private static void arithmetic(
      List<Case> cases, Class<? extends Operator> operator, Binary function) {
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
    cases.add(new Case(Negate.class, "", FLOAT64, s -> s.op.negate(s.parameter("x", 2, 3))));
    cases.add(
        new Case(
            Cast.class, "to float64", FLOAT32, s -> s.op.cast(s.parameter("x", 2, 3), FLOAT64)));
    cases.add(
        new Case(Cast.class, "to float32", FLOAT64, s -> s.op.cast(s.parameter("x", 4), FLOAT32)));
    cases.add(
        new Case(Exponential.class, "", FLOAT64, s -> s.op.exponential(s.parameter("x", 2, 3))));
    cases.add(
        new Case(
            Logarithm.class,
            "of what is positive",
            FLOAT64,
            s -> s.op.logarithm(s.op.exponential(s.parameter("x", 2, 3)))));
    cases.add(
        new Case(
            Minimum.class, "as a clip", FLOAT64, s -> s.op.clip(s.parameter("x", 4, 5), -1, 1)));
    cases.add(
        new Case(
            StopGradient.class,
            "of what does not change",
            FLOAT64,
            s -> {
              Tensor x = s.parameter("x", 2, 3);
              return s.op.add(x, s.op.stopGradient(s.op.subtract(x, x)));
            }));
    cases.add(new Case(Silu.class, "", FLOAT32, s -> s.op.silu(s.parameter("x", 2, 3))));
    cases.add(new Case(Softmax.class, "", FLOAT32, s -> s.op.softmax(s.parameter("x", 2, 3, 4))));
    cases.add(
        new Case(LogSumExp.class, "", FLOAT32, s -> s.op.logSumExp(s.parameter("x", 2, 3, 4))));
    cases.add(new Case(Sum.class, "of all", FLOAT64, s -> s.op.sum(s.parameter("x", 2, 3))));
    int[][] axes = {{0}, {1}, {-1}, {0, 2}, {2, 0, 1}};
    for (int[] some : axes) {
      cases.add(
          new Case(
              Sum.class,
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
            Reshape.class, "", FLOAT64, s -> s.op.reshape(s.parameter("x", 2, 6), Shape.of(3, 4))));
    cases.add(
        new Case(
            Reshape.class,
            "to a scalar",
            FLOAT64,
            s -> s.op.reshape(s.parameter("x", 1, 1), Shape.SCALAR)));
    cases.add(
        new Case(
            Reshape.class,
            "with symbols",
            FLOAT64,
            s -> {
              Tensor rows = s.op.gather(s.parameter("x", 6, 2), s.rows());
              return s.op.reshape(rows, Shape.of(length.times(batch), width));
            }));
    cases.add(
        new Case(
            Reshape.class,
            "with symbols apart",
            FLOAT64,
            s -> {
              Tensor rows = s.op.gather(s.parameter("x", 6, 2), s.rows());
              return s.op.reshape(rows, Shape.of(length, width, batch));
            }));
    cases.add(
        new Case(
            Expand.class,
            "",
            FLOAT64,
            s -> s.op.expand(s.parameter("x", 3, 1), Shape.of(2, 3, 2))));
    cases.add(
        new Case(
            Expand.class,
            "of a scalar",
            FLOAT64,
            s -> s.op.expand(s.parameter("x"), Shape.of(2, 3))));
    cases.add(
        new Case(
            Expand.class,
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
              Transpose.class,
              Arrays.toString(permutation),
              FLOAT64,
              s -> s.op.transpose(s.parameter("x", 2, 3, 4), permutation)));
    }
    for (int axis : new int[] {0, -1}) {
      cases.add(
          new Case(
              Concatenate.class,
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
            Split.class,
            "of the last axis",
            FLOAT64,
            s -> {
              List<Tensor> parts = s.op.split(s.parameter("x", 2, 4), 1, 3);
              return s.op.multiply(parts.get(0), parts.get(1));
            }));
    cases.add(
        new Case(
            Split.class,
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
            GatherElements.class,
            "with repeated indices",
            FLOAT32,
            s -> {
              Tensor indices = s.integers("indices", Shape.of(2, 3), 4, 0, 4, 1, 2, 0);
              return s.op.pick(s.parameter("x", 2, 5), indices);
            }));
    cases.add(
        new Case(
            Gather.class,
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
                Gemm.class,
                use,
                FLOAT64,
                s ->
                    s.op.product(
                        s.parameter("a", a), transposeA, s.parameter("b", b), transposeB)));
        cases.add(
            new Case(
                Gemm.class,
                use + ", b constant",
                FLOAT64,
                s ->
                    s.op.product(s.parameter("a", a), transposeA, s.constant("b", b), transposeB)));
        long[] stackA = {2, 2, a[0], a[1]};
        long[] stackB = {2, 2, b[0], b[1]};
        cases.add(
            new Case(
                BatchedProduct.class,
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
            Gemm.class,
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
              RmsNorm.class,
              Arrays.toString(shape),
              FLOAT32,
              s -> s.op.rmsNorm(s.parameter("x", shape), s.parameter("weight", 4), 1e-2f)));
    }
    for (RotaryLayout layout : RotaryLayout.values()) {
      cases.add(
          new Case(
              RotaryEmbedding.class,
              "of " + layout,
              FLOAT32,
              s -> s.op.rotary(s.parameter("x", 2, 2, 3, 8), rotation(s, layout, 4))));
    }
    cases.add(
        new Case(
            CrossEntropy.class,
            "with ignored labels",
            FLOAT32,
            s -> {
              Tensor labels = s.integers("labels", Shape.of(5), 2, 0, 3, 0, 1);
              return s.op.crossEntropy(s.parameter("logits", 5, 4), labels, 0);
            }));
  }

  private static Rotation rotation(Subject s, RotaryLayout layout, int pairs) {
    return new Rotation(layout, s.constant("cosine", 8, pairs), s.constant("sine", 8, pairs));
  }

  private static Case attention(int length, int heads, int keyValueHeads) {
    return attention(
        length,
        heads,
        keyValueHeads,
        "turning neighbours",
        s -> rotation(s, RotaryLayout.NEIGHBOURS, 8));
  }

  private static Case attention(
      int length, int heads, int keyValueHeads, String how, Function<Subject, Rotation> rotation) {
    return attention(length, heads, keyValueHeads, how, rotation, s -> Tensor.ABSENT);
  }

  private static Case attention(
      int length,
      int heads,
      int keyValueHeads,
      String how,
      Function<Subject, Rotation> rotation,
      Function<Subject, Tensor> inSample) {
    int headSize = 16;
    return new Case(
        GroupQueryAttention.class,
        "of length %d, %d heads on %d, %s".formatted(length, heads, keyValueHeads, how),
        FLOAT32,
        s -> {
          Tensor last = s.integers("last", Shape.of(2), length - 1, length - 1);
          Tensor total = s.integers("total", Shape.SCALAR, length);
          return s.op
              .attention(
                  new Heads(
                      s.parameter("query", 2, length, heads * headSize),
                      s.parameter("key", 2, length, keyValueHeads * headSize),
                      s.parameter("value", 2, length, keyValueHeads * headSize),
                      heads,
                      keyValueHeads),
                  Past.NONE,
                  new Positions(
                      s.op.cast(last, ElementType.INT32),
                      s.op.cast(total, ElementType.INT32),
                      inSample.apply(s)),
                  rotation.apply(s))
              .output();
        });
  }

  private static List<Case> otherRotations() {
    return List.of(
        attention(5, 4, 2, "turning halves", s -> rotation(s, RotaryLayout.HALVES, 8)),
        attention(5, 4, 2, "turning nothing", s -> Rotation.NONE),
        attention(
            6,
            4,
            2,
            "of several samples",
            s -> rotation(s, RotaryLayout.HALVES, 8),
            s -> s.integers("in_sample", Shape.of(2, 6), 0, 1, 2, 0, 0, 1, 0, 0, 1, 2, 3, 0)),
        attention(
            4,
            2,
            1,
            "of several samples, turning nothing",
            s -> Rotation.NONE,
            s -> s.integers("in_sample", Shape.of(2, 4), 0, 0, 1, 2, 0, 1, 2, 3)));
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
            .anyMatch(node -> subject.operator.isInstance(node.operator())));
  }

  static List<Case> attentions() {
    List<Case> cases = new ArrayList<>(otherRotations());
    int[][] sizes = {{1, 4, 2}, {2, 3, 1}, {5, 4, 2}, {8, 2, 2}};
    for (int[] size : sizes) {
      cases.add(attention(size[0], size[1], size[2]));
    }
    return cases;
  }

  @ParameterizedTest
  @MethodSource("attentions")
  void attentionWithoutAnOperatorForItHasAGradientToo(Case subject) {
    Graph graph = FiniteDifferences.check(FLOAT32, Target.CUDA, subject.output);
    assertTrue(
        graph.toModel().getGraph().getNodeList().stream()
            .noneMatch(node -> node.getOpType().equals("GroupQueryAttention")));
  }

  /** The operators are the classes beside the facade, and the two that graphs themselves use. */
  @Test
  void everyOperatorWithAGradientHasACase() throws IOException, URISyntaxException {
    Path classes = Path.of(Operators.class.getResource("Operators.class").toURI()).getParent();
    Set<String> withGradient = new TreeSet<>();
    for (Path folder : List.of(classes, classes.getParent())) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
          Class<?> type = load(folder.equals(classes), file.getFileName().toString());
          if (type != Operator.class
              && Operator.class.isAssignableFrom(type)
              && Arrays.stream(type.getDeclaredMethods())
                  .anyMatch(method -> method.getName().equals("gradients"))) {
            withGradient.add(type.getSimpleName());
          }
        }
      }
    }
    // Their kernels, and so their cases, are in the module that trains.
    for (Class<?> own : List.of(FusedAttention.class, FusedCrossEntropy.class)) {
      assertTrue(withGradient.remove(own.getSimpleName()));
    }
    assertTrue(
        withGradient.contains("Add") && withGradient.contains("Cast"), "found " + withGradient);
    assertEquals(
        withGradient,
        cases().stream()
            .map(subject -> subject.operator.getSimpleName())
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  private static Class<?> load(boolean operators, String file) {
    String name = (operators ? Operators.class : Operator.class).getPackageName();
    try {
      return Class.forName(name + "." + file.replace(".class", ""));
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }
}
