package io.minimind.graph;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.ElementType.UINT8;
import static io.minimind.graph.Graph.MICROSOFT;
import static io.minimind.graph.Operands.expectAngles;
import static io.minimind.graph.Operands.expectFloating;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectSingleOrHalf;
import static io.minimind.graph.Operands.expectType;
import static io.minimind.graph.Operands.expected;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Adds operators to a graph. Every method checks its operands, works out the result's type and
 * shape, and throws {@link IllegalArgumentException} naming the operator, what it expects and what
 * it got. How gradients flow back through each operator is written in {@link GradientRules}.
 */
public final class Operators {

  /** The fastest of MatMulNBits' levels of accuracy. */
  private static final long EIGHT_BIT_ACTIVATIONS = 4;

  private final Graph graph;

  public Operators(Graph graph) {
    this.graph = graph;
  }

  public Graph graph() {
    return graph;
  }

  // Elementwise arithmetic

  /** {@code a + b}; extents of 1 and missing leading axes of either are repeated to the other's. */
  public Tensor add(Tensor a, Tensor b) {
    return arithmetic("Add", a, b);
  }

  /** {@code a - b}, broadcast as in {@link #add}. */
  public Tensor subtract(Tensor a, Tensor b) {
    return arithmetic("Sub", a, b);
  }

  /** {@code a · b}, broadcast as in {@link #add}. */
  public Tensor multiply(Tensor a, Tensor b) {
    return arithmetic("Mul", a, b);
  }

  /** {@code a / b}, broadcast as in {@link #add}. */
  public Tensor divide(Tensor a, Tensor b) {
    return arithmetic("Div", a, b);
  }

  /** The smaller of {@code a} and {@code b}, broadcast as in {@link #add}. */
  public Tensor minimum(Tensor a, Tensor b) {
    return arithmetic("Min", a, b);
  }

  /** Whether {@code a > b}, bool, broadcast as in {@link #add}. No gradient flows through it. */
  public Tensor greater(Tensor a, Tensor b) {
    expectType("Greater", b, a.type());
    return node("Greater", "", BOOL, broadcast("Greater", a, b), Map.of(), a, b);
  }

  /** Whether {@code a = b}, bool, broadcast as in {@link #add}. No gradient flows through it. */
  public Tensor equal(Tensor a, Tensor b) {
    expectType("Equal", b, a.type());
    return node("Equal", "", BOOL, broadcast("Equal", a, b), Map.of(), a, b);
  }

  /** The larger of {@code a} and {@code b}, broadcast as in {@link #add}. */
  Tensor maximum(Tensor a, Tensor b) {
    return arithmetic("Max", a, b);
  }

  private Tensor arithmetic(String operator, Tensor a, Tensor b) {
    expectType(operator, b, a.type());
    return node(operator, "", a.type(), broadcast(operator, a, b), Map.of(), a, b);
  }

  private static Shape broadcast(String operator, Tensor a, Tensor b) {
    return a.shape()
        .broadcast(b.shape())
        .orElseThrow(() -> expected(operator, "shapes that broadcast to each other", a, b));
  }

  public Tensor negate(Tensor x) {
    expectFloating("Neg", x);
    return node("Neg", "", x.type(), x.shape(), Map.of(), x);
  }

  /** {@code x · sigmoid(x)}, also called swish. */
  public Tensor silu(Tensor x) {
    expectSingleOrHalf("QuickGelu", x);
    return node("QuickGelu", MICROSOFT, x.type(), x.shape(), Map.of("alpha", 1f), x);
  }

  /** The gradient of {@link #silu} at {@code x}. */
  Tensor siluGradient(Tensor outputGradient, Tensor x) {
    expectShape("QuickGeluGrad", outputGradient, x.shape());
    Map<String, Object> alpha = Map.of("alpha", 1f);
    return node("QuickGeluGrad", MICROSOFT, x.type(), x.shape(), alpha, outputGradient, x);
  }

  // Products

