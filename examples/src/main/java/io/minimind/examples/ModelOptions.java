package io.minimind.examples;

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

  ModelConfig config(int vocabularySize, int maxLength) {
    if (maxLength < 2) {
      throw new IllegalArgumentException(
          "--max-length must be at least 2 tokens, but is " + maxLength + ".");
    }
    ModelConfig base = preset.config(vocabularySize, maxLength);
    try {
      return ModelConfig.of(
          or(hiddenSize, base.hiddenSize()),
          or(layers, base.layers()),
          or(heads, base.heads()),
          or(keyValueHeads, base.keyValueHeads()),
          vocabularySize,
          maxLength);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "--hidden-size, --layers, --heads and --key-value-heads make no model: " + e.getMessage(),
          e);
    }
  }

  private static int or(Integer given, int otherwise) {
    return given == null ? otherwise : given;
  }
}
