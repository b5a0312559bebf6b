package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.chat.ChatTemplate;
import io.minimind.data.ByteTokenizer;
import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.graph.ModelRunner;
import io.minimind.model.ModelConfig;
import io.minimind.model.Weights;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Learning from single answers: the loss against the paper's formulas, and what it is made of. */
class KahnemanTverskyTest {

  private static final int JUDGED = 4;
  private static final int ROWS = 2 * JUDGED;
  private static final int LENGTH = 6;
  private static final int VOCABULARY = 24;
  private static final ModelConfig CONFIG = ModelConfig.of(32, 1, 2, 1, VOCABULARY, 16);

  private final long[] ids = new long[ROWS * LENGTH];
  private final long[] labels = new long[ids.length];
  private final float[] mask = new float[ids.length];
  private final float[] reference = new float[ROWS];
  private final float[] desirable = {1, 9, 0, 9, 0, 9, 1, 9}; // Every second one says nothing.

  KahnemanTverskyTest() {
    Random random = new Random(5);
    for (int i = 0; i < ids.length; i++) {
      ids[i] = random.nextInt(VOCABULARY);
      labels[i] = random.nextInt(VOCABULARY);
      mask[i] = i % LENGTH >= 1 + i / LENGTH % 3 ? 1 : 0;
    }
  }