  /**
   * A linear layer without bias, {@code x · weightᵀ}.
   *
   * @param x [rows, in]
   * @param weight [out, in]
   * @return [rows, out]
   */
  public Tensor linear(Tensor x, Tensor weight) {
    return product(x, false, weight, true);
  }

  /** The product of two matrices, each transposed first if asked. */
  public Tensor product(Tensor a, boolean transposeA, Tensor b, boolean transposeB) {
    expectRank("Gemm", a, 2);
    expectRank("Gemm", b, 2);
    expectType("Gemm", b, a.type());
    Dimension inner = a.shape().dimension(transposeA ? 0 : 1);
    if (!inner.equals(b.shape().dimension(transposeB ? 1 : 0))) {
      throw expected("Gemm", "equal inner dimensions", a, b);
    }
    Shape shape =
        Shape.of(a.shape().dimension(transposeA ? 1 : 0), b.shape().dimension(transposeB ? 0 : 1));
    return node("Gemm", "", a.type(), shape, transposes(transposeA, transposeB), a, b);
  }

  /**
   * Products of the matrices in the last two axes, for each index of the leading axes, which must
   * be equal: {@code scale · a · b}, each matrix transposed first if asked.
   */
  public Tensor batchedProduct(
      Tensor a, boolean transposeA, Tensor b, boolean transposeB, float scale) {
    Shape left = a.shape();
    Shape right = b.shape();
    int rank = left.rank();
    if (rank < 3
        || right.rank() != rank
        || !left.dimensions().subList(0, rank - 2).equals(right.dimensions().subList(0, rank - 2))
        || !left.dimension(transposeA ? -2 : -1).equals(right.dimension(transposeB ? -1 : -2))) {
      throw expected("FusedMatMul", "equal leading and equal inner dimensions", a, b);
    }
    expectSingleOrHalf("FusedMatMul", a);
    expectType("FusedMatMul", b, a.type());
    Shape shape =
        left.with(-2, left.dimension(transposeA ? -1 : -2))
            .with(-1, right.dimension(transposeB ? -2 : -1));
    Map<String, Object> attributes =
        Map.of("transA", flag(transposeA), "transB", flag(transposeB), "alpha", scale);
    return node("FusedMatMul", MICROSOFT, a.type(), shape, attributes, a, b);
  }

  /**
   * A linear layer without bias whose weight is quantized in blocks of inputs, with activations
   * rounded to 8 bits on the way.
   *
   * @param x [rows, in]
   * @param values uint8 [out, blocks of a row, bytes of a block]; the last block may be filled up
   * @param scales [out, blocks of a row]
   * @param bits 4 or 8
   * @return [rows, out]
   */
  public Tensor quantizedLinear(Tensor x, Tensor values, Tensor scales, int bits) {
    String operator = "MatMulNBits";
    expectRank(operator, x, 2);
    expectType(operator, x, FLOAT32);
    long block = blockSize(operator, values, scales, bits);
    long in = x.shape().dimension(1).extent();
    long padded = values.shape().dimension(1).extent() * block;
    if (padded < in || padded >= in + block) {
      throw expected(operator, "as many blocks of " + block + " as a row needs", x, values);
    }
    Dimension out = values.shape().dimension(0);
    Map<String, Object> attributes =
        Map.of(
            "K",
            in,
            "N",
            out.extent(),
            "bits",
            (long) bits,
            "block_size",
            block,
            "accuracy_level",
            EIGHT_BIT_ACTIVATIONS);
    Shape shape = Shape.of(x.shape().dimension(0), out);
    return node(operator, MICROSOFT, FLOAT32, shape, attributes, x, values, scales);
  }

  private static long blockSize(String operator, Tensor values, Tensor scales, int bits) {
    expectRank(operator, values, 3);
    expectType(operator, values, UINT8);
    expectType(operator, scales, FLOAT32);
    Shape shape = values.shape();
    expectShape(operator, scales, Shape.of(shape.dimension(0), shape.dimension(1)));
    return shape.dimension(2).extent() * Byte.SIZE / bits;
  }

