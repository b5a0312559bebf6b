package io.minimind.infer.graph;

import static io.minimind.infer.graph.NodeCheck.require;
import static io.minimind.infer.graph.Value.BOOL;
import static io.minimind.infer.graph.Value.FLOAT32;
import static io.minimind.infer.graph.Value.INT32;
import static io.minimind.infer.graph.Value.INT64;
import static io.minimind.infer.graph.Value.UINT8;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The operators that a decoder may consist of. One that is not in this table is refused; an
 * exporter that writes another adds it here, with what it may be given. The rules follow the
 * operators' descriptions in ONNX, opset 17, and in {@code com.microsoft}, and allow no more of
 * them than the exporter writes.
 */
final class OperatorRules {
  static final String MICROSOFT = "com.microsoft";

  /** More heads than any model has. */
  private static final long MOST_HEADS = 1 << 12;

  /** Those that multiply with their second input. */
  static final Set<String> PRODUCTS = Set.of("Gemm", "MatMul", MICROSOFT + ".MatMulNBits");

  private OperatorRules() {}

  /**
   * What a node gives; it may leave out the last of that.
   *
   * @throws GraphException if the runtime must not see such a node
   */
  static List<Value> outputs(String operator, NodeCheck node) throws GraphException {
    // Of a table of method references each would be a class of its own, made in the first load.
    return switch (operator) {
      case "Add", "Sub" -> arithmetic(node);
      case "Mul" -> multiplication(node);
      case "Div" -> division(node);
      case "Equal" -> comparison(node);
      case "Sigmoid" -> activation(node);
      case MICROSOFT + ".QuickGelu" -> quickGelu(node);
      case "Softmax" -> softmax(node);
      case "Cast" -> cast(node);
      case "Identity" -> List.of(node.inputs(1, 1).get(0));
      case "Gemm" -> matrixProduct(node);
      case "MatMul" -> product(node);
      case MICROSOFT + ".MatMulNBits" -> quantizedProduct(node);
      case "Gather" -> gather(node);
      case MICROSOFT + ".GatherBlockQuantized" -> quantizedGather(node);
      case "SimplifiedLayerNormalization" -> rmsNorm(node);
      case MICROSOFT + ".GroupQueryAttention" -> attention(node);
      case "ReduceSum" -> sum(node);
      case "TopK" -> largest(node);
      case "Shape" -> shape(node);
      case "Reshape" -> reshape(node);
      case "Transpose" -> transpose(node);
      case "Concat" -> concatenation(node);
      case "Split" -> split(node);
      default -> throw new GraphException("no decoder has this operator");
    };
  }

  // Elementwise

  private static List<Value> arithmetic(NodeCheck node) throws GraphException {
    List<Value> inputs = node.inputs(2, 2);
    Value a = inputs.get(0);
    Value b = node.input(1, a.type());
    require(a.type() == FLOAT32 || a.type() == INT64, "its elements are no numbers");
    return List.of(Value.of(a.type(), broadcast(a, b)));
  }

  /** An extent that is a product is computed with whole numbers. */
  private static List<Value> multiplication(NodeCheck node) throws GraphException {
    Value product = arithmetic(node).get(0);
    List<Extent> a = node.input(0).contents();
    List<Extent> b = node.input(1).contents();
    return a.size() == 1 && b.size() == 1 && a.get(0).factor() > 0 && b.get(0).factor() > 0
        ? List.of(new Value(product.type(), product.shape(), List.of(a.get(0).times(b.get(0)))))
        : List.of(product);
  }

  /** A processor stops a program that divides whole numbers by zero. */
  private static List<Value> division(NodeCheck node) throws GraphException {
    List<Value> quotient = arithmetic(node);
    Value divisor = node.input(1);
    require(
        divisor.type() == FLOAT32
            || !divisor.contents().isEmpty()
                && divisor.contents().stream().allMatch(x -> x.isKnown() && x.factor() > 0),
        "it divides whole numbers by what is not known");
    return quotient;
  }

  private static List<Value> comparison(NodeCheck node) throws GraphException {
    return List.of(Value.of(BOOL, arithmetic(node).get(0).shape()));
  }

