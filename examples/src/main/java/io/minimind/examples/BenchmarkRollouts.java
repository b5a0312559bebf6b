package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.chat.ChatTemplate;
import io.minimind.data.Rows;
import io.minimind.data.TokenShards;
import io.minimind.files.InputException;
import io.minimind.files.TemporaryFolder;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.RolloutSettings;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource.Batches;
import io.minimind.task.BatchSource.Place;
import io.minimind.task.Batching;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How fast a model writes while it learns from rewards, and what else takes the time. */
@Command(
    name = "rollouts",
    description = {
      "Measures how fast a model writes while grpo trains it, beside the same answers by the same"
          + " model that is not in training; both take turns, and so see the same machine.",
      "Tokens a second are those of whole answers, the computing of prompts included. What a step"
          + " takes besides writing at that speed and learning is the rest. The model is not saved."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class BenchmarkRollouts implements Callable<Integer> {

  @Option(
      names = "--from",
      paramLabel = "DIR",
      required = true,
      description = "Folder of a float32 model.")
  private Path from;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = "Prompts, as those of grpo.")
  private Path data;

  @Option(names = "--batch-size", paramLabel = "ROWS", description = "Prompts of a step.")
  private int batchSize = 8;

  @Option(names = "--answers", paramLabel = "N", description = "Answers to each prompt.")
  private int answers = 8;

  @Option(
      names = "--beta",
      paramLabel = "BETA",
      description = "As that of grpo; unless it is 0, a second model is asked in each step.")
  private double beta = PolicyObjective.DEFAULT.beta();

  @Option(names = "--steps", paramLabel = "N", description = "Steps, after two that do not count.")
  private int steps = 10;

  @Option(names = "--threads", paramLabel = "N", description = "Threads to compute with.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Mixin
  private RolloutOptions rollouts = new RolloutOptions(new RolloutSettings(768, 64, 1, 0, 1, 0, 1));

  public static void main(String[] args) {
    MiniMind.run(new BenchmarkRollouts(), args);
  }

  @Override
  public Integer call() throws IOException {
    Numbers.atLeast(1, "--batch-size", batchSize);
    Numbers.atLeast(1, "--steps", steps);
    Numbers.atLeast(1, "--threads", threads);
    ModelConfig config = ModelConfig.read(from.resolve(ModelFolder.CONFIG));
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      ModelFolder.writeConfiguration(folder.path(), config, from);
      measure(config, task(), folder.path());
    }
    return 0;
  }

  private GroupPolicyOptimization task() throws IOException {
    PolicyObjective usual = PolicyObjective.DEFAULT;
    return GroupPolicyOptimization.of(
        from,
        answers,
        rollouts.settings(1),
        new PolicyObjective(usual.variant(), usual.clip(), usual.mostWeight(), beta, true),
        List.of(RolloutClock.class.getName()));
  }

  private void measure(ModelConfig config, GroupPolicyOptimization task, Path folder)
      throws IOException {
    TokenShards prompts =
        TokenShards.openOrBuild(
            folder.resolve("cache"),
            Rows.of(data),
            task.encoder(config, from),
            (read, size, rows, tokens) -> {});
    if (prompts.size() < (long) (steps + 2) * batchSize) {
      throw new InputException(
          "%s has %d prompts, %d steps need %d: give fewer --steps or more prompts."
              .formatted(data, prompts.size(), steps, (steps + 2) * batchSize));
    }
    Batching batching = new Batching(batchSize, 1, 1, false, folder, Optional.empty(), threads);
    System.out.printf(
        Locale.ROOT,
        "%,d parameters, %d threads; %d prompts with %d answers each%n",
        config.parameterCount(),
        threads,
        batchSize,
        answers);
    LoadOptions options =
        LoadOptions.defaults()
            .withThreads(threads)
            .withBatchSize(Math.min(64, batchSize * answers));
    try (ModelInTraining model =
            ModelInTraining.builder(new TrainingArtifacts(config, task.objective()))
                .weights(ModelFolder.weights(from, config))
                .threads(threads)
                .open();
        Batches batches = task.batches(prompts, batching).open(Place.START, model);
        LanguageModel alone = LanguageModel.load(from, options)) {
      RolloutSpeed speed =
          new RolloutSpeed(model, batches, alone, ChatTemplate.load(from), task.rollouts());
      for (int step = -2; step < steps; step++) {
        speed.step(step >= 0);
      }
      System.out.println(speed);
    }
  }
}
