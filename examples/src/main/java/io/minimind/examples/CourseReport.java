package io.minimind.examples;

import io.minimind.examples.CourseRecord.StageResult;
import io.minimind.examples.QuestionSet.Answer;
import io.minimind.examples.QuestionSet.Score;
import io.minimind.examples.Recipe.Phase;
import io.minimind.files.AtomicFile;
import io.minimind.model.ModelConfig;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * The page about a course: what was trained how, its loss curves, what the model says, and its
 * score. One file without scripts that needs no other; it is well-formed XML too.
 */
final class CourseReport {

  private static final String STYLE =
      """
      body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
      table { border-collapse: collapse; margin: 1em 0; }
      th, td { border-bottom: 1px solid #ccc; padding: .3em .8em; text-align: left;
        vertical-align: top; }
      svg { width: 100%; height: auto; }
      .score { font-size: 1.3em; }
      """;

  private final StringBuilder page = new StringBuilder();

  private CourseReport() {}

  /**
   * Writes the page of a finished course.
   *
   * @param course the folder of the course, whose stages have the loss curves
   */
  static void write(Path file, CourseRecord record, Score score, Path course) throws IOException {
    CourseReport report = new CourseReport();
    report.start(record, score);
    report.stages(record);
    report.answers(record);
    report.heldOut(score);
    report.curves(record, course);
    report.settings(record.recipe());
    report.page.append("</body>\n</html>\n");
    AtomicFile.replace(file, report.page.toString().getBytes(StandardCharsets.UTF_8));
  }

  private void start(CourseRecord record, Score score) {
    page.append("<!DOCTYPE html>\n<html lang=\"zh\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    page.append("<title>MiniMind: the course</title>\n<style>\n").append(STYLE);
    page.append("</style>\n</head>\n<body>\n");
    element("h1", "MiniMind: the course, recipe " + record.recipe().name());
    page.append("<p class=\"score\">");
    text("Held-out questions: " + score);
    page.append("</p>\n");
  }

  private void stages(CourseRecord record) {
    element("h2", "What was done");
    page.append("<table>\n");
    row("th", "Stage", "Folder", "Result", "Time");
    double total = 0;
    for (StageResult stage : record.stages()) {
      total += stage.seconds();
      row("td", stage.title(), stage.name(), stage.summary(), duration(stage.seconds()));
    }
    row("td", "Together", "", "", duration(total));
    page.append("</table>\n");
    element(
        "p",
        "Java %s, %s, %d processors"
            .formatted(
                Runtime.version().feature(),
                System.getProperty("os.arch"),
                Runtime.getRuntime().availableProcessors()));
  }

  private void answers(CourseRecord record) {
    element("h2", "What the model made of the same prompts after each stage");
    for (int i = 0; i < record.prompts().size(); i++) {
      element("h3", record.prompts().get(i));
      page.append("<table>\n");
      for (StageResult stage : record.stages()) {
        if (!stage.answers().isEmpty()) {
          row("td", stage.title(), stage.answers().get(i));
        }
      }
      page.append("</table>\n");
    }
    element("p", "A pretrained model does not answer: it goes on with the text.");
  }

  private void heldOut(Score score) {
    element("h2", "Held-out questions");
    element("p", score + ". These questions occur in nothing that the model learnt from.");
    List<Answer> wrong = score.wrong();
    if (wrong.isEmpty()) {
      return;
    }
    element("p", "Those that it answered wrong:");
    page.append("<table>\n");
    row("th", "Question", "Answer", "Expected");
    for (Answer answer : wrong) {
      String expected = String.join(" or ", answer.question().accepted());
      row("td", answer.question().text(), answer.text(), expected);
    }
    page.append("</table>\n");
  }

  private void curves(CourseRecord record, Path course) throws IOException {
    element("h2", "Loss curves");
    for (StageResult stage : record.stages()) {
      Path chart = course.resolve(stage.name()).resolve(TrainingRun.CHART);
      if (Files.exists(chart)) {
        element("h3", stage.title());
        page.append(Files.readString(chart));
      }
    }
  }

  private void settings(Recipe recipe) {
    ModelConfig model = recipe.model();
    element("h2", "Settings");
    element(
        "p",
        "A model of hidden size %d, %d layers, %d heads and %d key/value heads, up to %d tokens of vocabulary and %d of context."
            .formatted(
                model.hiddenSize(),
                model.layers(),
                model.heads(),
                model.keyValueHeads(),
                model.vocabularySize(),
                model.maxLength()));
    page.append("<table>\n");
    row("th", "", "Epochs", "Batch size", "Learning rate", "Warm-up", "Longest row");
    phase("Pretraining", recipe.pretraining());
    phase("Single questions", recipe.singleTurn());
    phase("Conversations", recipe.severalTurns());
    phase("Preferences", recipe.preferences());
    page.append("</table>\n");
    element(
        "p",
        "To train it again: ./minimind quickstart --recipe=%s --seed=%d --precision=%s"
            .formatted(recipe.name(), recipe.seed(), recipe.precision()));
  }

  private void phase(String name, Phase phase) {
    row(
        "td",
        name,
        Integer.toString(phase.epochs()),
        Integer.toString(phase.batchSize()),
        Float.toString(phase.learningRate()),
        Integer.toString(phase.warmupSteps()),
        Integer.toString(phase.maxLength()));
  }

  private static String duration(double seconds) {
    return seconds < 10
        ? String.format(Locale.ROOT, "%.1f s", seconds)
        : ConsoleReport.duration(seconds);
  }

  private void row(String cell, String... texts) {
    page.append("<tr>");
    for (String text : texts) {
      page.append('<').append(cell).append('>');
      text(text);
      page.append("</").append(cell).append('>');
    }
    page.append("</tr>\n");
  }

  private void element(String name, String text) {
    page.append('<').append(name).append('>');
    text(text);
    page.append("</").append(name).append(">\n");
  }

  /** What a model writes may be anything, also what is no character of a page. */
  private void text(String text) {
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> page.append("&amp;");
                case '<' -> page.append("&lt;");
                case '>' -> page.append("&gt;");
                case '\n' -> page.append("<br/>");
                default -> page.appendCodePoint(isAllowed(c) ? c : 0xFFFD);
              }
            });
  }

  private static boolean isAllowed(int c) {
    return c == '\t'
        || c >= 0x20 && c <= 0x7E
        || c >= 0xA0 && c <= 0xD7FF
        || c >= 0xE000 && c <= 0xFFFD
        || c >= 0x10000;
  }
}