  private static Map<String, Object> transposes(boolean a, boolean b) {
    return Map.of("transA", flag(a), "transB", flag(b));
  }

  // Shapes

  /** The same elements in another shape, of which symbols are resolved at run time. */
  public Tensor reshape(Tensor x, Shape shape) {
    if (x.shape().equals(shape)) {
      return x;
    }
    if (!x.shape().elements().equals(shape.elements())) {
      throw expected("Reshape", "as many elements as " + shape + " has", x);
    }
    return node("Reshape", "", x.type(), shape, Map.of(), x, shapeTensor(shape, true));
  }

  public Tensor transpose(Tensor x, int... permutation) {
    int[] axesInOrder = IntStream.range(0, x.shape().rank()).toArray();
    if (!Arrays.equals(Arrays.stream(permutation).sorted().toArray(), axesInOrder)) {
      String got = Arrays.toString(permutation);
      throw expected("Transpose", "axes of which " + got + " is a permutation", x);
    }
    List<Long> axes = Arrays.stream(permutation).mapToObj(axis -> (long) axis).toList();
    Shape shape = x.shape().permuted(permutation);
    return node("Transpose", "", x.type(), shape, Map.of("perm", axes), x);
  }

  /** Parts of the last axis, one after the other, which together are the whole of it. */
  public List<Tensor> split(Tensor x, long... extents) {
    if (!x.shape().dimension(-1).equals(Dimension.of(LongStream.of(extents).sum()))) {
      throw expected("Split", "a last axis for the parts " + Arrays.toString(extents), x);
    }
    Tensor[] parts =
        LongStream.of(extents)
            .mapToObj(extent -> fresh("part", x.type(), x.shape().with(-1, Dimension.of(extent))))
            .toArray(Tensor[]::new);
    return node("Split", "", Map.of("axis", -1L), List.of(x, integers(extents)), parts).outputs();
  }

  /** Parts of an axis, one after the other, which together are the whole of it. */
  public List<Tensor> split(Tensor x, int axis, List<Dimension> extents) {
    Tensor[] parts =
        extents.stream()
            .map(extent -> fresh("part", x.type(), x.shape().with(axis, extent)))
            .toArray(Tensor[]::new);
    Tensor sizes = shapeTensor(new Shape(extents), false);
    return node("Split", "", Map.of("axis", (long) axis), List.of(x, sizes), parts).outputs();
  }

  /** {@code x} repeated along the axes in which the shape is larger. */
  public Tensor expand(Tensor x, Shape shape) {
    if (x.shape().equals(shape)) {
      return x;
    }
    if (!x.shape().broadcast(shape).equals(Optional.of(shape))) {
      throw expected("Expand", "a shape that broadcasts to " + shape, x);
    }
    return node("Expand", "", x.type(), shape, Map.of(), x, shapeTensor(shape, false));
  }

  /** The same values in another type; a tensor is cast to a type once per graph. */
  public Tensor cast(Tensor x, ElementType type) {
    if (x.type() == type) {
      return x;
    }
    Map<String, Object> to = Map.of("to", (long) type.onnxCode());
    return graph.shared(List.of("cast", x, type), () -> node("Cast", "", type, x.shape(), to, x));
  }

  /** An int64 vector that holds a shape at run time, -1 for one extent that may be inferred. */
  private Tensor shapeTensor(Shape shape, boolean inferOne) {
    List<Dimension> dimensions = shape.dimensions();
    List<Integer> unknown =
        IntStream.range(0, shape.rank()).filter(i -> !dimensions.get(i).isKnown()).boxed().toList();
    // A block of positions may be empty, and then nothing can be inferred.
    boolean never = dimensions.stream().anyMatch(dimension -> !isOfInputs(dimension));
    int inferred = inferOne && !never && !unknown.isEmpty() ? unknown.get(unknown.size() - 1) : -1;
    return graph.shared(
        List.of(shape, inferred),
        () -> {
          if (unknown.size() <= (inferred < 0 ? 0 : 1)) {
            long[] extents = new long[shape.rank()];
            Arrays.setAll(extents, i -> i == inferred ? -1 : dimensions.get(i).extent());
            return graph.constant(graph.freshName("shape"), Shape.of(extents.length), extents);
          }
          Tensor[] extents = new Tensor[shape.rank()];
          Arrays.setAll(extents, i -> i == inferred ? integers(-1) : extent(dimensions.get(i)));
          Shape vector = Shape.of(extents.length);
          return node("Concat", "", INT64, vector, Map.of("axis", 0L), extents);
        });
  }

