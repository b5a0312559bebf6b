package io.minimind.artifact;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.minimind.graph.Dimension;
import io.minimind.graph.ModelRunner;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.InitialLaw;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Role;
import io.minimind.model.Weights;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Objectives with inputs of their own, against their formulas in double. */
class ObjectiveTest {

  private static final int GROUPS = 2;
  private static final int SIZE = 3;
  private static final int ROWS = GROUPS * SIZE;
  private static final int LENGTH = 5;
  private static final int TOKENS = ROWS * LENGTH;
  private static final int VOCABULARY = 24;
  private static final ModelConfig CONFIG = ModelConfig.of(32, 1, 2, 1, VOCABULARY, 16);

  private static final BatchInput WEIGHTS = BatchInput.floats("weights", Extent.TOKEN).withWidth(2);
  private static final BatchInput ADVANTAGES = BatchInput.floats("advantages", Extent.ROW);
  private static final BatchInput BONUS = BatchInput.floats("bonus", Extent.GROUP);

  private final Random random = new Random(3);
  private final float[] mask = floats(TOKENS, () -> random.nextInt(3) > 0 ? 1 : 0);
  private final float[] weights = floats(2 * TOKENS, random::nextFloat);
  private final float[] advantages = floats(ROWS, random::nextFloat);
  private final float[] bonus = floats(GROUPS, random::nextFloat);
  private final long[] labels = random.longs(TOKENS, 0, VOCABULARY).toArray();

  private interface Draw {
    float next();
  }

