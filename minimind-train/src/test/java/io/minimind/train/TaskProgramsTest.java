package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Objective;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.Rows;
import io.minimind.data.SampleEncoder;
import io.minimind.files.JavaProcess;
import io.minimind.files.JavaProcess.Result;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.InitialLaw;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Role;
import io.minimind.task.Pretraining;
import io.minimind.task.Task;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import program.TrainTask;
import program.WeightedTexts;

/** Tasks that are written outside the project: those in the package {@code program}. */
@Timeout(300)
class TaskProgramsTest {

  @TempDir static Path shared;
  private static Path weighted;
  private static Path even;

  @TempDir Path folder;

  @BeforeAll
  static void writeTokenizerAndRows() throws IOException {
    List<String> texts = new ArrayList<>();
    List<String> counted = new ArrayList<>(List.of("text,weight"));
    List<String> alike = new ArrayList<>(List.of("text,weight"));
    for (int i = 0; i < 80; i++) {
      String text = "there was a %s %d times".formatted(i % 2 == 0 ? "river" : "harbour", i);
      texts.add(text);
      counted.add(text + "," + (i % 3) / 2.0);
      alike.add(text + ",2");
    }
    ByteLevelBpeTrainer.ofSize(300).train(texts.iterator()).save(shared);
    weighted = Files.write(shared.resolve("weighted.csv"), counted);
    even = Files.write(shared.resolve("even.csv"), alike);
  }

  private List<Double> losses(Task task, Path rows, String name) throws IOException {
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void updated(Update update) {
            losses.add(update.loss());
          }
        };
    try (TrainingRun run =
        TrainTask.run(task, rows, shared, folder.resolve(name)).listener(listener).open()) {
      run.train();
    }
    return losses;
  }

  /** Everything twice is twice the loss, and Adam makes the same steps of it. */
  @Test
  void weightsOfTokensAndOfRowsReachTheLoss() throws IOException {
    List<Double> plain = losses(new Pretraining(), even, "plain");
    List<Double> twice = losses(new WeightedTexts(0, 1), even, "twice");
    assertEquals(plain.size(), twice.size());
    assertEquals(2 * plain.get(0), twice.get(0), 1e-5);
    List<Double> tokens = losses(new WeightedTexts(1000, 2), even, "tokens");
    assertEquals(4 * plain.get(0), tokens.get(0), 1e-5);
    List<Double> rows = losses(new WeightedTexts(0, 1), weighted, "rows");
    assertTrue(rows.get(0) < 0.75 * plain.get(0) && rows.get(0) > 0.1, rows.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"weighted", "hardest"})
  void aTaskOfAProgramEndsTheSameAfterKills(String task) throws Exception {
    Path whole = folder.resolve("whole");
    Result result = program(task, whole).run();
    assertEquals(0, result.status(), result.output());
    Path killed = folder.resolve("killed");
    KilledRun.run(program(task, killed), killed, KilledRun.update(whole), 3, 11);
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(killed.resolve("model.safetensors")));
  }

  private static JavaProcess program(String task, Path out) {
    return JavaProcess.of(TrainTask.class, task, weighted, shared, out)
        .with("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED");
  }

  /** What names it cannot be read without it, and says so. */
  @Test
  void withoutItsTaskARunIsNotGoneOnWith() throws IOException {
    Path out = folder.resolve("run");
    TrainTask.run(TrainTask.named("weighted"), weighted, shared, out).create().close();
    IOException e =
        assertThrows(IOException.class, () -> TrainingRun.builder().folder(out).resume().close());
    assertTrue(e.getMessage().contains("its task \"weighted-texts\""), e.getMessage());
    IOException other =
        assertThrows(
            IOException.class,
            () -> TrainTask.run(new WeightedTexts(4, 2), weighted, shared, out).resume().close());
    assertTrue(other.getMessage().contains("first was 3, and is 4 now"), other.getMessage());
  }

  /** A column that the rows lack is a mistake of theirs; an input that no column gives is not. */
  @Test
  void rowsWithoutTheWeightsAreRefused() throws IOException {
    Path texts = Files.writeString(folder.resolve("texts.csv"), "text\none\ntwo\n");
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                TrainTask.run(TrainTask.named("weighted"), texts, shared, folder.resolve("run"))
                    .rows(Rows.of(texts))
                    .open());
    assertTrue(e.getMessage().contains("weight"), e.getMessage());
  }

  /** A head that predicts how much a text counts, trained beside the model. */
  private record Critic(int width) implements Task, Objective {
    private static final BatchInput WEIGHT = BatchInput.floats("weight", Extent.ROW);

    private Parameter head() {
      return new Parameter(
          "value_head",
          Role.OBJECTIVE,
          Parameter.NONE,
          Parameter.NONE,
          Shape.of(1, width),
          new InitialLaw.Normal(0.02));
    }

    @Override
    public String name() {
      return "critic";
    }

    @Override
    public Objective objective() {
      return this;
    }

    @Override
    public List<Parameter> parameters(ModelConfig model) {
      return List.of(head());
    }

    @Override
    public List<BatchInput> inputs() {
      return List.of(WEIGHT);
    }

    @Override
    public Tensor loss(ForwardPass pass) {
      Operators op = pass.operators();
      Tensor wanted = pass.toTokens(pass.input(WEIGHT.name()));
      Tensor values = op.linear(pass.hiddenStates(), pass.parameter(head()));
      Tensor error = op.subtract(op.reshape(values, wanted.shape()), wanted);
      return pass.mean(op.multiply(error, error));
    }

    @Override
    public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
      return PretrainingEncoder.load(tokenizer, model.maxLength())
          .with(
              List.of("weight"),
              inputs(),
              "",
              (text, cells) -> text.with(WEIGHT.name(), Float.parseFloat(cells.get(0))));
    }
  }

  @Test
  void aHeadOfTheObjectivesOwnIsTrainedAndResumedButIsNoPartOfTheModel() throws IOException {
    List<Double> whole = losses(new Critic(32), even, "whole");
    assertTrue(whole.get(whole.size() - 1) < 0.7 * whole.get(0), whole.toString());
    try (TrainingRun run =
        TrainTask.run(new Critic(32), even, shared, folder.resolve("cut")).open()) {
      AtomicInteger asked = new AtomicInteger();
      run.train(() -> asked.incrementAndGet() > 9);
    }
    losses(new Critic(32), even, "cut");
    Path last = folder.resolve("cut/checkpoints/update-00000024/checkpoint");
    TrainingCheckpoint resumed = TrainingCheckpoint.read(last);
    assertEquals(
        TrainingCheckpoint.read(folder.resolve("whole/checkpoints/update-00000024/checkpoint")),
        resumed);
    List<String> trained = resumed.trainable().stream().map(NamedTensor::name).toList();
    assertTrue(trained.contains("value_head.weight"));
    Set<String> exported =
        Set.copyOf(SafetensorsFile.open(folder.resolve("cut/model.safetensors")).names());
    assertFalse(exported.contains("value_head.weight"));
    assertEquals(trained.size() - 1, exported.size());
  }

  @Test
  void theProgramIsShort() throws IOException {
    int lines = Files.readAllLines(Path.of("src/test/java/program/WeightedTexts.java")).size();
    assertTrue(lines <= 60, lines + " lines");
  }
}