  /** The value of a dimension at run time, int64 [1]. */
  public Tensor extent(Dimension dimension) {
    Tensor product = null;
    if (dimension.factor() != 1 || dimension.isKnown()) {
      product = integers(dimension.factor());
    }
    for (String symbol : dimension.symbols()) {
      Tensor extent = symbolExtent(Dimension.symbol(symbol));
      product = product == null ? extent : multiply(product, extent);
    }
    return product;
  }

  /**
   * A dimension whose value is computed.
   *
   * @param name that no other symbol has
   * @param extent int64 [1]
   */
  public Dimension dimension(String name, Tensor extent) {
    expectType("dimension", extent, INT64);
    expectShape("dimension", extent, Shape.of(1));
    Dimension symbol = Dimension.symbol(name);
    if (!graph.shared(symbol, () -> extent).equals(extent)) {
      throw new IllegalArgumentException("The graph already has the dimension " + name + ".");
    }
    return symbol;
  }

  private boolean isOfInputs(Dimension dimension) {
    return dimension.symbols().stream()
        .map(Dimension::symbol)
        .allMatch(
            symbol ->
                graph.inputs().stream()
                    .anyMatch(input -> input.shape().dimensions().contains(symbol)));
  }

  private Tensor symbolExtent(Dimension symbol) {
    return graph.shared(
        symbol,
        () -> {
          for (Tensor input : graph.inputs()) {
            long axis = input.shape().dimensions().indexOf(symbol);
            if (axis >= 0) {
              Map<String, Object> range = Map.of("start", axis, "end", axis + 1);
              return node("Shape", "", INT64, Shape.of(1), range, input);
            }
          }
          throw new IllegalArgumentException("No graph input has the dimension " + symbol + ".");
        });
  }

  // Reductions

  /** The sum over all elements, a scalar. */
  public Tensor sum(Tensor x) {
    return node("ReduceSum", "", x.type(), Shape.SCALAR, Map.of("keepdims", 0L), x);
  }

  /** The sum over all axes but the last, [width]. */
  Tensor sumRows(Tensor x) {
    Dimension width = x.shape().dimension(-1);
    Dimension rows = x.shape().with(-1, Dimension.of(1)).elements();
    // As a product with ones it uses all threads, which the reduction over the first axis does not.
    Tensor ones =
        graph.shared(
            List.of("ones", x.type(), rows),
            () ->
                expand(
                    cast(graph.constant(graph.freshName("one"), Shape.of(1, 1), 1f), x.type()),
                    Shape.of(Dimension.of(1), rows)));
    Tensor matrix = reshape(x, Shape.of(rows, width));
    return reshape(product(ones, false, matrix, false), Shape.of(width));
  }

  /** The mean over the last axis, which stays with extent 1. */
  Tensor mean(Tensor x) {
    Shape shape = x.shape().with(-1, Dimension.of(1));
    Map<String, Object> attributes = Map.of("axes", List.of(-1L), "keepdims", 1L);
    return node("ReduceMean", "", x.type(), shape, attributes, x);
  }

  /** The sum over some axes, which stay with extent 1; negative axes count from the end. */
  public Tensor sum(Tensor x, int... axes) {
    Shape shape = x.shape();
    int rank = shape.rank();
    long[] sorted =
        Arrays.stream(axes).mapToLong(axis -> axis < 0 ? axis + rank : axis).sorted().toArray();
    if (sorted.length == 0 || sorted[0] < 0 || sorted[sorted.length - 1] >= rank) {
      throw expected("ReduceSum", "a tensor with the axes " + Arrays.toString(axes), x);
    }
    for (long axis : sorted) {
      shape = shape.with((int) axis, Dimension.of(1));
    }
    Tensor constant = integers(sorted);
    return node("ReduceSum", "", x.type(), shape, Map.of("keepdims", 1L), x, constant);
  }

