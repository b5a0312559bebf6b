package io.minimind.graph.operator;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.graph.Graph;
import io.minimind.graph.Node;
import io.minimind.graph.Operator;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * {@link CrossEntropy} by a kernel of this project. Of the probabilities it keeps what they were
 * divided by, and no second matrix of the size of the logits.
 *
 * <p>Inputs: logits float32 [rows, classes], labels int64 [rows]. Outputs: the loss of each row;
 * the logarithm of the sum of exponentials of each row.
 *
 * @param ignored rows with this label have loss 0
 */
public record FusedCrossEntropy(long ignored) implements Operator {

  public static final String IGNORED = "ignored";

  public static final Specification SPECIFICATION =
      Specification.own("CrossEntropy", 2).with(IGNORED, Attribute.INTEGER);

  @Override
  public Specification specification() {
    return SPECIFICATION;
  }

  @Override
  public Map<String, Object> attributes() {
    return Map.of(IGNORED, ignored);
  }

  @Override
  public List<Result> results(List<Tensor> inputs) {
    CrossEntropy.expectLabels(this, inputs.get(0), inputs.get(1));
    Result ofRows = new Result(FLOAT32, inputs.get(1).shape());
    return List.of(ofRows, ofRows);
  }

  @Override
  public List<Supplier<Tensor>> gradients(Graph graph, Node node, List<Tensor> outputGradients) {
    if (outputGradients.get(1).isPresent()) {
      throw new IllegalArgumentException(
          "The sums of exponentials of cross entropy have no gradient; only its loss has.");
    }
    return List.of(
        () ->
            graph
                .add(
                    new Gradient(ignored),
                    outputGradients.get(0),
                    node.input(0),
                    node.input(1),
                    node.output(1))
                .output(0));
  }

  /** That of the logits, from the losses' gradients, logits, labels, and sums. */
  public record Gradient(long ignored) implements Operator {

    public static final Specification SPECIFICATION =
        Specification.own("CrossEntropyGradient", 4).with(IGNORED, Attribute.INTEGER);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of(IGNORED, ignored);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      return List.of(Result.like(inputs.get(1)));
    }
  }
}
