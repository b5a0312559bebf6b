package io.minimind.examples;

import io.minimind.examples.QuestionSet.Answer;
import io.minimind.examples.QuestionSet.Score;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Scores a chat model on questions whose right answers are known. */
@Command(
    name = "questions",
    description = {
      "Asks a chat model questions and counts the answers that contain what they should, and those"
          + " that it ended by itself. It takes the likeliest token each time, at most 64.",
      "The questions are a CSV file with the columns question and accept; in accept stand the texts"
          + " of which a right answer contains one, with | between them."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class EvaluateQuestions implements Callable<Integer> {

  @Option(names = "--data", required = true, paramLabel = "FILE", description = "The questions.")
  private Path data;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of the model, such as the --out of a training run.")
  private Path model = Path.of("out", "sft");

  private final ProgressLine progress = ProgressLine.onStandardError();

  public static void main(String[] args) {
    MiniMind.run(new EvaluateQuestions(), args);
  }

  @Override
  public Integer call() throws IOException {
    QuestionSet questions = QuestionSet.read(data);
    try (LanguageModel language = LanguageModel.load(model)) {
      System.out.println(Evaluate.parameters(model));
      int total = questions.questions().size();
      Score score =
          questions.ask(
              language, asked -> progress.show("question %d of %d".formatted(asked, total)));
      progress.clear();
      for (Answer answer : score.wrong()) {
        System.out.println("[Q]: " + answer.question().text());
        System.out.println("[A]: " + answer.text());
        System.out.println("expected: " + String.join(" or ", answer.question().accepted()) + "\n");
      }
      System.out.println(score);
      return 0;
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(model, e);
    } finally {
      progress.clear();
    }
  }
}