  /** An int64 vector of constants. */
  public Tensor integers(long... values) {
    return graph.shared(
        List.of("integers", LongStream.of(values).boxed().toList()),
        () -> graph.constant(graph.freshName("integers"), Shape.of(values.length), values));
  }

  /**
   * Where the largest elements of the last axis are, the largest first. No gradient flows through
   * it.
   *
   * @param count at most the extent of the axis
   * @return int64, the last axis having that extent
   */
  public Tensor largest(Tensor x, int count) {
    return topElements(x, Dimension.of(count), true);
  }

  /**
   * Where the elements of a vector are that sort it from the smallest to the largest. For a
   * permutation that is the one which undoes it.
   *
   * @return int64, as long as the vector
   */
  public Tensor ascending(Tensor x) {
    expectRank("TopK", x, 1);
    return topElements(x, x.shape().dimension(0), false);
  }

  private Tensor topElements(Tensor x, Dimension count, boolean largest) {
    Shape shape = x.shape().with(-1, count);
    Map<String, Object> attributes = Map.of("axis", -1L, "largest", flag(largest), "sorted", 1L);
    return node(
            "TopK",
            "",
            attributes,
            List.of(x, shapeTensor(Shape.of(count), false)),
            fresh("top_values", x.type(), shape),
            fresh("top_indices", INT64, shape))
        .output(1);
  }

  /** Softmax over the last axis. */
  public Tensor softmax(Tensor x) {
    expectFloating("Softmax", x);
    return node("Softmax", "", x.type(), x.shape(), Map.of("axis", -1L), x);
  }

  /** The logarithm of the sum of exponentials over the last axis, which stays with extent 1. */
  public Tensor logSumExp(Tensor x) {
    expectFloating("ReduceLogSumExp", x);
    Shape shape = x.shape().with(-1, Dimension.of(1));
    Map<String, Object> attributes = Map.of("axes", List.of(-1L), "keepdims", 1L);
    return node("ReduceLogSumExp", "", x.type(), shape, attributes, x);
  }

  /** The gradient of {@link #softmax} from its output. */
  Tensor softmaxGradient(Tensor outputGradient, Tensor output) {
    expectShape("SoftmaxGrad_13", outputGradient, output.shape());
    return node(
        "SoftmaxGrad_13",
        MICROSOFT,
        output.type(),
        output.shape(),
        Map.of("axis", -1L),
        outputGradient,
        output);
  }

  // Layers

  /**
   * Rows of a table.
   *
   * @param table [entries, width]
   * @param indices int64 of any shape
   * @return the shape of the indices, then width
   */
  public Tensor gather(Tensor table, Tensor indices) {
    expectRank("Gather", table, 2);
    expectType("Gather", indices, INT64);
    List<Dimension> shape = new ArrayList<>(indices.shape().dimensions());
    shape.add(table.shape().dimension(1));
    return node("Gather", "", table.type(), new Shape(shape), Map.of(), table, indices);
  }

  /**
   * Rows of a table that is quantized as in {@link #quantizedLinear}.
   *
   * @param indices int64 of any shape
   * @return the shape of the indices, then the width rounded up to whole blocks
   */
  public Tensor quantizedGather(Tensor values, Tensor scales, Tensor indices, int bits) {
    String operator = "GatherBlockQuantized";
    long block = blockSize(operator, values, scales, bits);
    expectType(operator, indices, INT64);
    Dimension blocks = values.shape().dimension(1);
    List<Dimension> separate = new ArrayList<>(indices.shape().dimensions());
    separate.addAll(List.of(blocks, Dimension.of(block)));
    List<Dimension> joined = new ArrayList<>(indices.shape().dimensions());
    joined.add(blocks.times(Dimension.of(block)));
    // The operator wants scales of the rank of the values.
    Shape perBlock = Shape.of(values.shape().dimension(0), blocks, Dimension.of(1));
    Map<String, Object> attributes =
        Map.of("gather_axis", 0L, "quantize_axis", 2L, "bits", (long) bits, "block_size", block);
    Tensor rows =
        node(
            operator,
            MICROSOFT,
            FLOAT32,
            new Shape(separate),
            attributes,
            values,
            indices,
            reshape(scales, perBlock));
    return reshape(rows, new Shape(joined));
  }

