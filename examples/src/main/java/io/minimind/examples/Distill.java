package io.minimind.examples;

import io.minimind.data.ChatEncoder.Loss;
import io.minimind.distillation.Distillation;
import io.minimind.files.ArgumentException;
import io.minimind.model.ModelConfig;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Distillation: a student learns to answer as a teacher does. */
@Command(
    name = "distill",
    description = {
      "Teaches a model to answer as a larger one does, from conversations and from what the larger"
          + " one thinks of every token in them; or goes on with a run that was interrupted.",
      "The teacher computes beside the student, or with --teacher-top beforehand: what it thinks is"
          + " then kept with the encoded conversations, and serves other students too."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind distill --data chats.csv --teacher out/large --from out/small"
    })
public final class Distill extends Tune {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description = "Conversations, as for sft.")
  private Path data;

  @Option(
      names = "--teacher",
      paramLabel = "DIR",
      order = 2,
      description = "Folder of the teacher's float32 model. It has the same tokens.")
  private Path teacher;

  @Option(
      names = "--teacher-top",
      paramLabel = "TOKENS",
      order = 3,
      description =
          "Asks the teacher beforehand and keeps so many of its likeliest tokens in each place,"
              + " with their probabilities among each other. 0: the teacher computes in training,"
              + " and all tokens count.")
  private int top;

  @Option(
      names = "--alpha",
      paramLabel = "SHARE",
      order = 4,
      description = "Share of the text in the loss; the teacher has the rest.")
  private double alpha = 0.5;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      order = 5,
      description = "The higher, the more unlikely tokens of the teacher count.")
  private double temperature = 1.5;

  @Mixin private ConversationOptions conversations = new ConversationOptions(Loss.ALL_TURNS);

  Distill() {
    super(Path.of("out", "distill"), new TrainingOptions(1e-4f));
  }

  public static void main(String[] args) {
    MiniMind.run(new Distill(), args);
  }

  @Override
  Path data() {
    return data;
  }

  @Override
  Task task(Path from, ModelConfig model) throws IOException {
    if (teacher == null) {
      throw new ArgumentException("A new run needs --teacher (an old one --resume).");
    }
    return Distillation.of(
        teacher, from, conversations.task(model, from, seed()), top, alpha, temperature);
  }
}
