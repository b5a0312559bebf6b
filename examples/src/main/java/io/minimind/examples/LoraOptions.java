package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.ArgumentException;
import io.minimind.interchange.AdapterImport;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.train.RunBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** The options that train adapters in place of a whole model. */
final class LoraOptions {

  @Option(
      names = "--lora-rank",
      paramLabel = "N",
      order = 45,
      showDefaultValue = Visibility.NEVER,
      description =
          "Trains low-rank adapters of this rank and leaves the weights alone (LoRA). The model in"
              + " --out has them merged; they also lie there on their own.")
  private Integer rank;

  @Option(
      names = "--lora-alpha",
      paramLabel = "A",
      order = 46,
      showDefaultValue = Visibility.NEVER,
      description = "Strength of the adapters; twice the rank unless given.")
  private Double alpha;

  @Option(
      names = "--lora-targets",
      paramLabel = "NAMES",
      order = 47,
      split = ",",
      showDefaultValue = Visibility.NEVER,
      description = "Layers that get adapters: some of wq,wk,wv,wo,w1,w2,w3; wq,wv unless given.")
  private List<String> targets;

  @Option(
      names = "--lora-adapter",
      paramLabel = "PATH",
      order = 48,
      showDefaultValue = Visibility.NEVER,
      description =
          "Goes on training this adapter: a folder of PEFT, a .pth of MiniMind's, or the --out of a"
              + " run with --lora-rank. The model to start from is the one that it was trained on.")
  private Path adapter;

  /**
   * Adds adapters to a run, if some are asked for.
   *
   * @param from folder of the model that the run starts from
   * @throws IllegalArgumentException if a value is out of its range or they are given twice
   * @throws IOException if an adapter cannot be read or does not fit the model
   */
  void addTo(RunBuilder run, Path from) throws IOException {
    if (adapter == null) {
      adapters().ifPresent(run::lora);
      return;
    }
    if (rank != null || alpha != null || targets != null) {
      throw new ArgumentException(
          "--lora-adapter brings its rank, alpha and targets: leave out the other --lora options.");
    }
    if (Files.exists(adapter) && Files.isSameFile(adapter, from)) {
      throw new ArgumentException(
          "The model in %s has its adapter merged already: --from must be the model that the adapter was trained on."
              .formatted(from));
    }
    run.lora(AdapterImport.read(adapter, ModelConfig.read(from.resolve(ModelFolder.CONFIG))));
  }

  /**
   * @throws IllegalArgumentException if a value is out of its range or there is no rank for it
   */
  private Optional<LowRankAdapters> adapters() {
    if (rank == null) {
      if (alpha != null || targets != null) {
        throw new ArgumentException(
            "--lora-alpha and --lora-targets say nothing without a --lora-rank: give it, such as"
                + " --lora-rank=8, or leave them out.");
      }
      return Optional.empty();
    }
    return Optional.of(
        new LowRankAdapters(
            rank,
            alpha == null ? 2.0 * rank : alpha,
            targets == null ? List.of("wq", "wv") : targets));
  }
}