  /** The gradient of {@link #gather} towards its table, {@code entries} rows. */
  Tensor gatherGradient(Tensor outputGradient, Tensor indices, Shape table) {
    // GatherNDGrad adds up on one thread; GatherGrad locks per element, ScatterND loses updates.
    Dimension rows = indices.shape().elements();
    Tensor column = reshape(indices, Shape.of(rows, Dimension.of(1)));
    Tensor flat = reshape(outputGradient, Shape.of(rows, table.dimension(1)));
    return node(
        "GatherNDGrad",
        MICROSOFT,
        flat.type(),
        table,
        Map.of(),
        shapeTensor(table, false),
        column,
        flat);
  }

  /**
   * Root mean square normalisation over the last axis, {@code x / sqrt(mean(x²) + epsilon) ·
   * weight} (Zhang and Sennrich 2019, "Root Mean Square Layer Normalization").
   *
   * @param weight [width]
   */
  public Tensor rmsNorm(Tensor x, Tensor weight, float epsilon) {
    expectFloating("SimplifiedLayerNormalization", x);
    expectType("SimplifiedLayerNormalization", weight, x.type());
    expectShape("SimplifiedLayerNormalization", weight, Shape.of(x.shape().dimension(-1)));
    Map<String, Object> attributes = Map.of("axis", -1L, "epsilon", epsilon, "stash_type", 1L);
    Tensor inverse =
        new Tensor(
            graph.freshName("inverse_deviation"), x.type(), x.shape().with(-1, Dimension.of(1)));
    return node(
            "SimplifiedLayerNormalization",
            "",
            attributes,
            List.of(x, weight),
            fresh("SimplifiedLayerNormalization", x.type(), x.shape()),
            inverse)
        .output(0);
  }

  /**
   * Rotates pairs of neighbouring channels by an angle that grows with the position (Su et al.
   * 2021, "RoFormer").
   *
   * @param x [batch, heads, length, head size]
   * @param cosine [positions, head size / 2]
   * @param sine as {@code cosine}; negated, the rotation goes back
   */
  public Tensor rotary(Tensor x, Tensor cosine, Tensor sine) {
    expectRank("RotaryEmbedding", x, 4);
    expectSingleOrHalf("RotaryEmbedding", x);
    expectAngles("RotaryEmbedding", cosine, sine, x.shape().dimension(3));
    Tensor start = integers(0);
    return node(
        "RotaryEmbedding",
        MICROSOFT,
        x.type(),
        x.shape(),
        Map.of("interleaved", 1L),
        x,
        start,
        cast(cosine, x.type()),
        cast(sine, x.type()));
  }

  /**
   * Causal attention in which several query heads share a key/value head, rotary positions included
   * (Ainslie et al. 2023, "GQA").
   *
   * @param output [batch, length, heads · head size]
   * @param presentKey rotated keys, [batch, key/value heads, total length, head size]
   * @param presentValue values, as {@code presentKey}
   */
  public record Attention(Tensor output, Tensor presentKey, Tensor presentValue) {}

  /**
   * Keys and values of earlier positions.
   *
   * @param key [batch, key/value heads, capacity, head size]
   * @param value as {@code key}
   */
  public record Past(Tensor key, Tensor value) {}