  private List<NamedTensor> inputs(List<NamedTensor> weights) {
    List<NamedTensor> inputs = new ArrayList<>(weights);
    inputs.add(ModelRunner.longs("input_ids", ids, ROWS, LENGTH));
    inputs.add(ModelRunner.longs("labels", labels, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("loss_mask", mask, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("desirable", desirable, ROWS));
    inputs.add(NamedTensor.ofFloats("reference_log_probabilities", reference, ROWS));
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    return inputs;
  }

  private static ModelRunner graph(KahnemanTverskyObjective objective) {
    return ModelRunner.of(new TrainingArtifacts(CONFIG, objective).gradients());
  }

  /** Log-ratios of these sizes, the mismatched ones in every second place. */
  private void referTo(ModelRunner model, double... ratios) {
    double[] policy =
        ModelRunner.doubles(
            model.run(inputs(Weights.of(CONFIG))).get(AnswerLogProbabilities.OUTPUT));
    for (int i = 0; i < ROWS; i++) {
      reference[i] = (float) (policy[i] - ratios[i]);
    }
  }

  /** 1/2 and not 0: where the mean is negative, the point is 0. */
  @ParameterizedTest
  @CsvSource({
    "0.1, 1, 1, 1, 1.5",
    "0.5, 1, 1.33, 1, 1.5",
    "0.5, 2, 1, 2, 1.5",
    "0.1, 1, 1, 1, -3",
  })
  void theLossIsThatOfThePaper(
      double beta, double desirableWeight, double undesirableWeight, int answers, double other) {
    KahnemanTverskyObjective objective =
        new KahnemanTverskyObjective(beta, desirableWeight, undesirableWeight, answers);
    double[] own = {2, -1, 0.5, 4};
    double[] mismatched = {other, other + 1, other - 2, other + 0.5};
    try (ModelRunner model = graph(objective)) {
      referTo(
          model,
          IntStream.range(0, ROWS)
              .mapToDouble(i -> i % 2 == 0 ? own[i / 2] : mismatched[i / 2])
              .toArray());
      Map<String, NamedTensor> outputs = model.run(inputs(Weights.of(CONFIG)));
      double point = Math.max(0, Arrays.stream(mismatched).average().orElseThrow());
      double loss = 0;
      double reward = 0;
      double right = 0;
      for (int i = 0; i < JUDGED; i++) {
        boolean good = desirable[2 * i] == 1;
        double x = good ? own[i] - point : point - own[i];
        double value = 1 / (1 + Math.exp(-beta * x));
        loss += (good ? desirableWeight : undesirableWeight) * (1 - value) / JUDGED;
        reward += beta * (good ? own[i] : -own[i]) / JUDGED;
        right += x > 0 ? 1.0 / JUDGED : 0;
      }
      assertEquals(loss, scalar(outputs, "loss"), 1e-5);
      assertEquals(point, scalar(outputs, KahnemanTverskyObjective.REFERENCE_POINT), 1e-4);
      assertEquals(reward, scalar(outputs, KahnemanTverskyObjective.REWARD), 1e-4);
      assertEquals(right, scalar(outputs, KahnemanTverskyObjective.ACCURACY), 1e-6);
    }
  }

  /** The point has no gradient, so it is held where it is while the weights are moved. */
  @Test
  void theGradientIsThatOfTheAnswersAtAFixedPoint() {
    KahnemanTverskyObjective objective = new KahnemanTverskyObjective(0.5, 1.5, 0.7, 1);
    List<NamedTensor> weights = Weights.of(CONFIG);
    try (ModelRunner model = graph(objective)) {
      double[] ratios = {2, 1, -1, 2, 0.5, -1, 4, 0.5};
      referTo(model, ratios);
      double point = (1 + 2 - 1 + 0.5) / JUDGED;
      Map<String, NamedTensor> outputs = model.run(inputs(weights));
      for (NamedTensor weight : weights) {
        double[] gradient = ModelRunner.doubles(outputs.get(weight.name() + ".gradient"));
        double norm = Math.sqrt(Arrays.stream(gradient).map(value -> value * value).sum());
        double step = 0.01 / Math.max(1, norm);
        double up = lossAt(model, objective, point, moved(weights, weight, gradient, step / norm));
        double down =
            lossAt(model, objective, point, moved(weights, weight, gradient, -step / norm));
        assertEquals(norm, (up - down) / (2 * step), 0.02 * norm + 1e-4, weight.name());
      }
    }
  }

  private double lossAt(
      ModelRunner model,
      KahnemanTverskyObjective objective,
      double point,
      List<NamedTensor> weights) {
    double[] policy =
        ModelRunner.doubles(model.run(inputs(weights)).get(AnswerLogProbabilities.OUTPUT));
    double loss = 0;
    for (int i = 0; i < JUDGED; i++) {
      boolean good = desirable[2 * i] == 1;
      double x = (policy[2 * i] - reference[2 * i] - point) * (good ? 1 : -1);
      double weight = good ? objective.desirableWeight() : objective.undesirableWeight();
      loss += weight / (1 + Math.exp(objective.beta() * x)) / JUDGED;
    }
    return loss;
  }

  private static List<NamedTensor> moved(
      List<NamedTensor> weights, NamedTensor which, double[] direction, double step) {
    return weights.stream()
        .map(weight -> weight == which ? sum(weight, direction, step) : weight)
        .toList();
  }

  private static NamedTensor sum(NamedTensor weight, double[] direction, double step) {
    double[] values = ModelRunner.doubles(weight);
    float[] sum = new float[values.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = (float) (values[i] + step * direction[i]);
    }
    return NamedTensor.ofFloats(weight.name(), sum, weight.shape());
  }

  private static double scalar(Map<String, NamedTensor> outputs, String name) {
    return ModelRunner.doubles(outputs.get(name))[0];
  }

  private static Sample answer(int prompt, int... ids) {
    BitSet targets = new BitSet();
    targets.set(prompt, ids.length);
    return new Sample(ids, targets).with("desirable", prompt % 2);
  }

  private static String read(Samples samples, long index) throws IOException {
    int[] ids = new int[samples.longest()];
    boolean[] targets = new boolean[samples.longest()];
    int length = samples.read(index, ids, targets);
    assertEquals(length, samples.length(index), "sample " + index);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(targets[i] ? " *" : " ").append(ids[i]);
    }
    return text.substring(1);
  }

  @Test
  void eachAnswerIsFollowedByItsPromptWithTheAnswerOfTheNextRow() throws IOException {
    Samples judged =
        Samples.of(
            List.of(answer(2, 1, 2, 3), answer(1, 4, 5, 6, 7), answer(3, 8, 9, 10, 11)),
            1,
            List.of(KahnemanTverskyObjective.DESIRABLE));
    Samples twos = MismatchedAnswers.of(judged);
    assertEquals(6, twos.size());
    assertEquals(2, twos.groupSize());
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      rows.add(read(twos, i));
    }
    assertEquals(
        List.of("1 2 *3", "1 2 *5 *6", "4 *5 *6 *7", "4 *11", "8 9 10 *11", "8 9 10 *3"),
        rows,
        "there is no more room than the longest has");
    float[] value = new float[4];
    twos.readColumn(2, 0, value);
    assertEquals(1, value[0]);
    twos.readColumn(4, 0, value);
    assertEquals(1, value[0]);
    twos.readColumn(0, 0, value);
    assertEquals(0, value[0]);
    IOException alone =
        assertThrows(
            IOException.class,
            () ->
                MismatchedAnswers.of(
                    Samples.of(
                        List.of(answer(1, 1, 2)), 1, List.of(KahnemanTverskyObjective.DESIRABLE))));
    assertTrue(alone.getMessage().startsWith("There is one row"), alone.getMessage());
  }