  private static List<Extent> broadcast(Value a, Value b) throws GraphException {
    List<Extent> shape = new ArrayList<>();
    for (int i = 1; i <= Math.max(a.rank(), b.rank()); i++) {
      Extent left = i <= a.rank() ? a.shape().get(a.rank() - i) : Extent.ONE;
      Extent right = i <= b.rank() ? b.shape().get(b.rank() - i) : Extent.ONE;
      require(
          left.equals(right) || left.is(1) || right.is(1),
          "its inputs have the shapes %s and %s",
          a,
          b);
      shape.add(left.is(1) ? right : left);
    }
    Collections.reverse(shape);
    return shape;
  }

  private static List<Value> activation(NodeCheck node) throws GraphException {
    node.inputs(1, 1);
    return List.of(node.input(0, FLOAT32));
  }

  private static List<Value> quickGelu(NodeCheck node) throws GraphException {
    node.real("alpha", 1.702f, 0, 16);
    return activation(node);
  }

  private static List<Value> softmax(NodeCheck node) throws GraphException {
    Value x = activation(node).get(0);
    require(x.rank() > 0 && node.axis("axis", -1, x.rank()) == x.rank() - 1, "its axis is another");
    return List.of(x);
  }

  private static List<Value> cast(NodeCheck node) throws GraphException {
    Value x = node.inputs(1, 1).get(0);
    int to = (int) node.integer("to", 0, FLOAT32, BOOL);
    require(Value.bytes(to) > 0, "it casts to another type");
    return List.of(new Value(to, x.shape(), to == INT64 ? x.contents() : List.of()));
  }

  // Products

  private static List<Value> matrixProduct(NodeCheck node) throws GraphException {
    node.inputs(2, 3);
    Value a = node.input(0, FLOAT32, 2);
    Value b = node.input(1, FLOAT32, 2);
    int transposeA = (int) node.integer("transA", 0, 0, 1);
    int transposeB = (int) node.integer("transB", 0, 0, 1);
    node.real("alpha", 1, -1e6f, 1e6f);
    node.real("beta", 1, -1e6f, 1e6f);
    requireInner(a.shape().get(1 - transposeA), b.shape().get(transposeB));
    List<Extent> shape = List.of(a.shape().get(transposeA), b.shape().get(1 - transposeB));
    if (node.has(2)) {
      Value sum = node.input(2, FLOAT32);
      Value product = Value.of(FLOAT32, shape);
      require(broadcast(product, sum).equals(shape), "it adds the shape %s", sum);
    }
    return List.of(Value.of(FLOAT32, shape));
  }

  private static List<Value> product(NodeCheck node) throws GraphException {
    node.inputs(2, 2);
    Value a = node.input(0, FLOAT32);
    Value b = node.input(1, FLOAT32, 2);
    require(a.rank() >= 2, "its input 0 has the shape %s", a);
    requireInner(a.shape().get(a.rank() - 1), b.shape().get(0));
    List<Extent> shape = new ArrayList<>(a.shape());
    shape.set(a.rank() - 1, b.shape().get(1));
    return List.of(Value.of(FLOAT32, shape));
  }

  private static void requireInner(Extent a, Extent b) throws GraphException {
    require(a.equals(b) && a.isKnown(), "its inner extents are %s and %s", a, b);
  }

  private static List<Value> quantizedProduct(NodeCheck node) throws GraphException {
    node.inputs(3, 3);
    Value x = node.input(0, FLOAT32, 2);
    Value values = node.input(1, UINT8, 3);
    long in = node.integer("K", 0, 1, Integer.MAX_VALUE);
    long out = node.integer("N", 0, 1, Integer.MAX_VALUE);
    long block = quantizedBlock(node, values);
    node.integer("accuracy_level", 0, 0, 4);
    long blocks = (in + block - 1) / block;
    require(
        x.shape().get(1).is(in)
            && values.shape().get(0).is(out)
            && values.shape().get(1).is(blocks),
        "its inputs have the shapes %s and %s",
        x,
        values);
    List<Extent> scales = List.of(Extent.of(out), Extent.of(blocks));
    require(node.input(2, FLOAT32).shape().equals(scales), "its scales have another shape");
    return List.of(Value.of(FLOAT32, List.of(x.shape().get(0), Extent.of(out))));
  }