  /**
   * Attention in one operator, or where the graph's {@link Target} has none, in several.
   *
   * @param query [batch, length, heads · head size], float32 or half precision
   * @param key [batch, length, key/value heads · head size]
   * @param value as {@code key}
   * @param past the keys and values that came before, or none when the positions start at 0
   * @param lastPosition int32 [batch], the last position of each row
   * @param totalLength int32 scalar, the number of positions, past ones included
   */
  public Attention groupedQueryAttention(
      Tensor query,
      Tensor key,
      Tensor value,
      Optional<Past> past,
      Tensor lastPosition,
      Tensor totalLength,
      Tensor cosine,
      Tensor sine,
      int heads,
      int keyValueHeads) {
    String operator = "GroupQueryAttention";
    expectRank(operator, key, 3);
    expectShape(operator, value, key.shape());
    long headSize = key.shape().dimension(2).extent() / keyValueHeads;
    expectShape(operator, key, key.shape().with(2, Dimension.of(keyValueHeads * headSize)));
    expectShape(operator, query, key.shape().with(2, Dimension.of(heads * headSize)));
    if (heads % keyValueHeads != 0) {
      String got = "%d in multiples of %d".formatted(heads, keyValueHeads);
      throw expected(operator, "heads in multiples of key/value heads, not " + got, query, key);
    }
    List.of(query, key, value).forEach(tensor -> expectSingleOrHalf(operator, tensor));
    List.of(key, value).forEach(tensor -> expectType(operator, tensor, query.type()));
    expectType(operator, lastPosition, INT32);
    expectShape(operator, lastPosition, Shape.of(query.shape().dimension(0)));
    expectType(operator, totalLength, INT32);
    expectShape(operator, totalLength, Shape.SCALAR);
    expectAngles(operator, cosine, sine, Dimension.of(headSize));
    Dimension total =
        past.map(p -> p.key().shape().dimension(2)).orElse(query.shape().dimension(1));
    Shape present =
        Shape.of(
            query.shape().dimension(0), Dimension.of(keyValueHeads), total, Dimension.of(headSize));
    past.ifPresent(p -> expectShape(operator, p.key(), present));
    past.ifPresent(p -> expectShape(operator, p.value(), present));
    Map<String, Object> attributes =
        Map.of(
            "num_heads",
            (long) heads,
            "kv_num_heads",
            (long) keyValueHeads,
            "do_rotary",
            1L,
            "rotary_interleaved",
            1L);
    List<Tensor> inputs =
        List.of(
            query,
            key,
            value,
            past.map(Past::key).orElse(Tensor.ABSENT),
            past.map(Past::value).orElse(Tensor.ABSENT),
            lastPosition,
            totalLength,
            cast(cosine, query.type()),
            cast(sine, query.type()));
    if (!graph.target().hasAttention(query.type())) {
      return explicitAttention(operator, attributes, inputs);
    }
    Node node =
        node(
            operator,
            MICROSOFT,
            attributes,
            inputs,
            fresh("attention", query.type(), query.shape()),
            fresh("present_key", query.type(), present),
            fresh("present_value", query.type(), present));
    return new Attention(node.output(0), node.output(1), node.output(2));
  }

  /** One node all the same, so that its gradient is that of the operator. */
  private Attention explicitAttention(
      String operator, Map<String, Object> attributes, List<Tensor> inputs) {
    if (inputs.get(3).isPresent()) {
      throw new IllegalArgumentException("There is no attention over a past on this target.");
    }
    long heads = (long) attributes.get("num_heads");
    long keyValueHeads = (long) attributes.get("kv_num_heads");
    int before = graph.nodes().size();
    Attention attention =
        new CausalAttention(this, inputs.get(1), heads, keyValueHeads)
            .add(inputs.get(0), inputs.get(1), inputs.get(2), inputs.get(7), inputs.get(8));
    List<Tensor> outputs =
        List.of(attention.output(), attention.presentKey(), attention.presentValue());
    graph.add(new Node(operator, "", inputs, outputs, attributes, graph.removeSince(before)));
    return attention;
  }

  /**
   * Cross entropy of each row.
   *
   * @param logits [rows, classes]
   * @param labels int64 [rows]
   * @param ignored rows with this label have loss 0
   * @return [rows]
   */
  public Tensor crossEntropy(Tensor logits, Tensor labels, long ignored) {
    return CrossEntropy.add(this, logits, labels, ignored);
  }

