package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.model.LowRankAdapters;
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

  /**
   * @throws IllegalArgumentException if a value is out of its range or there is no rank for it
   */
  Optional<LowRankAdapters> adapters() {
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
