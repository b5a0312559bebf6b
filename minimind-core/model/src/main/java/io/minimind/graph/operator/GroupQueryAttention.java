package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.INT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectSingleOrHalf;
import static io.minimind.graph.Operands.expectType;
import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Target;
import io.minimind.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * {@link Attention} in one operator, or where the runtime has none for the graph's target and type,
 * in several that stand for it.
 *
 * @param rotates whether the inputs have cosines and sines
 */
record GroupQueryAttention(int queryHeads, int keyValueHeads, boolean rotates, RotaryLayout layout)
    implements Operator {

  static final int QUERY = 0;
  static final int KEY = 1;
  static final int VALUE = 2;
  static final int PAST_KEY = 3;
  static final int PAST_VALUE = 4;
  static final int LAST_POSITION = 5;
  static final int TOTAL_LENGTH = 6;
  static final int COSINE = 7;
  static final int SINE = 8;
  static final int IN_SAMPLE = 9;

  private static final Specification SPECIFICATION =
      Specification.microsoft("GroupQueryAttention", 3)
          .upTo(10)
          .with("num_heads", Attribute.INTEGER)
          .with("kv_num_heads", Attribute.INTEGER)
          .with("do_rotary", Attribute.INTEGER)
          .with("rotary_interleaved", Attribute.INTEGER);

  static Attention of(
      Operators op,
      Attention.Heads heads,
      Attention.Past past,
      Attention.Positions positions,
      Attention.Rotation rotation) {
    GroupQueryAttention operator =
        new GroupQueryAttention(
            heads.queryHeads(), heads.keyValueHeads(), rotation.isPresent(), rotation.layout());
    ElementType type = heads.query().type();
    if (op.graph().target().hasOwnKernels(type) && past.equals(Attention.Past.NONE)) {
      return FusedAttention.of(op, heads, positions.inSample(), rotation);
    }
    List<Tensor> inputs =
        new ArrayList<>(
            List.of(
                heads.query(),
                heads.key(),
                heads.value(),
                past.key(),
                past.value(),
                positions.last(),
                positions.total()));
    boolean apart = positions.inSample().isPresent();
    if (rotation.isPresent()) {
      inputs.add(op.cast(rotation.cosine(), type));
      inputs.add(op.cast(rotation.sine(), type));
    } else if (apart) {
      inputs.addAll(List.of(Tensor.ABSENT, Tensor.ABSENT));
    }
    if (apart) {
      inputs.add(positions.inSample());
    }
    // The runtime's kernels let all positions of a row see those before them.
    Node node =
        hasKernel(op.graph().target(), type) && !apart
            ? op.graph().add(operator, inputs)
            : op.graph().add(operator, inputs, () -> explicit(op, operator, inputs));
    return new Attention(node.output(0), node.output(1), node.output(2));
  }

  /** On CUDA the operator takes half precision and nothing else. */
  private static boolean hasKernel(Target target, ElementType type) {
    return target != Target.CUDA || type.isHalf();
  }

  private static List<Tensor> explicit(
      Operators op, GroupQueryAttention operator, List<Tensor> inputs) {
    if (inputs.get(PAST_KEY).isPresent()) {
      throw new IllegalArgumentException("There is no attention over a past on this target.");
    }
    CausalAttention attention =
        new CausalAttention(op, inputs.get(KEY), operator, inSample(inputs));
    return attention.add(
        inputs.get(QUERY), inputs.get(KEY), inputs.get(VALUE), operator.rotation(inputs));
  }

  /** The rotation among the inputs of a node. */
  Attention.Rotation rotation(List<Tensor> inputs) {
    return rotates
        ? new Attention.Rotation(layout, inputs.get(COSINE), inputs.get(SINE))
        : Attention.Rotation.NONE;
  }

  /** Among the inputs of a node {@link Attention.Positions#inSample}. */
  static Tensor inSample(List<Tensor> inputs) {
    return inputs.size() > IN_SAMPLE ? inputs.get(IN_SAMPLE) : Tensor.ABSENT;
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of(
        "num_heads",
        (long) queryHeads,
        "kv_num_heads",
        (long) keyValueHeads,
        "do_rotary",
        rotates ? 1L : 0L,
        "rotary_interleaved",
        layout == RotaryLayout.NEIGHBOURS ? 1L : 0L);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    Tensor query = inputs.get(QUERY);
    Tensor key = inputs.get(KEY);
    Tensor value = inputs.get(VALUE);
    expectRank(this, key, 3);
    expectShape(this, value, key.shape());
    long headSize = key.shape().dimension(2).extent() / keyValueHeads;
    expectShape(this, key, key.shape().with(2, Dimension.of(keyValueHeads * headSize)));
    expectShape(this, query, key.shape().with(2, Dimension.of(queryHeads * headSize)));
    if (queryHeads % keyValueHeads != 0) {
      String got = "%d in multiples of %d".formatted(queryHeads, keyValueHeads);
      throw expected(this, "heads in multiples of key/value heads, not " + got, query, key);
    }
    List.of(query, key, value).forEach(tensor -> expectSingleOrHalf(this, tensor));
    List.of(key, value).forEach(tensor -> expectType(this, tensor, query.type()));
    Dimension batch = query.shape().dimension(0);
    expectType(this, inputs.get(LAST_POSITION), INT32);
    expectShape(this, inputs.get(LAST_POSITION), Shape.of(batch));
    expectType(this, inputs.get(TOTAL_LENGTH), INT32);
    expectShape(this, inputs.get(TOTAL_LENGTH), Shape.SCALAR);
    if (rotates) {
      rotation(inputs).expectAngles(this, Dimension.of(headSize));
    }
    Tensor inSample = inSample(inputs);
    if (inSample.isPresent()) {
      expectType(this, inSample, INT64);
      expectShape(this, inSample, Shape.of(batch, query.shape().dimension(1)));
    }
    Tensor pastKey = inputs.get(PAST_KEY);
    Dimension total =
        (pastKey.isPresent() ? pastKey : query).shape().dimension(pastKey.isPresent() ? 2 : 1);
    Shape present = Shape.of(batch, Dimension.of(keyValueHeads), total, Dimension.of(headSize));
    if (pastKey.isPresent()) {
      expectShape(this, pastKey, present);
      expectShape(this, inputs.get(PAST_VALUE), present);
    }
    Result cache = new Result(query.type(), present);
    return List.of(Result.like(query), cache, cache);
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    if (node.input(PAST_KEY).isPresent()) {
      throw new IllegalArgumentException("Attention over a past has no gradient.");
    }
    if (outputGradients.get(1).isPresent() || outputGradients.get(2).isPresent()) {
      throw new IllegalArgumentException(
          "The present keys and values of attention have no gradient; only its output has.");
    }
    return new AttentionGradient(new Operators(graph), this, node).of(outputGradients.get(0));
  }
}