  // What backward passes need

  /** {@code -x}, computed once per graph; in float32, as CUDA cannot negate bfloat16. */
  Tensor negatedOnce(Tensor x) {
    return graph.shared(List.of("negated", x), () -> cast(negate(cast(x, FLOAT32)), x.type()));
  }

  /** Tensors one after the other along an axis. */
  public Tensor concatenate(List<Tensor> tensors, int axis, Dimension extent) {
    Tensor first = tensors.get(0);
    Shape shape = first.shape().with(axis, extent);
    Tensor[] operands = tensors.toArray(Tensor[]::new);
    return node("Concat", "", first.type(), shape, Map.of("axis", (long) axis), operands);
  }

  /** The same tensors, none of them available before all are; nothing is copied. */
  List<Tensor> barrier(Tensor... tensors) {
    Tensor[] outputs =
        Arrays.stream(tensors).map(t -> fresh("ready", t.type(), t.shape())).toArray(Tensor[]::new);
    return node("PassThrough", MICROSOFT, Map.of(), List.of(tensors), outputs).outputs();
  }

  /** {@code sum + term}, inside the matrix product that made {@code term} where there is one. */
  Tensor accumulate(Tensor sum, Tensor term) {
    Node producer = graph.lastNode();
    boolean fusible = producer.operator().equals("Gemm") && producer.inputs().size() == 2;
    if (!fusible || !producer.output(0).equals(term)) {
      return add(sum, term);
    }
    List<Tensor> inputs = List.of(producer.input(0), producer.input(1), sum);
    graph.replaceLast(new Node("Gemm", "", inputs, List.of(term), producer.attributes()));
    return term;
  }

  // What ONNX Runtime's training API wants

  /**
   * A gradient added to its accumulation buffer in place, or put in its place.
   *
   * @param done bool [1], which the training API wants as an output
   * @param sum the buffer after the addition
   */
  public record Accumulation(Tensor done, Tensor sum) {}

  /**
   * @param overwrite bool [1], whether to put the gradient in the place of the buffer's contents
   */
  public Accumulation accumulateInPlace(Tensor buffer, Tensor gradient, Tensor overwrite) {
    String operator = "InPlaceAccumulatorV2";
    expectShape(operator, gradient, buffer.shape());
    expectType(operator, gradient, buffer.type());
    expectType(operator, overwrite, BOOL);
    Node node =
        node(
            operator,
            MICROSOFT,
            Map.of(),
            List.of(buffer, gradient, overwrite),
            fresh("accumulation_done", BOOL, Shape.of(1)),
            fresh("accumulated", buffer.type(), buffer.shape()));
    return new Accumulation(node.output(0), node.output(1));
  }

  /** The Euclidean norm of all elements of several tensors together, a scalar. */
  public Tensor norm(List<Tensor> tensors) {
    tensors.forEach(tensor -> expectType("ReduceAllL2", tensor, FLOAT32));
    Tensor norm = fresh("norm", FLOAT32, Shape.SCALAR);
    return node("ReduceAllL2", MICROSOFT, Map.of(), tensors, norm).output(0);
  }

  // Adding nodes

  private Tensor node(
      String operator,
      String domain,
      ElementType type,
      Shape shape,
      Map<String, Object> attributes,
      Tensor... inputs) {
    return node(operator, domain, attributes, List.of(inputs), fresh(operator, type, shape))
        .output(0);
  }

  Node node(
      String operator,
      String domain,
      Map<String, Object> attributes,
      List<Tensor> inputs,
      Tensor... outputs) {
    Node node = new Node(operator, domain, inputs, List.of(outputs), attributes);
    graph.add(node);
    return node;
  }

  Tensor fresh(String stem, ElementType type, Shape shape) {
    return new Tensor(graph.freshName(stem), type, shape);
  }

  private static long flag(boolean value) {
    return value ? 1 : 0;
  }
}
