package io.minimind.distillation;

import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Objective;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import java.util.List;

/**
 * What a teacher thinks comes next; as a loss, how right it is.
 *
 * @param top of how many tokens it is asked
 * @param vocabulary of the student
 */
record TeacherTokens(int top, int vocabulary) implements Objective {

  /** For each token the scores of the likeliest, falling, then their ids: [tokens, 2 · top]. */
  static final String OUTPUT = "likeliest";

  @Override
  public Tensor loss(ForwardPass pass) {
    Operators op = pass.operators();
    Tensor scores = DistillationObjective.firstTokens(op, pass.logits(), vocabulary);
    Tensor ids = op.largest(scores, top);
    List<Tensor> both = List.of(op.pick(scores, ids), op.cast(ids, ElementType.FLOAT32));
    pass.output(OUTPUT, op.concatenate(both, 1, Dimension.of(2L * top)));
    return new NextToken().loss(pass);
  }
}
