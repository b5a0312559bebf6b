package io.minimind.distillation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.graph.ModelRunner;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.Weights;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The loss of a student against its formula in double, and its gradient against differences. */
class DistillationObjectiveTest {

  private static final int ROWS = 2;
  private static final int LENGTH = 5;
  private static final int TOKENS = ROWS * LENGTH;
  private static final int VOCABULARY = 24;
  private static final int LARGER = 31;
  private static final ModelConfig STUDENT = ModelConfig.of(32, 1, 2, 1, VOCABULARY, 16);
  private static final ModelConfig TEACHER = ModelConfig.of(48, 2, 3, 1, LARGER, 16);

  private final long[] ids = new long[TOKENS];
  private final long[] labels = new long[TOKENS];
  private final float[] mask = new float[TOKENS];

  DistillationObjectiveTest() {
    Random random = new Random(3);
    for (int i = 0; i < TOKENS; i++) {
      ids[i] = random.nextInt(VOCABULARY);
      labels[i] = random.nextInt(VOCABULARY);
      mask[i] = i % 3 == 0 ? 0 : 1;
    }
  }

  private List<NamedTensor> common(List<NamedTensor> weights) {
    List<NamedTensor> inputs = new ArrayList<>(weights);
    inputs.add(ModelRunner.longs("input_ids", ids, ROWS, LENGTH));
    inputs.add(ModelRunner.longs("labels", labels, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("loss_mask", mask, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    return inputs;
  }

  private static List<NamedTensor> teacher() {
    return Weights.of(TEACHER).stream()
        .map(
            w ->
                new NamedTensor(
                    DistillationObjective.TEACHER + "." + w.name(), w.type(), w.shape(), w.data()))
        .toList();
  }

  private Map<String, NamedTensor> run(
      DistillationObjective objective, List<NamedTensor> student, List<NamedTensor> more) {
    List<NamedTensor> inputs = common(student);
    inputs.addAll(more);
    try (ModelRunner model =
        ModelRunner.of(new TrainingArtifacts(STUDENT, objective).gradients())) {
      return model.run(inputs);
    }
  }

  private double[] teacherScores() {
    try (ModelRunner model = ModelRunner.of(new TrainingArtifacts(TEACHER).gradients())) {
      return ModelRunner.doubles(model.run(common(Weights.of(TEACHER))).get("logits"));
    }
  }

  private static double[] row(double[] values, int row, int width, double temperature) {
    return IntStream.range(row * width, row * width + VOCABULARY)
        .mapToDouble(i -> values[i] / temperature)
        .toArray();
  }

  private static double logSumExp(double[] scores) {
    return Math.log(IntStream.range(0, scores.length).mapToDouble(i -> Math.exp(scores[i])).sum());
  }

  /** The tokens of the highest scores. */
  private static int[] likeliest(double[] scores, int top) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -scores[i]))
        .limit(top)
        .mapToInt(i -> i)
        .toArray();
  }

  /** The mean over what counts of {@code T² Σ p (ln p - ln q)}, p among some tokens. */
  private double divergence(double[] teacher, double[] student, int top, double temperature) {
    double sum = 0;
    double count = 0;
    for (int i = 0; i < TOKENS; i++) {
      double[] theirs = row(teacher, i, LARGER, temperature);
      double[] own = row(student, i, VOCABULARY, temperature);
      int[] some = likeliest(theirs, top);
      double[] known = IntStream.of(some).mapToDouble(t -> theirs[t]).toArray();
      for (int token : some) {
        double p = theirs[token] - logSumExp(known);
        sum += mask[i] * Math.exp(p) * (p - (own[token] - logSumExp(own)));
      }
      count += mask[i];
    }
    return temperature * temperature * sum / count;
  }

  private double crossEntropy(double[] student) {
    double sum = 0;
    double count = 0;
    for (int i = 0; i < TOKENS; i++) {
      double[] own = row(student, i, VOCABULARY, 1);
      sum += mask[i] * (logSumExp(own) - own[(int) labels[i]]);
      count += mask[i];
    }
    return sum / count;
  }

