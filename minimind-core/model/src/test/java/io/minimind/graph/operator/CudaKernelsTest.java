package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.BFLOAT16;
import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT16;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.minimind.graph.Cast;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Shape;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators.Accumulation;
import io.minimind.model.Experts;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.model.Transformer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whether ONNX Runtime's CUDA provider has a kernel for every operator and type of the graphs for
 * CUDA: what it has not is computed on the CPU, with copies there and back in the middle of a step.
 * This is what its registrations say (1.21 to 1.24), not a run on such a device.
 */
class CudaKernelsTest {

  private static final Set<ElementType> FLOATING = Set.of(FLOAT32, FLOAT16, BFLOAT16);

  /** The floating point types that kernels take. */
  private static final Map<String, Set<ElementType>> KERNELS = new HashMap<>();

  static {
    List<String> ofBytes =
        List.of(
            "Cast",
            "Concat",
            "Expand",
            "Gather",
            "Identity",
            "PassThrough",
            "Reshape",
            "Slice",
            "Split",
            "Transpose",
            "Trilu");
    List<String> ofAll =
        List.of(
            "Add",
            "Div",
            "FusedMatMul",
            "GatherNDGrad",
            "Gemm",
            "Mul",
            "QuickGelu",
            "QuickGeluGrad",
            "ReduceSum",
            "RotaryEmbedding",
            "Softmax",
            "Sub");
    List<String> ofFloats =
        List.of(
            "GatherElements",
            "InPlaceAccumulatorV2",
            "LogSoftmax",
            "Min",
            "Neg",
            "Pad",
            "ReduceAllL2",
            "ReduceMean",
            "SimplifiedLayerNormalization",
            "SoftmaxCrossEntropyLossInternalGrad",
            "SoftmaxGrad_13",
            "TopK",
            "Where");
    ofBytes.forEach(operator -> KERNELS.put(operator, FLOATING));
    ofAll.forEach(operator -> KERNELS.put(operator, FLOATING));
    ofFloats.forEach(operator -> KERNELS.put(operator, Set.of(FLOAT32)));
    KERNELS.put("GroupQueryAttention", Set.of(FLOAT16, BFLOAT16));
  }

  private static List<Node> trainingGraph(
      TrainingPrecision precision, Optional<LowRankAdapters> adapters, Experts experts) {
    Graph graph = new Graph("training", Target.CUDA);
    Operators op = new Operators(graph);
    // Heads of 12 are padded where attention is one operator.
    ModelConfig config = ModelConfig.of(48, 2, 4, 2, 20, 16).with(experts);
    Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
    Tensor ids = graph.input("ids", INT64, rows);
    Tensor labels = op.reshape(graph.input("labels", INT64, rows), Shape.of(rows.elements()));
    Tensor logits = new Transformer(op, config, adapters, precision).logits(ids);
    Tensor loss = op.sum(op.crossEntropy(logits, labels, -100));
    Tensor seed = graph.input("seed", FLOAT32, Shape.SCALAR);
    Tensor reset = graph.input("reset", BOOL, Shape.of(1));
    List<Tensor> sums =
        Gradients.of(op, loss, seed).entrySet().stream()
            .map(
                gradient -> {
                  Tensor parameter = gradient.getKey();
                  Tensor buffer =
                      graph.input(parameter.name() + ".buffer", FLOAT32, parameter.shape());
                  return op.accumulateInPlace(buffer, gradient.getValue(), reset);
                })
            .map(Accumulation::sum)
            .toList();
    op.minimum(op.norm(sums), seed);
    return graph.nodes().stream()
        .flatMap(node -> node.body().isEmpty() ? Stream.of(node) : node.body().stream())
        .toList();
  }

  @ParameterizedTest
  @EnumSource(TrainingPrecision.class)
  void thereIsAKernelForEveryOperatorAndType(TrainingPrecision precision) {
    Set<String> missing = new TreeSet<>();
    List<Node> mixture = trainingGraph(precision, Optional.empty(), Experts.of(4));
    for (Node node : Stream.concat(both(precision).stream(), mixture.stream()).toList()) {
      Set<ElementType> types = KERNELS.getOrDefault(name(node), Set.of());
      node.inputs().stream()
          .filter(input -> input.isPresent() && input.type().isFloating())
          .filter(input -> !types.contains(input.type()))
          .forEach(input -> missing.add(name(node) + " of " + input.type()));
    }
    assertEquals(Set.of(), missing);
  }

  /** Everything but products, and what lies between them, stays float32. */
  @ParameterizedTest
  @EnumSource(TrainingPrecision.class)
  void productsHaveTheTypeOfThePrecision(TrainingPrecision precision) {
    Set<ElementType> products = new HashSet<>();
    for (Node node : both(precision)) {
      boolean weights = node.operator() instanceof Gemm && !isHelper(node);
      if (weights || node.operator() instanceof BatchedProduct) {
        node.inputs().forEach(input -> products.add(input.type()));
      }
    }
    assertEquals(Set.of(precision.products()), products);
  }

  /** Sums over rows, and padding of heads: exact in float32 and cheap. */
  private static boolean isHelper(Node node) {
    boolean sum = node.input(0).shape().dimension(0).equals(Dimension.of(1));
    return sum || node.input(1).name().contains("_padding#");
  }

  @ParameterizedTest
  @EnumSource(TrainingPrecision.class)
  void nothingIsCastTwice(TrainingPrecision precision) {
    Set<List<Object>> casts = new HashSet<>();
    List<Node> nodes = trainingGraph(precision, Optional.empty(), Experts.NONE);
    nodes.stream()
        .filter(node -> node.operator() instanceof Cast)
        .forEach(
            node ->
                assertEquals(
                    true,
                    casts.add(List.of(node.input(0), node.output(0).type())),
                    node::toString));
  }

  private static String name(Node node) {
    return node.operator().specification().name();
  }

  private static List<Node> both(TrainingPrecision precision) {
    LowRankAdapters adapters = new LowRankAdapters(2, 3, LowRankAdapters.TARGETS);
    return Stream.concat(
            trainingGraph(precision, Optional.empty(), Experts.NONE).stream(),
            trainingGraph(precision, Optional.of(adapters), Experts.NONE).stream())
        .toList();
  }
}