  /** The block size, for which the last axis of the values must have the bytes. */
  private static long quantizedBlock(NodeCheck node, Value values) throws GraphException {
    long bits = node.integer("bits", 4, 4, 8);
    long block = node.integer("block_size", 0, 16, 256);
    require(bits != 5 && bits != 6 && bits != 7, "it has %s bits", bits);
    require(Long.bitCount(block) == 1, "its blocks have %s elements", block);
    require(values.shape().get(2).is(block * bits / 8), "its values have the shape %s", values);
    return block;
  }

  // Look-ups

  private static List<Value> gather(NodeCheck node) throws GraphException {
    node.inputs(2, 2);
    Value table = node.input(0);
    Value indices = node.input(1, INT64);
    require(table.rank() > 0, "it looks up in a single number");
    require(node.axis("axis", 0, table.rank()) == 0, "its axis is another");
    List<Extent> shape = new ArrayList<>(indices.shape());
    shape.addAll(table.shape().subList(1, table.rank()));
    return List.of(Value.of(table.type(), shape));
  }

  private static List<Value> quantizedGather(NodeCheck node) throws GraphException {
    node.inputs(3, 3);
    Value values = node.input(0, UINT8, 3);
    Value indices = node.input(1, INT64);
    node.integer("gather_axis", 0, 0, 0);
    node.integer("quantize_axis", 1, 2, 2);
    long block = quantizedBlock(node, values);
    List<Extent> scales = List.of(values.shape().get(0), values.shape().get(1), Extent.ONE);
    require(node.input(2, FLOAT32).shape().equals(scales), "its scales have another shape");
    List<Extent> shape = new ArrayList<>(indices.shape());
    shape.add(values.shape().get(1));
    shape.add(Extent.of(block));
    return List.of(Value.of(FLOAT32, shape));
  }

  // Layers

  private static List<Value> rmsNorm(NodeCheck node) throws GraphException {
    node.inputs(2, 2);
    Value x = node.input(0, FLOAT32);
    Value weight = node.input(1, FLOAT32, 1);
    require(x.rank() > 0 && node.axis("axis", -1, x.rank()) == x.rank() - 1, "its axis is another");
    node.real("epsilon", 1e-5f, 0, 1);
    node.integer("stash_type", 1, 1, 1);
    Extent width = x.shape().get(x.rank() - 1);
    require(weight.shape().get(0).equals(width), "its weight has the shape %s", weight);
    List<Extent> inverse = new ArrayList<>(x.shape());
    inverse.set(x.rank() - 1, Extent.ONE);
    return List.of(x, Value.of(FLOAT32, inverse));
  }

  private static List<Value> attention(NodeCheck node) throws GraphException {
    int inputs = node.inputs(7, 9).size();
    require(inputs != 8, "it has cosines without sines");
    // Without angles nothing is turned.
    int turns = inputs == 9 ? 1 : 0;
    long heads = node.integer("num_heads", 0, 1, MOST_HEADS);
    long keyValueHeads = node.integer("kv_num_heads", 0, 1, MOST_HEADS);
    require(heads % keyValueHeads == 0, "%s heads share %s", heads, keyValueHeads);
    node.integer("do_rotary", 0, turns, turns);
    node.integer("rotary_interleaved", 0, 0, 1);
    // 0 stands for one over the root of the head size.
    node.real("scale", 0, 0, 16);
    Value query = node.input(0, FLOAT32, 3);
    Value key = node.input(1, FLOAT32, 3);
    Extent batch = query.shape().get(0);
    Extent width = key.shape().get(2);
    long headSize = width.isKnown() ? width.factor() / keyValueHeads : 0;
    require(
        headSize >= 8 && headSize % 8 == 0 && headSize <= 1024,
        "its keys have the shape %s for %s heads",
        key,
        keyValueHeads);
    require(
        key.shape()
                .equals(List.of(batch, query.shape().get(1), Extent.of(keyValueHeads * headSize)))
            && node.input(2, FLOAT32).shape().equals(key.shape())
            && query.shape().get(2).is(heads * headSize),
        "its queries have the shape %s, its keys %s",
        query,
        key);
    Value past = node.input(3, FLOAT32, 4);
    require(
        past.shape().get(0).equals(batch)
            && past.shape().get(1).is(keyValueHeads)
            && past.shape().get(3).is(headSize)
            && node.input(4, FLOAT32).shape().equals(past.shape()),
        "its past has the shape %s",
        past);
    require(node.input(5, INT32).shape().equals(List.of(batch)), "its lengths have another shape");
    require(node.input(6, INT32).rank() == 0, "its total length is no single number");
    if (turns == 1) {
      angles(node, headSize);
    }
    return List.of(query, past, past);
  }

