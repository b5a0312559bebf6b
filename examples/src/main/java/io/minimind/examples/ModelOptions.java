package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import picocli.CommandLine.Option;

/** The options that choose an architecture: a preset, and sizes that differ from it. */
final class ModelOptions {

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      defaultValue = "small",
      description = "Model size: ${COMPLETION-CANDIDATES}.",
      order = 20)
  private ModelConfig.Preset preset;

  @Option(
      names = "--hidden-size",
      paramLabel = "N",
      description = "Width of the model, instead of the preset's.",
      order = 21)
  private Integer hiddenSize;

  @Option(
      names = "--layers",
      paramLabel = "N",
      description = "Number of blocks, instead of the preset's.",
      order = 22)
  private Integer layers;

  @Option(
      names = "--heads",
      paramLabel = "N",
      description = "Query heads, instead of the preset's.",
      order = 23)
  private Integer heads;

  @Option(
      names = "--key-value-heads",
      paramLabel = "N",
      description = "Key/value heads, instead of the preset's.",
      order = 24)
  private Integer keyValueHeads;

  @Option(
      names = "--experts",
      paramLabel = "N",
      description = {
        "Experts that each feed-forward layer is a mixture of, instead of the preset's; a gate"
            + " chooses 2 for each token, and one more is shared by all. 0 is no mixture."
      },
      order = 25)
  private Integer experts;

  @Option(
      names = "--balance",
      paramLabel = "ALPHA",
      description = {
        "Weight of the loss that keeps a mixture from always choosing the same experts,"
            + " 0 for none; 0.01 unless given."
      },
      order = 26)
  private Double balance;

  ModelConfig config(int vocabularySize, int maxLength) {
    if (maxLength < 2) {
      throw new ArgumentException(
          "--max-length must be at least 2 tokens, but is " + maxLength + ".");
    }
    ModelConfig base = preset.config(vocabularySize, maxLength);
    try {
      return preset
          .like(
              or(hiddenSize, base.hiddenSize()),
              or(layers, base.layers()),
              or(heads, base.heads()),
              or(keyValueHeads, base.keyValueHeads()),
              vocabularySize,
              maxLength)
          .with(experts(base.experts()));
    } catch (IllegalArgumentException e) {
      throw new ArgumentException(
          "--hidden-size, --layers, --heads, --key-value-heads, --experts and --balance make no"
              + " model: "
              + e.getMessage(),
          e);
    }
  }

  private Experts experts(Experts base) {
    Experts mixture = experts == null ? base : preset.experts(experts);
    if (balance == null) {
      return mixture;
    }
    if (!mixture.isMixture()) {
      throw new ArgumentException("--balance is for a mixture of experts only.");
    }
    return mixture.withBalance(balance);
  }

  private static int or(Integer given, int otherwise) {
    return given == null ? otherwise : given;
  }
}