  /** What a teacher that was asked beforehand gives to a batch. */
  private List<NamedTensor> columns(double[] teacher, int top) {
    long[] tokens = new long[TOKENS * top];
    float[] scores = new float[TOKENS * top];
    for (int i = 0; i < TOKENS; i++) {
      double[] theirs = row(teacher, i, LARGER, 1);
      int[] some = likeliest(theirs, top);
      for (int j = 0; j < top; j++) {
        tokens[i * top + j] = some[j];
        scores[i * top + j] = (float) (theirs[some[j]] - theirs[some[0]]);
      }
    }
    long[] shape = top == 1 ? new long[] {ROWS, LENGTH} : new long[] {ROWS, LENGTH, top};
    return List.of(
        ModelRunner.longs("teacher_ids", tokens, shape),
        NamedTensor.ofFloats("teacher_scores", scores, shape));
  }

  @ParameterizedTest
  @CsvSource({"0, 0.5, 1.5", "0, 0, 1", "24, 0.3, 2", "7, 0.5, 1.5", "1, 0.5, 4"})
  void theLossFollowsItsFormula(int top, double alpha, double temperature) {
    DistillationObjective objective = new DistillationObjective(TEACHER, top, alpha, temperature);
    double[] teacher = teacherScores();
    Map<String, NamedTensor> found =
        run(objective, Weights.of(STUDENT), top == 0 ? teacher() : columns(teacher, top));
    double[] student = ModelRunner.doubles(found.get("logits"));
    double crossEntropy = crossEntropy(student);
    double divergence = divergence(teacher, student, top == 0 ? VOCABULARY : top, temperature);
    assertTrue(divergence > 0.01, "there is something to learn");
    assertEquals(crossEntropy, ModelRunner.doubles(found.get("cross_entropy"))[0], 1e-4);
    assertEquals(divergence, ModelRunner.doubles(found.get("divergence"))[0], 1e-4);
    assertEquals(
        alpha * crossEntropy + (1 - alpha) * divergence,
        ModelRunner.doubles(found.get("loss"))[0],
        1e-4);
    assertFalse(
        found.keySet().stream().anyMatch(name -> name.startsWith("teacher.")),
        "nothing is learnt by the teacher");
  }

  @ParameterizedTest
  @CsvSource({"0", "7"})
  void gradientsAreThoseOfDifferences(int top) {
    DistillationObjective objective = new DistillationObjective(TEACHER, top, 0.5, 1.5);
    List<NamedTensor> beside = top == 0 ? teacher() : columns(teacherScores(), top);
    List<NamedTensor> weights = Weights.of(STUDENT);
    Map<String, NamedTensor> found = run(objective, weights, beside);
    Random random = new Random(8);
    for (int i = 0; i < weights.size(); i++) {
      NamedTensor weight = weights.get(i);
      int at = random.nextInt(weight.floats().limit());
      double[] losses = new double[2];
      float step = 1e-2f;
      for (int side = 0; side < 2; side++) {
        float[] values = new float[weight.floats().limit()];
        weight.floats().get(values);
        values[at] += side == 0 ? -step : step;
        List<NamedTensor> moved = new ArrayList<>(weights);
        moved.set(i, NamedTensor.ofFloats(weight.name(), values, weight.shape()));
        losses[side] = ModelRunner.doubles(run(objective, moved, beside).get("loss"))[0];
      }
      double gradient =
          ModelRunner.doubles(found.get(weight.name() + TrainingArtifacts.GRADIENT))[at];
      assertEquals((losses[1] - losses[0]) / (2 * step), gradient, 2e-3, weight.name());
    }
  }

  @Test
  void theTeachersParametersStandBehindTheStudents() {
    TrainingArtifacts artifacts =
        new TrainingArtifacts(STUDENT, new DistillationObjective(TEACHER, 0, 0.5, 1.5));
    int own = new Parameters(STUDENT).all().size();
    assertEquals(own, artifacts.trainableParameters().size());
    assertEquals(own + new Parameters(TEACHER).all().size(), artifacts.parameters().size());
    assertTrue(artifacts.parameters().get(own).name().startsWith("teacher."));
  }

  @Test
  void valuesOutOfTheirRangeAreRefused() {
    assertRefused(-1, 0.5, 1);
    assertRefused(LARGER + 1, 0.5, 1);
    assertRefused(0, 1, 1);
    assertRefused(0, -0.1, 1);
    assertRefused(0, 0.5, 0);
    assertRefused(0, 0.5, Double.NaN);
  }

  private static void assertRefused(int top, double alpha, double temperature) {
    assertThrows(
        IllegalArgumentException.class,
        () -> new DistillationObjective(TEACHER, top, alpha, temperature));
  }
}
