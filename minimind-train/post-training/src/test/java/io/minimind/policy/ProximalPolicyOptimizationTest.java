package io.minimind.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.data.Rows;
import io.minimind.model.ModelConfig;
import io.minimind.policy.PolicyObjective.Variant;
import io.minimind.policy.ProximalPolicyOptimization.Steps;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainingListener;
import io.minimind.train.TrainingRun;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import program.TrainByReward.LetterE;

/** Runs of a tiny model with a critic. */
@Timeout(300)
class ProximalPolicyOptimizationTest {

  private static final int PROMPTS = 12;

  /** Eleven epochs of one batch of prompts, each of two passes of three mini-batches. */
  private static final int UPDATES = 66;

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
      rows.add("{\"question\": \"how many herons: %d?\"}".formatted(i));
    }
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
    metrics = new ArrayList<>();
    train(run(whole, 100), () -> false, metrics);
  }

  /**
   * @param mostMoved beyond which answers are given up
   */
  private static RunBuilder run(Path out, double mostMoved) throws IOException {
    PolicyObjective policy = new PolicyObjective(Variant.PPO, 0.2, 5, 0.01, false);
    ProximalPolicyOptimization task =
        ProximalPolicyOptimization.of(
            start,
            new RolloutSettings(20, 8, 1, 0, 1, 0, 1),
            new Steps(2, 4, 1, 0.95, mostMoved),
            new ActorCriticObjective(policy, 0.5, 0.2, 2),
            List.of(LetterE.class.getName()));
    return TrainingRun.builder()
        .task(task)
        .from(start)
        .rows(Rows.of(prompts))
        .settings(
            s -> s.epochs(11).batchSize(12).learningRate(5e-3f).saveEvery(5).keepCheckpoints(2))
        .threads(1)
        .folder(out);
  }

  private static void train(
      RunBuilder builder, BooleanSupplier interrupted, List<Map<String, Double>> metrics)
      throws IOException {
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void updated(Update update) {
            metrics.add(update.metrics());
          }
        };
    try (TrainingRun run = builder.listener(listener).open()) {
      run.train(interrupted);
    }
  }

  private static byte[] weights(Path run) throws IOException {
    return Files.readAllBytes(run.resolve("model.safetensors"));
  }

  @Test
  void theModelComesToWriteWhatIsRewardedAndTheCriticToExpectIt() {
    assertEquals(UPDATES, metrics.size());
    double before = mean(metrics.subList(0, 6), PolicyObjective.REWARD);
    double after = mean(metrics.subList(UPDATES - 6, UPDATES), PolicyObjective.REWARD);
    assertTrue(after > before + 0.03, before + " to " + after);
    double first = mean(metrics.subList(0, 6), ActorCriticObjective.VALUE_LOSS);
    double last = mean(metrics.subList(UPDATES - 6, UPDATES), ActorCriticObjective.VALUE_LOSS);
    assertTrue(last < first, first + " to " + last);
    assertEquals(0, metrics.get(0).get(ActorCriticObjective.MOVED), 1e-6);
    assertTrue(metrics.get(1).get(ActorCriticObjective.MOVED) > 0);
  }

  private static double mean(List<Map<String, Double>> metrics, String name) {
    return metrics.stream().mapToDouble(metric -> metric.get(name)).average().orElseThrow();
  }

  /** Also in the midst of answers that are learnt from several times. */
  @Test
  void anInterruptionAnywhereChangesNothing() throws IOException {
    Path out = folder.resolve("run");
    List<Map<String, Double>> found = new ArrayList<>();
    AtomicInteger asked = new AtomicInteger();
    for (int sessions = 0; found.size() < UPDATES; sessions++) {
      assertTrue(sessions < 40, "it goes on");
      int most = 5 + sessions;
      asked.set(0);
      train(run(out, 100), () -> asked.incrementAndGet() > most, found);
    }
    assertEquals(metrics, found);
    assertArrayEquals(weights(whole), weights(out));
    assertEquals(
        Files.readAllLines(whole.resolve("rollouts.jsonl")),
        Files.readAllLines(out.resolve("rollouts.jsonl")));
  }

  @Test
  void answersAreGivenUpWhenThePolicyHasMovedTooFar() throws IOException {
    Path out = folder.resolve("run");
    List<Map<String, Double>> found = new ArrayList<>();
    train(run(out, 1e-9), () -> false, found);
    assertEquals(UPDATES, found.size());
    for (Map<String, Double> metric : found) {
      assertEquals(0, metric.get(ActorCriticObjective.MOVED), 1e-6, "each update has its own");
    }
    assertEquals(UPDATES, Files.readAllLines(out.resolve("rollouts.jsonl")).size());
  }

  @Test
  void theCriticIsSavedAndNoPartOfTheModel() throws IOException {
    List<String> saved =
        TrainingCheckpoint.read(
                whole.resolve("checkpoints/update-%08d/checkpoint".formatted(UPDATES)))
            .trainable()
            .stream()
            .map(tensor -> tensor.name())
            .toList();
    List<String> model = SafetensorsFile.open(whole.resolve("model.safetensors")).names();
    assertTrue(saved.contains("critic.value_head.weight"));
    assertEquals(2 * model.size() + 2, saved.size());
    assertFalse(model.stream().anyMatch(name -> name.startsWith("critic.")));
  }
}
