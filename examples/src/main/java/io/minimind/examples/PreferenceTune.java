package io.minimind.examples;

import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.Variation;
import io.minimind.model.ModelConfig;
import io.minimind.preference.PreferenceObjective;
import io.minimind.preference.PreferenceTuning;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Direct preference optimization: a model that answers learns which answers people prefer. */
@Command(
    name = "dpo",
    description = {
      "Teaches a model which of two answers is preferred (direct preference optimization), or goes"
          + " on with a run that was interrupted.",
      "Its rows are pairs of answers. What the model to start from thinks of them is computed once"
          + " and kept with the encoded corpus."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind dpo --data train_data.json --from out/sft --validation-fraction 0.1"
    })
public final class PreferenceTune extends Tune {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description =
          "Preferences: a JSON array or JSON lines of objects with prompt, chosen and rejected,"
              + " each a text or a list of messages with role and content; or with chosen and"
              + " rejected alone, two conversations.")
  private Path data;

  @Option(
      names = "--beta",
      paramLabel = "BETA",
      order = 3,
      description =
          "How strongly the model is held to where it started; less lets it go further. 0.1 unless"
              + " given, and 2 for simpo.")
  private Double beta;

  @Option(
      names = "--label-smoothing",
      paramLabel = "SHARE",
      order = 4,
      description = "Share of the pairs that are taken to be the wrong way round.")
  private double labelSmoothing;

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      order = 5,
      defaultValue = "sigmoid",
      description =
          "Loss: sigmoid (DPO), ipo or hinge; simpo or orpo, which have no reference model.")
  private PreferenceObjective.Variant variant;

  @Option(
      names = "--loss",
      paramLabel = "TURNS",
      order = 6,
      description =
          "last-answer: a prompt has two answers. all-turns: chosen and rejected are conversations,"
              + " and every answer in them counts.")
  private Loss loss = Loss.LAST_ANSWER;

  @Option(
      names = "--drop-empty-thinking",
      paramLabel = "SHARE",
      order = 7,
      description = "Of conversations, as for sft.")
  private double emptyThinkingDropped;

  @Mixin private AnswerOptions answers;

  PreferenceTune() {
    super(Path.of("out", "dpo"), new TrainingOptions(4e-5f, 3, 1));
  }

  public static void main(String[] args) {
    MiniMind.run(new PreferenceTune(), args);
  }

  @Override
  Path data() {
    return data;
  }

  @Override
  Task task(Path from, ModelConfig model) throws IOException {
    double usual = variant == PreferenceObjective.Variant.SIMPO ? 2 : 0.1;
    PreferenceObjective objective =
        new PreferenceObjective(beta == null ? usual : beta, labelSmoothing, variant);
    PreferenceTuning task = PreferenceTuning.of(from, answers.maxLength(model, from), objective);
    return loss == Loss.ALL_TURNS
        ? task.onConversations(new Variation(emptyThinkingDropped, 0, List.of(), seed()))
        : task;
  }
}
