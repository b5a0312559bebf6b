package io.minimind.policy;

import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Objective;
import io.minimind.graph.Tensor;

/** What a model thinks of each token of a batch. */
record TokenLogProbabilities() implements Objective {

  /** Gives the logarithm of each label's probability, [tokens]. */
  static final String OUTPUT = "log_probabilities";

  @Override
  public Tensor loss(ForwardPass pass) {
    Tensor values = pass.logProbabilities();
    pass.output(OUTPUT, values);
    return pass.operators().negate(pass.mean(values));
  }
}
