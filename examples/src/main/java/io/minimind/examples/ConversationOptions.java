package io.minimind.examples;

import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.Variation;
import io.minimind.files.ArgumentException;
import io.minimind.model.ModelConfig;
import io.minimind.task.FineTuning;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say how a stage learns from conversations. */
final class ConversationOptions {

  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      order = 30,
      description = "Longer conversations are cut; the model's own length unless given.")
  private Integer maxLength;

  @Option(
      names = "--loss",
      paramLabel = "TURNS",
      order = 30,
      description =
          "What to learn: ${COMPLETION-CANDIDATES}. last-answer is what the original did at first."
              + " all-turns learns from every answer of a conversation, which is better where there"
              + " are several.")
  private Loss loss;

  @Option(
      names = "--drop-empty-thinking",
      paramLabel = "SHARE",
      order = 30,
      description =
          "Share of the conversations that lose the empty thoughts which some templates write"
              + " before an answer, so that the model can do without.")
  private double emptyThinkingDropped;

  @Option(
      names = "--system-prompts",
      paramLabel = "FILE",
      order = 30,
      description =
          "System prompts, one in a line, of which conversations without one and without tools may"
              + " get one.")
  private Path systemPrompts;

  @Option(
      names = "--system-share",
      paramLabel = "SHARE",
      order = 30,
      description = "Share of those conversations that get one.")
  private double systemAdded = 0.2;

  ConversationOptions(Loss loss) {
    this.loss = loss;
  }

  /**
   * @param from the folder of the model
   * @param seed of what is drawn for each conversation
   * @throws IOException if the prompts cannot be read
   * @throws IllegalArgumentException if a value is out of its range
   */
  FineTuning task(ModelConfig model, Path from, long seed) throws IOException {
    int length = maxLength == null ? model.maxLength() : maxLength;
    if (length < 2 || length > model.maxLength()) {
      throw new ArgumentException(
          "--max-length must be between 2 and %d, the length of the model in %s, but is %d."
              .formatted(model.maxLength(), from, length));
    }
    List<String> prompts = systemPrompts == null ? List.of() : Prompts.read(systemPrompts);
    boolean varies = systemPrompts != null || emptyThinkingDropped != 0;
    return FineTuning.of(
        length,
        loss,
        varies
            ? new Variation(
                emptyThinkingDropped, systemPrompts == null ? 0 : systemAdded, prompts, seed)
            : Variation.NONE);
  }
}