  private static void angles(NodeCheck node, long headSize) throws GraphException {
    Value cosine = node.input(7, FLOAT32, 2);
    require(
        cosine.shape().get(0).isKnown()
            && cosine.shape().get(1).is(headSize / 2)
            && node.input(8, FLOAT32).shape().equals(cosine.shape()),
        "its angles have the shape %s",
        cosine);
    node.state().knowsPositions(cosine.shape().get(0).factor());
  }

  // Reductions

  private static List<Value> sum(NodeCheck node) throws GraphException {
    node.inputs(1, 2);
    Value x = node.input(0);
    require(x.type() == FLOAT32 || x.type() == INT64, "its elements are no numbers");
    boolean keep = node.integer("keepdims", 1, 0, 1) == 1;
    List<Extent> axes = node.has(1) ? contents(node.input(1, INT64, 1)) : List.of();
    List<Extent> shape = new ArrayList<>();
    int found = 0;
    for (int i = 0; i < x.rank(); i++) {
      boolean summed =
          axes.isEmpty()
              || axes.contains(Extent.of(i))
              || axes.contains(Extent.of((long) i - x.rank()));
      found += summed ? 1 : 0;
      if (!summed || keep) {
        shape.add(summed ? Extent.ONE : x.shape().get(i));
      }
    }
    require(axes.isEmpty() || found == axes.size(), "it adds up axes that are not there");
    return List.of(Value.of(x.type(), shape));
  }

  private static List<Value> largest(NodeCheck node) throws GraphException {
    node.inputs(2, 2);
    Value x = node.input(0);
    require(x.type() == FLOAT32 || x.type() == INT64, "its elements are no numbers");
    require(x.rank() > 0 && node.axis("axis", -1, x.rank()) == x.rank() - 1, "its axis is another");
    node.integer("largest", 1, 0, 1);
    node.integer("sorted", 1, 1, 1);
    List<Extent> count = contents(node.input(1, INT64, 1));
    require(count.size() == 1, "it has several counts");
    Extent all = x.shape().get(x.rank() - 1);
    Extent chosen = count.get(0);
    boolean fewer =
        chosen.isKnown()
            && all.isKnown()
            && chosen.factor() >= 1
            && chosen.factor() <= all.factor();
    require(fewer || chosen.equals(all), "it takes %s of %s", chosen, all);
    List<Extent> shape = new ArrayList<>(x.shape());
    shape.set(x.rank() - 1, chosen);
    return List.of(Value.of(x.type(), shape), Value.of(INT64, shape));
  }

  // Shapes

  private static List<Value> shape(NodeCheck node) throws GraphException {
    Value x = node.inputs(1, 1).get(0);
    int start = (int) node.integer("start", 0, 0, x.rank());
    int end = (int) node.integer("end", x.rank(), start, x.rank());
    List<Extent> contents = x.shape().subList(start, end);
    require(!contents.isEmpty(), "it takes no axis");
    return List.of(new Value(INT64, List.of(Extent.of(contents.size())), contents));
  }

  private static List<Value> reshape(NodeCheck node) throws GraphException {
    node.inputs(2, 2);
    node.integer("allowzero", 0, 0, 0);
    Value x = node.input(0);
    List<Extent> wanted = contents(node.input(1, INT64, 1));
    require(wanted.size() <= 8, "it makes %s axes", wanted.size());
    Extent open = Extent.of(-1);
    List<Extent> known = new ArrayList<>(wanted);
    require(known.stream().allMatch(e -> e.factor() > 0 || e.equals(open)), "it makes %s", wanted);
    List<Extent> shape = wanted;
    if (known.remove(open)) {
      require(!known.contains(open), "it leaves two axes open");
      Extent rest =
          x.elements()
              .dividedBy(Extent.product(known))
              .orElseThrow(() -> new GraphException("it makes %s of %s".formatted(wanted, x)));
      shape = wanted.stream().map(extent -> extent.equals(open) ? rest : extent).toList();
    }
    require(Extent.product(shape).equals(x.elements()), "it makes %s of %s", wanted, x);
    return List.of(new Value(x.type(), shape, x.contents()));
  }