  @Test
  void ofAPairTheFirstIsGoodAndNeitherIsTheOthersMismatch() throws IOException {
    Samples pairs =
        Samples.of(
            List.of(answer(1, 1, 2), answer(1, 1, 3), answer(1, 4, 5), answer(1, 4, 6)).stream()
                .map(sample -> new Sample(sample.ids(), sample.targets()))
                .toList(),
            2,
            List.of());
    Samples fours = MismatchedAnswers.of(pairs);
    assertEquals(4, fours.groupSize());
    assertEquals(List.of(KahnemanTverskyObjective.DESIRABLE), fours.columns());
    List<String> rows = new ArrayList<>();
    float[] desirable = new float[8];
    float[] value = new float[2];
    for (int i = 0; i < 8; i++) {
      rows.add(read(fours, i));
      fours.readColumn(i, 0, value);
      desirable[i] = value[0];
    }
    assertEquals(List.of("1 *2", "1 *5", "1 *3", "1 *6", "4 *5", "4 *2", "4 *6", "4 *3"), rows);
    assertArrayEquals(new float[] {1, 1, 0, 0, 1, 1, 0, 0}, desirable);
  }

  private static final String TEMPLATE =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
          + "{% if add_generation_prompt %}<assistant>{% endif %}";

  @ParameterizedTest
  @CsvSource({"true, 1", "False, 0", "1, 1", "0, 0", "good, 1", "bad, 0"})
  void labelsAreReadAsPeopleWriteThem(String label, float expected) {
    JudgedAnswers encoder = judged();
    Sample sample = encoder.encode(Row.of(0, "Q", "A", label)).get(0);
    assertArrayEquals(new float[] {expected}, sample.columns().get("desirable"));
    assertEquals(
        "<user>Q<assistant>A", new ByteTokenizer().decode(sample.ids()), "prompt and answer");
    assertEquals(sample.ids().length - 1, sample.targets().nextSetBit(0));
  }

  @Test
  void whatIsNoLabelIsRefused() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> judged().encode(Row.of(0, "Q", "A", "maybe")));
    assertEquals(
        "its label is \"maybe\", where true or false, 1 or 0, good or bad was expected.",
        e.getMessage());
    assertThrows(
        IllegalArgumentException.class, () -> judged().encode(Row.of(0, "Q", " ", "true")));
  }

  private static JudgedAnswers judged() {
    return new JudgedAnswers(
        new AnswerEncoder(new ByteTokenizer(), ChatTemplate.parse(TEMPLATE, Map.of()), "test", 64));
  }

  @Test
  void valuesOutOfRangeAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new KahnemanTverskyObjective(0, 1, 1, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new KahnemanTverskyObjective(0.1, Double.NaN, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new KahnemanTverskyObjective(0.1, 1, 1, 3));
    assertFalse(KahnemanTverskyObjective.DEFAULT.hasPerplexity());
  }
}
