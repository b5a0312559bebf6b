package io.minimind.preference;

import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Objective;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;

/** What a model thinks of the answers of a batch; as a loss, all of it together. */
record AnswerLogProbabilities() implements Objective {

  /** Gives the log-probability of each row's answer, [rows]. */
  static final String OUTPUT = "answer_log_probabilities";

  @Override
  public Tensor loss(ForwardPass pass) {
    Operators op = pass.operators();
    return op.negate(op.sum(of(pass)));
  }

  /** The log-probability of an answer is the sum of those of its unmasked tokens. */
  static Tensor of(ForwardPass pass) {
    Tensor answers = pass.sumOfRows(pass.logProbabilities());
    pass.output(OUTPUT, answers);
    return answers;
  }
}
