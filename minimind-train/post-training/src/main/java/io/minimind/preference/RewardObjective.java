package io.minimind.preference;

import static io.minimind.graph.ElementType.FLOAT32;

import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.artifact.ScalarHead;
import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.Role;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Learning what answers are worth: a head on the model gives a number where an answer ends, and
 * that of the chosen answer becomes higher than that of the rejected one. The loss of a pair is
 * {@code -log sigmoid(chosen - rejected)}, the likelihood of the choices under Bradley and Terry's
 * model (1952), as Ouyang et al. 2022 ("InstructGPT") learn it.
 *
 * <p>Rows are pairs, and the mask is 1 at the last token of each row and nowhere else.
 */
record RewardObjective() implements Objective {

  /** How much higher the chosen answer's number is. */
  static final String MARGIN = PreferenceObjective.MARGIN;

  /** The share of pairs whose chosen answer has the higher number. */
  static final String ACCURACY = PreferenceObjective.ACCURACY;

  /** Of the same name as in transformers' models for sequence classification. */
  static final ScalarHead HEAD = new ScalarHead("score", false);

  @Override
  public List<Parameter> parameters(ModelConfig model) {
    return HEAD.parameters(model);
  }

  @Override
  public int groupSize() {
    return 2;
  }

  @Override
  public List<Metric> metrics() {
    return List.of(new Metric(MARGIN, Extent.GROUP), new Metric(ACCURACY, Extent.GROUP));
  }

  @Override
  public Extent lossOver() {
    return Extent.GROUP;
  }

  @Override
  public Tensor loss(ForwardPass pass) {
    Operators op = pass.operators();
    Dimension pairs = pass.groups();
    Tensor scores = op.reshape(scores(pass), Shape.of(pairs, Dimension.of(2)));
    Tensor signs = op.graph().constant("chosen_less_rejected", Shape.of(2), 1f, -1f);
    Tensor margins = op.sum(op.multiply(scores, signs), 1);
    Tensor zero = op.graph().constant("no_margin", Shape.SCALAR, 0f);
    Tensor won = op.cast(op.greater(margins, zero), FLOAT32);
    pass.metric(MARGIN, mean(op, margins, pairs));
    pass.metric(ACCURACY, mean(op, won, pairs));
    // The cross entropy of telling the chosen answer from the rejected one.
    Tensor first = op.expand(op.graph().constant("first", Shape.of(1), 0L), Shape.of(pairs));
    Tensor loss = mean(op, op.crossEntropy(scores, first, PerToken.NO_LABEL), pairs);
    return withTheHead(pass, loss);
  }

  /** The number of each row, [rows]. */
  static Tensor scores(ForwardPass pass) {
    return pass.sumOfRows(HEAD.of(pass, pass.hiddenStates(), UnaryOperator.identity()));
  }

  /** A model's own head for tokens has no part in this, but every parameter needs a gradient. */
  private static Tensor withTheHead(ForwardPass pass, Tensor loss) {
    if (!pass.model().has(Part.OWN_HEAD)) {
      return loss;
    }
    Operators op = pass.operators();
    Tensor head = pass.parameter(new Parameters(pass.model()).get(Role.HEAD));
    Tensor nothing = op.graph().constant("nothing", Shape.SCALAR, 0f);
    return op.add(loss, op.multiply(op.sum(head), nothing));
  }

  private static Tensor mean(Operators op, Tensor values, Dimension count) {
    return op.divide(op.sum(values), op.reshape(op.cast(op.extent(count), FLOAT32), Shape.SCALAR));
  }

  /** What a model thinks of single answers, to ask and not to train it. */
  record Scores() implements Objective {

    /** Gives the number of each row, [rows]. */
    static final String OUTPUT = "scores";

    @Override
    public List<Parameter> parameters(ModelConfig model) {
      return HEAD.parameters(model);
    }

    @Override
    public Tensor loss(ForwardPass pass) {
      Tensor scores = RewardObjective.scores(pass);
      pass.output(OUTPUT, scores);
      return withTheHead(pass, pass.operators().sum(scores));
    }
  }
}
