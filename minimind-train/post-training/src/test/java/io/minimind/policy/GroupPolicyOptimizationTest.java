package io.minimind.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.data.Rows;
import io.minimind.files.JavaProcess;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.policy.PolicyObjective.Variant;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.train.KilledRun;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainingListener;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import program.TrainByReward;
import program.TrainByReward.LetterE;

/** Runs of a tiny model that learns from what it writes. */
@Timeout(300)
class GroupPolicyOptimizationTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PROMPTS = 20;

  /** Four epochs of ten batches. */
  private static final int UPDATES = 40;

  @TempDir static Path shared;
  private static Path start;
  private static Path prompts;
  private static Path whole;
  private static List<Map<String, Double>> metrics;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    List<String> texts = new ArrayList<>();
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < PROMPTS; i++) {
      texts.add("there were %d herons in the reeds".formatted(i));
      rows.add("{\"prompt\": \"how many herons: %d?\", \"answer\": %d}".formatted(i, i));
    }
    // Longer than the context, of which one token is left for the answer.
    rows.set(3, "{\"prompt\": \"%s\", \"answer\": 3}".formatted("herons ".repeat(60)));
    Path tokenizer = shared.resolve("tokenizer");
    ByteLevelBpeTrainer.ofSize(300).train(texts.iterator()).save(tokenizer);
    Path corpus =
        Files.writeString(shared.resolve("corpus.csv"), "text\n" + String.join("\n", texts));
    start = shared.resolve("start");
    try (TrainingRun run =
        TrainingRun.builder()
            .task(new Pretraining())
            .tokenizer(tokenizer)
            .model(ModelConfig.of(32, 1, 2, 1, 300, 32))
            .rows(Rows.of(corpus))
            .settings(s -> s.epochs(4).batchSize(4).learningRate(5e-3f))
            .threads(1)
            .folder(start)
            .open()) {
      run.train();
    }
    prompts = Files.write(shared.resolve("prompts.jsonl"), rows);
    whole = shared.resolve("whole");
    metrics = trained(run(LetterE.class, whole));
  }

  private static RunBuilder run(Class<? extends Reward> reward, Path out) throws IOException {
    return TrainByReward.run(start, prompts, reward.getName(), out);
  }

  private static List<Map<String, Double>> trained(RunBuilder builder) throws IOException {
    List<Map<String, Double>> metrics = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void updated(Update update) {
            metrics.add(update.metrics());
          }
        };
    try (TrainingRun run = builder.listener(listener).open()) {
      run.train();
    }
    return metrics;
  }

  private static double mean(List<Map<String, Double>> metrics, String name) {
    return metrics.stream().mapToDouble(metric -> metric.get(name)).average().orElseThrow();
  }

  private static byte[] weights(Path run) throws IOException {
    return Files.readAllBytes(run.resolve("model.safetensors"));
  }

  @Test
  void theModelComesToWriteWhatIsRewarded() {
    assertEquals(UPDATES, metrics.size());
    double before = mean(metrics.subList(0, 5), PolicyObjective.REWARD);
    double after = mean(metrics.subList(UPDATES - 5, UPDATES), PolicyObjective.REWARD);
    assertTrue(after > before + 0.15, before + " to " + after);
    assertEquals(0, metrics.get(0).get(PolicyObjective.KL), 1e-5, "it starts as the reference");
    assertTrue(metrics.get(UPDATES - 1).get(PolicyObjective.KL) > 0.01);
    assertTrue(mean(metrics, PolicyObjective.LENGTH) <= 8, "no more than eight tokens");
  }

  @Test
  void whatWasWrittenIsKeptForPeople() throws IOException {
    List<String> lines = Files.readAllLines(whole.resolve("rollouts.jsonl"));
    assertEquals(UPDATES, lines.size());
    double mean = 0;
    boolean cut = false;
    for (int i = 0; i < UPDATES; i++) {
      JsonNode line = JSON.readTree(lines.get(i));
      assertEquals(i / 10, line.path("epoch").asInt());
      assertEquals(i % 10, line.path("batch").asInt());
      assertTrue(line.path("prompt").asText().contains("herons"));
      assertTrue(line.path("expected").isInt());
      assertEquals(6, line.path("answers").size());
      for (JsonNode answer : line.path("answers")) {
        assertTrue(answer.path("tokens").asInt() >= 1 && answer.path("tokens").asInt() <= 8);
        mean += answer.path("reward").asDouble() / 6 / UPDATES;
        cut |= !answer.path("ended").asBoolean();
      }
    }
    assertEquals(mean(metrics, PolicyObjective.REWARD), mean, 0.1);
    assertTrue(cut, "some answers ran into their limit");
  }

  @Test
  void aRunEndsTheSameAfterKills() throws Exception {
    Path killed = folder.resolve("killed");
    JavaProcess program =
        JavaProcess.of(TrainByReward.class, start, prompts, killed)
            .with("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED");
    KilledRun.run(program, killed, UPDATES, 3, 21);
    assertArrayEquals(weights(whole), weights(killed));
    assertEquals(
        Files.readAllLines(whole.resolve("rollouts.jsonl")),
        Files.readAllLines(killed.resolve("rollouts.jsonl")));
  }

  /** Fails from its fifth step on while it is broken. */
  public static final class Failing implements Reward {
    static final AtomicInteger STEPS = new AtomicInteger();
    static volatile double broken = Double.NaN;

    @Override
    public double of(Answer answer) {
      return new LetterE().of(answer);
    }

    @Override
    public double[] of(List<Answer> answers) throws IOException {
      double[] worth = Reward.super.of(answers);
      if (STEPS.incrementAndGet() >= 5) {
        if (Double.isInfinite(broken)) {
          throw new IllegalStateException("no line");
        }
        worth[2] += broken;
      }
      return worth;
    }
  }

  @Test
  void whereARewardFailsTheRunGoesOnOnceItIsMended() throws IOException {
    Path out = folder.resolve("run");
    for (double broken : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      Failing.broken = broken;
      Failing.STEPS.set(Double.isNaN(broken) ? 0 : 4);
      IOException e = assertThrows(IOException.class, () -> trained(run(Failing.class, out)));
      assertTrue(
          e.getMessage().contains(Double.isNaN(broken) ? "gave NaN for the answer" : "no line"),
          e.getMessage());
      assertEquals(4, KilledRun.update(out), "nothing that was learnt is lost");
    }
    Failing.broken = 0;
    assertEquals(UPDATES - 4, trained(run(Failing.class, out)).size());
    assertArrayEquals(weights(whole), weights(out));
  }

  /** Every answer is worth the same. */
  public static final class Indifferent implements Reward {
    @Override
    public double of(Answer answer) {
      return 7;
    }
  }

  @Test
  void answersThatAreWorthTheSameTeachNothing() throws IOException {
    Path out = folder.resolve("run");
    PolicyObjective free = new PolicyObjective(Variant.CISPO, 0.2, 5, 0, true);
    RolloutSettings rollouts = new RolloutSettings(20, 8, 1, 0, 1, 0, 1);
    List<String> reward = List.of(Indifferent.class.getName());
    List<Map<String, Double>> metrics =
        trained(
            run(Indifferent.class, out)
                .task(GroupPolicyOptimization.of(start, 6, rollouts, free, reward)));
    assertEquals(7, mean(metrics, PolicyObjective.REWARD));
    assertArrayEquals(weights(start), weights(out));
  }

  @Test
  void withoutBetaThereIsNoReferenceAndAdaptersLearnToo() throws IOException {
    Path model = folder.resolve("model");
    try (Stream<Path> files = Files.list(start)) {
      Files.createDirectory(model);
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    PolicyObjective free = new PolicyObjective(Variant.GRPO, 0.2, 5, 0, true);
    RolloutSettings rollouts = new RolloutSettings(20, 8, 0.9, 40, 0.95, 0.5, 1);
    Path out = folder.resolve("run");
    RunBuilder builder =
        TrainingRun.builder()
            .task(
                GroupPolicyOptimization.of(
                    model, 6, rollouts, free, List.of(LetterE.class.getName(), "0.1*ended")))
            .from(model)
            .lora(new LowRankAdapters(4, 8, LowRankAdapters.TARGETS))
            .rows(Rows.of(prompts))
            .validation(0.2)
            .settings(
                s -> s.epochs(5).batchSize(4).learningRate(2e-2f).validateEvery(10).saveEvery(10))
            .threads(1)
            .folder(out);
    List<Map<String, Double>> metrics = trained(builder);
    assertFalse(metrics.get(0).containsKey(PolicyObjective.KL));
    double before = mean(metrics.subList(0, 3), PolicyObjective.REWARD);
    double after =
        mean(metrics.subList(metrics.size() - 3, metrics.size()), PolicyObjective.REWARD);
    assertTrue(after > before, before + " to " + after);
    List<JsonNode> validations = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
      JsonNode metric = JSON.readTree(line);
      if (metric.has("validation_loss")) {
        validations.add(metric);
        assertEquals(
            -metric.path(PolicyObjective.REWARD).asDouble(),
            metric.path("validation_loss").asDouble(),
            0.02,
            "what is sought is the reward");
      }
    }
    assertEquals(2, validations.size());
  }

  @Test
  void aReferenceThatHasChangedIsNotGoneOnWith() throws IOException {
    Path model = folder.resolve("model");
    Files.createDirectory(model);
    try (Stream<Path> files = Files.list(start)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    Path out = folder.resolve("run");
    TrainByReward.run(model, prompts, "length", out).open().close();
    byte[] weights = weights(model);
    weights[weights.length - 1] ^= 1;
    Files.write(model.resolve("model.safetensors"), weights);
    IOException e =
        assertThrows(
            IOException.class, () -> trained(TrainingRun.builder().threads(1).folder(out)));
    assertTrue(e.getMessage().contains("no longer holds the model"), e.getMessage());
  }

  @Test
  void rowsThatAskNothingAreListed() throws IOException {
    List<String> rows = new ArrayList<>(Files.readAllLines(prompts));
    rows.add("{\"prompt\": \"  \", \"answer\": 1}");
    Path mixed = Files.write(folder.resolve("mixed.jsonl"), rows);
    Path out = folder.resolve("run");
    TrainByReward.run(start, mixed, "length", out).open().close();
    assertTrue(
        Files.readString(out.resolve("skipped.txt")).contains("row 21 (line 21): it asks nothing."),
        Files.readString(out.resolve("skipped.txt")));
  }

  @Test
  void theProgramIsShort() throws IOException {
    int lines = Files.readAllLines(Path.of("src/test/java/program/TrainByReward.java")).size();
    assertTrue(lines <= 60, lines + " lines");
  }
}
