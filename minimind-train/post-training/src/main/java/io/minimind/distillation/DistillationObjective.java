package io.minimind.distillation;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.artifact.Objective.PerToken;
import io.minimind.files.ArgumentException;
import io.minimind.graph.Dimension;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import java.util.List;
import java.util.Map;

/**
 * What a student learns from a teacher (Hinton et al. 2015, "Distilling the Knowledge in a Neural
 * Network"): {@code alpha · ce + (1 - alpha) · T² · KL(teacher ‖ student)}. The cross entropy
 * {@code ce} is that of the text, and the balance loss of a student that is a mixture of experts
 * joins it; both distributions of the divergence are those of the logits divided by the temperature
 * {@code T}. Both terms are means over the tokens that count.
 *
 * @param teacher its architecture; of a larger vocabulary than the student's the first tokens count
 * @param top of how many tokens the teacher's scores are known, which were computed beforehand: its
 *     probabilities are then those among these tokens, which the student should choose from all; 0
 *     for a teacher that stands beside the student and scores all of them
 * @param alpha the share of the text, at least 0 and less than 1
 * @param temperature above 0; the higher, the more unlikely tokens count
 */
public record DistillationObjective(ModelConfig teacher, int top, double alpha, double temperature)
    implements Objective {

  /** What the graphs call the teacher. */
  public static final String TEACHER = "teacher";

  /** The cross entropy of the text. */
  public static final String CROSS_ENTROPY = "cross_entropy";

  /** {@code T² · KL(teacher ‖ student)}. */
  public static final String DIVERGENCE = "divergence";

  private static final String IDS = "teacher_ids";
  private static final String SCORES = "teacher_scores";

  /**
   * @throws IllegalArgumentException if a value is out of its range
   */
  public DistillationObjective {
    if (top < 0 || top > teacher.vocabularySize()) {
      throw new ArgumentException(
          "Of the teacher's tokens 0 to %d can be kept, not %d."
              .formatted(teacher.vocabularySize(), top));
    }
    if (!(alpha >= 0 && alpha < 1)) {
      throw new ArgumentException(
          "Alpha must be at least 0 and less than 1, but is " + alpha + ".");
    }
    if (!(temperature > 0) || Double.isInfinite(temperature)) {
      throw new ArgumentException(
          "The temperature must be a number above 0, but is " + temperature + ".");
    }
  }

  /** Whether the teacher stands beside the student. */
  boolean live() {
    return top == 0;
  }

  /** The teacher's likeliest tokens for each label, and their scores. */
  @Override
  public List<BatchInput> inputs() {
    return live()
        ? List.of()
        : List.of(
            BatchInput.longs(IDS, Extent.TOKEN).withWidth(top),
            BatchInput.floats(SCORES, Extent.TOKEN).withWidth(top));
  }

  @Override
  public Map<String, ModelConfig> frozenModels() {
    return live() ? Map.of(TEACHER, teacher) : Map.of();
  }

  @Override
  public List<Metric> metrics() {
    return List.of(new Metric(CROSS_ENTROPY, Extent.TOKEN), new Metric(DIVERGENCE, Extent.TOKEN));
  }

  @Override
  public double balanceShare() {
    return alpha;
  }

  @Override
  public Tensor loss(ForwardPass pass) {
    Operators op = pass.operators();
    Tensor crossEntropy =
        pass.mean(op.crossEntropy(pass.logits(), pass.labels(), PerToken.NO_LABEL));
    Tensor divergence =
        op.multiply(
            pass.mean(divergences(pass)), scalar(op, "temperature²", temperature * temperature));
    pass.metric(CROSS_ENTROPY, crossEntropy);
    pass.metric(DIVERGENCE, divergence);
    return op.add(
        op.multiply(crossEntropy, scalar(op, "alpha", alpha)),
        op.multiply(divergence, scalar(op, "1-alpha", 1 - alpha)));
  }

  /**
   * With scores {@code t} of the teacher and {@code s} of the student, {@code KL = log Σ exp(s) -
   * log Σ exp(t) + Σ softmax(t) · (t - s)}, where the second and the third sum are over the tokens
   * whose scores are known.
   *
   * @return [tokens]
   */
  private Tensor divergences(ForwardPass pass) {
    Operators op = pass.operators();
    Tensor heat = scalar(op, "temperature", temperature);
    Tensor student = op.divide(pass.logits(), heat);
    Tensor scores = live() ? likewise(pass, pass.logits(TEACHER)) : row(pass, SCORES);
    Tensor teacher = op.divide(scores, heat);
    Tensor alike = live() ? student : op.pick(student, row(pass, IDS));
    Tensor distance = op.sum(op.multiply(op.softmax(teacher), op.subtract(teacher, alike)), 1);
    Tensor sums = op.subtract(op.logSumExp(student), op.logSumExp(teacher));
    return op.reshape(op.add(sums, distance), Shape.of(pass.tokens()));
  }

  /** As many scores as the student has. */
  private static Tensor likewise(ForwardPass pass, Tensor scores) {
    return firstTokens(pass.operators(), scores, vocabulary(pass.logits()));
  }

  /** The scores [tokens, vocabulary] of the first tokens of a vocabulary. */
  static Tensor firstTokens(Operators op, Tensor scores, long count) {
    long rest = vocabulary(scores) - count;
    return rest == 0 ? scores : op.split(scores, count, rest).get(0);
  }

  private static long vocabulary(Tensor scores) {
    return scores.shape().dimension(1).extent();
  }

  /** An input [tokens, top], which has no second axis where there is one value. */
  private Tensor row(ForwardPass pass, String input) {
    return pass.operators().reshape(pass.input(input), Shape.of(pass.tokens(), Dimension.of(top)));
  }

  private static Tensor scalar(Operators op, String name, double value) {
    return op.graph().constant(name, Shape.SCALAR, (float) value);
  }
}