  private static float[] floats(int count, Draw draw) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = draw.next();
    }
    return values;
  }

  /**
   * Cross entropy times the first weight and the row's advantage, over all tokens that count; and
   * of each group the bonus times the second weights of its rows.
   */
  private record Everything() implements Objective {
    @Override
    public List<BatchInput> inputs() {
      return List.of(WEIGHTS, ADVANTAGES, BONUS);
    }

    @Override
    public int groupSize() {
      return SIZE;
    }

    @Override
    public List<Metric> metrics() {
      return List.of(new Metric("bonus_given", Extent.GROUP));
    }

    @Override
    public Tensor loss(ForwardPass pass) {
      Operators op = pass.operators();
      List<Tensor> weights = op.split(pass.input(WEIGHTS.name()), 1, 1);
      Shape tokens = Shape.of(pass.tokens());
      Tensor losses = op.crossEntropy(pass.logits(), pass.labels(), PerToken.NO_LABEL);
      Tensor weighted = op.multiply(losses, op.reshape(weights.get(0), tokens));
      Tensor learnt =
          pass.mean(op.multiply(weighted, pass.toTokens(pass.input(ADVANTAGES.name()))));
      Tensor rows = pass.sumOfRows(op.reshape(weights.get(1), tokens));
      pass.output("row_weights", rows);
      pass.output("token_losses", losses);
      Tensor groups = op.sum(op.reshape(rows, Shape.of(pass.groups(), Dimension.of(SIZE))), 1);
      Tensor given =
          op.sum(
              op.multiply(op.reshape(groups, Shape.of(pass.groups())), pass.input(BONUS.name())));
      pass.metric("bonus_given", given);
      return op.add(learnt, given);
    }
  }

  private List<NamedTensor> inputs(List<NamedTensor> parameters) {
    List<NamedTensor> inputs = new ArrayList<>(parameters);
    long[] ids = new Random(8).longs(TOKENS, 0, VOCABULARY).toArray();
    inputs.add(ModelRunner.longs("input_ids", ids, ROWS, LENGTH));
    inputs.add(ModelRunner.longs("labels", labels, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("loss_mask", mask, ROWS, LENGTH));
    inputs.add(NamedTensor.ofFloats("weights", weights, ROWS, LENGTH, 2));
    inputs.add(NamedTensor.ofFloats("advantages", advantages, ROWS));
    inputs.add(NamedTensor.ofFloats("bonus", bonus, GROUPS));
    return inputs;
  }

  private Map<String, NamedTensor> run(
      Function<TrainingArtifacts, ModelProto> graph, NamedTensor... more) {
    List<NamedTensor> inputs = inputs(Weights.of(CONFIG));
    inputs.addAll(List.of(more));
    try (ModelRunner model =
        ModelRunner.of(graph.apply(new TrainingArtifacts(CONFIG, new Everything())))) {
      return model.run(inputs);
    }
  }

  @Test
  void inputsOfTokensRowsAndGroupsMeetInTheLoss() {
    NamedTensor one = NamedTensor.ofFloats("gradient_scale", new float[] {1});
    Map<String, NamedTensor> outputs = run(TrainingArtifacts::gradients, one);
    double[] logits = ModelRunner.doubles(outputs.get("logits"));
    double[] losses = new double[TOKENS];
    double[] rows = new double[ROWS];
    double learnt = 0;
    double counted = 0;
    double given = 0;
    for (int i = 0; i < TOKENS; i++) {
      int start = i * VOCABULARY;
      double sum =
          IntStream.range(start, start + VOCABULARY).mapToDouble(j -> Math.exp(logits[j])).sum();
      losses[i] = Math.log(sum) - logits[start + (int) labels[i]];
      learnt += mask[i] * losses[i] * weights[2 * i] * advantages[i / LENGTH];
      counted += mask[i];
      rows[i / LENGTH] += mask[i] * weights[2 * i + 1];
      given += mask[i] * weights[2 * i + 1] * bonus[i / LENGTH / SIZE];
    }
    assertArrayEquals(losses, ModelRunner.doubles(outputs.get("token_losses")), 1e-4);
    assertArrayEquals(rows, ModelRunner.doubles(outputs.get("row_weights")), 1e-5);
    assertEquals(given, ModelRunner.doubles(outputs.get("bonus_given"))[0], 1e-4);
    assertEquals(learnt / counted + given, ModelRunner.doubles(outputs.get("loss"))[0], 1e-4);
  }

  /** Along a parameter's gradient the loss changes by the gradient's norm. */
  @Test
  void gradientsAreTheChangeOfTheLoss() {
    List<NamedTensor> parameters = Weights.of(CONFIG);
    TrainingArtifacts artifacts = new TrainingArtifacts(CONFIG, new Everything());
    try (ModelRunner model = ModelRunner.of(artifacts.gradients())) {
      List<NamedTensor> inputs = inputs(parameters);
      inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
      Map<String, NamedTensor> outputs = model.run(inputs);
      for (NamedTensor parameter : parameters) {
        double[] gradient = ModelRunner.doubles(outputs.get(parameter.name() + ".gradient"));
        double norm =
            Math.sqrt(
                IntStream.range(0, gradient.length)
                    .mapToDouble(i -> gradient[i] * gradient[i])
                    .sum());
        double step = 0.01 / Math.max(1, norm);
        double[] losses = new double[2];
        for (int side = 0; side < 2; side++) {
          double moved = (side == 0 ? step : -step) / norm;
          double[] values = ModelRunner.doubles(parameter);
          float[] sum = new float[values.length];
          for (int i = 0; i < sum.length; i++) {
            sum[i] = (float) (values[i] + moved * gradient[i]);
          }
          List<NamedTensor> there = new ArrayList<>(inputs);
          there.set(
              there.indexOf(parameter),
              NamedTensor.ofFloats(parameter.name(), sum, parameter.shape()));
          losses[side] = ModelRunner.doubles(model.run(there).get("loss"))[0];
        }
        double change = (losses[0] - losses[1]) / (2 * step);
        assertEquals(norm, change, 0.02 * norm + 1e-4, parameter.name());
      }
    }
  }

  /** A head that predicts the advantage of each row from its last hidden states. */
  private record Values() implements Objective {
    private static final Parameter HEAD =
        new Parameter(
            "value_head",
            Role.OBJECTIVE,
            Parameter.NONE,
            Parameter.NONE,
            Shape.of(1, CONFIG.hiddenSize()),
            new InitialLaw.Normal(0.02));

    @Override
    public List<Parameter> parameters(ModelConfig model) {
      return List.of(HEAD);
    }

    @Override
    public List<BatchInput> inputs() {
      return List.of(ADVANTAGES);
    }

    @Override
    public Tensor loss(ForwardPass pass) {
      Operators op = pass.operators();
      Tensor values = op.linear(pass.hiddenStates(), pass.parameter(HEAD));
      Tensor wanted = pass.toTokens(pass.input(ADVANTAGES.name()));
      Tensor error = op.subtract(op.reshape(values, wanted.shape()), wanted);
      return pass.mean(op.multiply(error, error));
    }
  }

  @Test
  void anObjectiveMayTrainParametersOfItsOwn() {
    TrainingArtifacts artifacts = new TrainingArtifacts(CONFIG, new Values());
    NamedTensor head = Values.HEAD.start(3);
    List<NamedTensor> inputs = inputs(Weights.of(CONFIG));
    inputs.removeIf(input -> List.of("weights", "bonus").contains(input.name()));
    inputs.add(NamedTensor.ofFloats("gradient_scale", new float[] {1}));
    try (ModelRunner model = ModelRunner.of(artifacts.gradients())) {
      double[] losses = new double[3];
      double[] gradient = {};
      for (int side = 0; side < 3; side++) {
        double[] values = ModelRunner.doubles(head);
        float[] moved = new float[values.length];
        for (int i = 0; i < moved.length; i++) {
          moved[i] =
              (float) (values[i] + (side == 0 ? 0 : (side == 1 ? 1 : -1) * 0.01 * gradient[i]));
        }
        List<NamedTensor> there = new ArrayList<>(inputs);
        there.add(NamedTensor.ofFloats(head.name(), moved, head.shape()));
        Map<String, NamedTensor> outputs = model.run(there);
        losses[side] = ModelRunner.doubles(outputs.get("loss"))[0];
        gradient =
            side == 0 ? ModelRunner.doubles(outputs.get("value_head.weight.gradient")) : gradient;
      }
      double square = 0;
      for (double slope : gradient) {
        square += slope * slope;
      }
      assertTrue(square > 0);
      assertEquals(square, (losses[1] - losses[2]) / 0.02, 0.02 * square);
    }
    List<String> declared = artifacts.parameters().stream().map(Parameter::name).toList();
    for (ModelProto graph :
        List.of(artifacts.training(), artifacts.evaluation(), artifacts.weights())) {
      List<String> names =
          graph.getGraph().getInputList().stream().map(ValueInfoProto::getName).toList();
      assertEquals(declared, names.subList(names.size() - declared.size(), names.size()));
    }
  }

  private static List<String> outputs(ModelProto model) {
    return model.getGraph().getOutputList().stream().map(ValueInfoProto::getName).toList();
  }

  /** What a step does not need would be computed and fetched in each of them. */
  @Test
  void onlyAnEvaluationGivesOutputs() {
    TrainingArtifacts artifacts = new TrainingArtifacts(CONFIG, new Everything());
    assertEquals(
        List.of("row_weights", "token_losses", "bonus_given", "loss"),
        outputs(artifacts.evaluation()));
    List<String> trained = outputs(artifacts.training());
    assertTrue(trained.containsAll(List.of("bonus_given", "loss")), trained.toString());
    assertTrue(trained.stream().noneMatch(List.of("row_weights", "token_losses")::contains));
    assertEquals(List.of(new Metric("bonus_given", Extent.GROUP)), artifacts.metrics());
  }

  private record Broken(String asked, String reported) implements Objective {
    @Override
    public List<BatchInput> inputs() {
      return List.of(ADVANTAGES);
    }

    @Override
    public List<Metric> metrics() {
      return List.of(new Metric("declared", Extent.TOKEN));
    }

    @Override
    public Tensor loss(ForwardPass pass) {
      Tensor loss = pass.operators().sum(pass.input(asked));
      if (!reported.isEmpty()) {
        pass.metric(reported, loss);
      }
      return pass.mean(pass.operators().crossEntropy(pass.logits(), pass.labels(), -100));
    }
  }

  private static String refusal(Broken objective) {
    return assertThrows(
            RuntimeException.class, () -> new TrainingArtifacts(CONFIG, objective).evaluation())
        .getMessage();
  }

  @Test
  void whatIsNotDeclaredIsRefusedByName() {
    new TrainingArtifacts(CONFIG, new Broken("advantages", "declared")).evaluation();
    assertTrue(refusal(new Broken("rewards", "declared")).contains("the input rewards"));
    assertTrue(refusal(new Broken("advantages", "other")).contains("reports other"));
    assertTrue(refusal(new Broken("advantages", "")).contains("declares [declared]"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1st", "a b", "label_grad", "w_grad.accumulation.buffer"})
  void namesThatTheRuntimeWouldMistakeAreRefused(String name) {
    assertThrows(IllegalArgumentException.class, () -> BatchInput.floats(name, Extent.TOKEN));
  }
}
