package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;
import static io.minimind.graph.Operands.expectRank;
import static io.minimind.graph.Operands.expectShape;
import static io.minimind.graph.Operands.expectType;
import static io.minimind.graph.Operands.expected;

import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * {@link Attention} without a past, by a kernel of this project that goes over the queries block by
 * block, so that no probabilities reach memory (Dao et al. 2022, "FlashAttention").
 *
 * <p>Inputs: query [batch, length, heads · size], key and value [batch, length, key/value heads ·
 * size], float32, already turned; and where rows hold several samples {@link
 * Attention.Positions#inSample}. Outputs: what they attend to, as the query; and of each row of
 * logits the logarithm of the sum of exponentials, [batch, heads, length], from which the backward
 * pass has the probabilities again.
 *
 * @param queryHeads a multiple of the key/value heads
 */
public record FusedAttention(int queryHeads, int keyValueHeads) implements Operator {

  public static final String QUERY_HEADS = "num_heads";
  public static final String KEY_VALUE_HEADS = "kv_num_heads";

  public static final Specification SPECIFICATION = specification("FusedAttention", 3);

  private static Specification specification(String name, int inputs) {
    return Specification.own(name, inputs)
        .upTo(inputs + 1)
        .with(QUERY_HEADS, Attribute.INTEGER)
        .with(KEY_VALUE_HEADS, Attribute.INTEGER);
  }

  /**
   * @param inSample {@link Attention.Positions#inSample}
   */
  static Attention of(
      Operators op, Attention.Heads heads, Tensor inSample, Attention.Rotation rotation) {
    FusedAttention operator = new FusedAttention(heads.queryHeads(), heads.keyValueHeads());
    List<Tensor> inputs =
        new ArrayList<>(
            List.of(
                turned(op, heads.query(), heads.queryHeads(), inSample, rotation),
                turned(op, heads.key(), heads.keyValueHeads(), inSample, rotation),
                op.cast(heads.value(), FLOAT32)));
    if (inSample.isPresent()) {
      inputs.add(inSample);
    }
    Tensor output = op.graph().add(operator, inputs).output(0);
    return new Attention(op.cast(output, heads.query().type()), Tensor.ABSENT, Tensor.ABSENT);
  }

  private static Tensor turned(
      Operators op, Tensor half, int heads, Tensor positions, Attention.Rotation rotation) {
    Tensor x = op.cast(half, FLOAT32);
    return rotation.isPresent() ? RotaryEmbedding.ofRows(op, x, heads, positions, rotation) : x;
  }

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of(QUERY_HEADS, (long) queryHeads, KEY_VALUE_HEADS, (long) keyValueHeads);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    inputs.subList(0, 3).forEach(tensor -> expectType(this, tensor, FLOAT32));
    Tensor query = inputs.get(0);
    Tensor key = inputs.get(1);
    expectRank(this, key, 3);
    long size = key.shape().dimension(2).extent() / keyValueHeads;
    expectShape(this, key, key.shape().with(2, Dimension.of(keyValueHeads * size)));
    expectShape(this, inputs.get(2), key.shape());
    expectShape(this, query, key.shape().with(2, Dimension.of(queryHeads * size)));
    if (queryHeads % keyValueHeads != 0) {
      String got = "%d in multiples of %d".formatted(queryHeads, keyValueHeads);
      throw expected(this, "heads in multiples of key/value heads, not " + got, query, key);
    }
    Dimension batch = query.shape().dimension(0);
    Dimension length = query.shape().dimension(1);
    for (Tensor inSample : inputs.subList(3, inputs.size())) {
      expectType(this, inSample, INT64);
      expectShape(this, inSample, Shape.of(batch, length));
    }
    Shape rows = Shape.of(batch, Dimension.of(queryHeads), length);
    return List.of(Result.like(query), new Result(FLOAT32, rows));
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    if (outputGradients.get(1).isPresent()) {
      throw new IllegalArgumentException(
          "The sums of exponentials of attention have no gradient; only its output has.");
    }
    List<Tensor> inputs = new ArrayList<>(node.inputs().subList(0, 3));
    inputs.addAll(List.of(node.output(0), node.output(1), outputGradients.get(0)));
    inputs.addAll(node.inputs().subList(3, node.inputs().size()));
    List<Tensor> towards = graph.add(new Gradient(queryHeads, keyValueHeads), inputs).outputs();
    return List.of(() -> towards.get(0), () -> towards.get(1), () -> towards.get(2));
  }

  /**
   * The gradients of query, key and value, from these, both outputs, and the gradient of the first;
   * and last, where the node has it, from the position in its sample.
   */
  public record Gradient(int queryHeads, int keyValueHeads) implements Operator {

    public static final Specification SPECIFICATION =
        FusedAttention.specification("FusedAttentionGradient", 6);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of(QUERY_HEADS, (long) queryHeads, KEY_VALUE_HEADS, (long) keyValueHeads);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      expectShape(this, inputs.get(5), inputs.get(0).shape());
      return inputs.subList(0, 3).stream().map(Result::like).toList();
    }
  }
}
