package io.minimind.artifact;

import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Role;
import io.minimind.model.SecondBody;
import io.minimind.weights.NamedTensor;
import java.util.List;
import java.util.Map;

/**
 * What a model learns: what the training graphs read besides ids, labels and mask, the loss that
 * they compute, and what they report with it. Implement it to train with a loss of your own: what
 * is built from {@link Operators} has its gradient.
 */
public interface Objective {

  /** What a batch must have besides {@link BatchInput#ALWAYS}. */
  default List<BatchInput> inputs() {
    return List.of();
  }

  /** Whether it learns from rows in which several samples stand one after the other. */
  default boolean takesPackedRows() {
    return inputs().contains(BatchInput.POSITION_IN_SAMPLE);
  }

  /**
   * Parameters of its own, which are trained with the model's and saved with each checkpoint, and
   * which the model that is exported does not have: a head that gives values, for example. Their
   * gradients are clipped apart from the model's.
   *
   * @return parameters of the role {@link Role#OBJECTIVE} or of a {@link SecondBody}, of names that
   *     the model does not have
   */
  default List<Parameter> parameters(ModelConfig model) {
    return List.of();
  }

  /**
   * The factor by which these parameters are kept divided, as those of a {@link SecondBody} are, so
   * that they learn at that many times the rate.
   */
  default float ownFactor() {
    return 1;
  }

  /**
   * The start values of these parameters: drawn from their laws unless it says otherwise.
   *
   * @param weights those that the model starts from
   */
  default List<NamedTensor> start(ModelConfig model, List<NamedTensor> weights, long seed) {
    return parameters(model).stream().map(parameter -> parameter.start(seed)).toList();
  }

  /**
   * Models that compute beside the one that learns and stay as they are, by their names: a teacher,
   * for example. Their weights are saved with each checkpoint, so a run goes on without the folders
   * that they came from; the model that is exported does not have them.
   *
   * @return names of letters, digits and underscores, in the order in which graphs have them
   */
  default Map<String, ModelConfig> frozenModels() {
    return Map.of();
  }

  /** Rows that belong together and stay together in a batch, at least 1. */
  default int groupSize() {
    return 1;
  }

  /** The scalars that a step reports besides the loss; {@link #loss} gives each of them. */
  default List<Metric> metrics() {
    return List.of();
  }

  /** What the loss is a mean over, so that those of several batches can be averaged. */
  default Extent lossOver() {
    return Extent.TOKEN;
  }

  /** What the balance loss of a mixture of experts is multiplied with when it joins the loss. */
  default double balanceShare() {
    return 1;
  }

  /** Whether the loss is a cross entropy of tokens, so that its exponential is a perplexity. */
  default boolean hasPerplexity() {
    return false;
  }

  /**
   * Adds the nodes that compute the loss.
   *
   * @return float32 scalar, finite for every batch
   */
  Tensor loss(ForwardPass pass);

  /** A loss of each token, of which the mean over the unmasked positions is learnt. */
  @FunctionalInterface
  interface PerToken extends Objective {

    /** No label has this value: the mask decides what counts, whatever the label. */
    long NO_LABEL = -100;

    /**
     * Adds the nodes that compute the losses.
     *
     * @param logits float32 [tokens, vocabulary]
     * @param labels int64 [tokens], ids of the vocabulary, also where the mask is 0
     * @return float32 [tokens], finite for every label
     */
    Tensor losses(Operators op, Tensor logits, Tensor labels);

    @Override
    default Tensor loss(ForwardPass pass) {
      return pass.mean(losses(pass.operators(), pass.logits(), pass.labels()));
    }
  }

  /**
   * The next token: cross entropy.
   *
   * @param packed whether rows hold several samples
   */
  record NextToken(boolean packed) implements PerToken {

    /** Of rows that are one sample each. */
    public NextToken() {
      this(false);
    }

    @Override
    public List<BatchInput> inputs() {
      return packed ? List.of(BatchInput.POSITION_IN_SAMPLE) : List.of();
    }

    @Override
    public Tensor losses(Operators op, Tensor logits, Tensor labels) {
      return op.crossEntropy(logits, labels, NO_LABEL);
    }

    @Override
    public boolean hasPerplexity() {
      return true;
    }
  }
}
