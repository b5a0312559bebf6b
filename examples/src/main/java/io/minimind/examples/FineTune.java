package io.minimind.examples;

import io.minimind.data.ChatEncoder.Loss;
import io.minimind.model.ModelConfig;
import io.minimind.task.FineTuning;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Supervised fine-tuning: a pretrained model learns to answer. */
@Command(
    name = "sft",
    description = {
      "Teaches a pretrained model to answer, from conversations, or goes on with a run that was"
          + " interrupted.",
      "Rows that cannot be used are left out and listed in skipped.txt in --out."
    },
    footer = {
      "",
      "Ctrl-C saves and says how to go on. Example:",
      "  minimind sft --data chats.csv --from out/pretrain --loss all-turns --epochs 3"
    })
public final class FineTune extends Tune {

  @Option(
      names = "--data",
      paramLabel = "FILE",
      order = 1,
      description =
          "Conversations: a CSV file with the columns history, q and a, or JSON with 'messages' or"
              + " 'conversations' (.jsonl, .json).")
  private Path data;

  @Mixin private ConversationOptions conversations = new ConversationOptions(Loss.LAST_ANSWER);

  @Option(
      names = "--packing",
      order = 30,
      description =
          "Puts as many conversations into each row as have room in --max-length. None sees"
              + " another, and each is learnt as if it were alone. --batch-size counts rows.")
  private boolean packing;

  FineTune() {
    super(Path.of("out", "sft"), new TrainingOptions(1e-4f));
  }

  public static void main(String[] args) {
    MiniMind.run(new FineTune(), args);
  }

  @Override
  Path data() {
    return data;
  }

  @Override
  Task task(Path from, ModelConfig model) throws IOException {
    FineTuning task = conversations.task(model, from, seed());
    return packing ? task.packed() : task;
  }
}