  private static List<Value> transpose(NodeCheck node) throws GraphException {
    Value x = node.inputs(1, 1).get(0);
    List<Long> order = new ArrayList<>(node.integers("perm"));
    if (order.isEmpty()) {
      for (int i = x.rank() - 1; i >= 0; i--) {
        order.add((long) i);
      }
    }
    boolean inside = order.stream().allMatch(axis -> axis >= 0 && axis < x.rank());
    require(
        inside && order.size() == x.rank() && new HashSet<>(order).size() == x.rank(),
        "it orders the axes %s of %s",
        order,
        x);
    List<Extent> shape = order.stream().map(axis -> x.shape().get(axis.intValue())).toList();
    return List.of(Value.of(x.type(), shape));
  }

  private static List<Value> concatenation(NodeCheck node) throws GraphException {
    List<Value> inputs = node.inputs(1, 4096);
    Value first = inputs.get(0);
    int axis = node.axis("axis", 0, first.rank());
    List<Extent> parts = new ArrayList<>();
    for (Value part : inputs) {
      List<Extent> shape = new ArrayList<>(part.shape());
      require(
          part.type() == first.type() && part.rank() == first.rank(),
          "its inputs have the shapes %s and %s",
          first,
          part);
      parts.add(shape.set(axis, first.shape().get(axis)));
      require(shape.equals(first.shape()), "its inputs have the shapes %s and %s", first, part);
    }
    List<Extent> shape = new ArrayList<>(first.shape());
    shape.set(axis, joined(node, parts));
    boolean known = first.rank() == 1 && inputs.stream().noneMatch(x -> x.contents().isEmpty());
    List<Extent> contents =
        known ? inputs.stream().flatMap(x -> x.contents().stream()).toList() : List.of();
    return List.of(new Value(first.type(), shape, contents));
  }

  private static Extent joined(NodeCheck node, List<Extent> parts) throws GraphException {
    var whole = node.state().joined(parts);
    if (whole.isPresent()) {
      return whole.get();
    }
    Extent sum = parts.get(0);
    for (Extent part : parts.subList(1, parts.size())) {
      Extent before = sum;
      sum =
          sum.plus(part)
              .orElseThrow(() -> new GraphException("it joins " + before + " and " + part));
    }
    return sum;
  }

  private static List<Value> split(NodeCheck node) throws GraphException {
    node.inputs(2, 2);
    Value x = node.input(0);
    Value sizes = node.input(1, INT64, 1);
    int axis = node.axis("axis", 0, x.rank());
    require(sizes.shape().get(0).is(node.outputs()), "it has %s outputs", node.outputs());
    List<Extent> extents = sizes.contents();
    if (extents.isEmpty()) {
      extents = node.state().cut(x.shape().get(axis), node.outputs());
    } else {
      require(
          extents.stream().allMatch(e -> e.isKnown() && e.factor() > 0)
              && x.shape().get(axis).is(extents.stream().mapToLong(Extent::factor).sum()),
          "it splits %s into %s",
          x.shape().get(axis),
          extents);
    }
    List<Value> outputs = new ArrayList<>();
    for (int i = 0; i < extents.size(); i++) {
      List<Extent> shape = new ArrayList<>(x.shape());
      shape.set(axis, extents.get(i));
      List<Extent> element =
          x.rank() == 1 && extents.get(i).is(1) && x.contents().size() == extents.size()
              ? List.of(x.contents().get(i))
              : List.of();
      outputs.add(new Value(x.type(), shape, element));
    }
    return outputs;
  }

  /** The elements of a tensor that must be known. */
  private static List<Extent> contents(Value value) throws GraphException {
    require(!value.contents().isEmpty(), "a shape is not known");
    return value.contents();
  }
}
