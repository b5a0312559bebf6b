package io.minimind.examples;

import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import io.minimind.files.InputException;
import io.minimind.files.Quoted;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.ContextLengthException;
import io.minimind.infer.FinishReason;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.Reply;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.regex.Pattern;

/**
 * Questions to a chat model, each with what a right answer contains.
 *
 * @param questions at least one
 */
record QuestionSet(List<Question> questions) {

  /** Longest answer, in tokens. */
  static final int MAX_NEW_TOKENS = 64;

  private static final String NUMERALS = "零一二两三四五六七八九十百千万";
  private static final List<String> COLUMNS = List.of("question", "accept");

  /**
   * A question.
   *
   * @param accepted texts of which a right answer contains one, in upper or lower case
   */
  record Question(String text, List<String> accepted) {

    Question {
      accepted = List.copyOf(accepted);
    }

    boolean accepts(String answer) {
      return accepted.stream().anyMatch(text -> pattern(text).matcher(answer).find());
    }

    /** The text, but not as the end of a longer number or word: 十岁 is not in 八十岁. */
    private static Pattern pattern(String text) {
      String before = "";
      if (NUMERALS.indexOf(text.charAt(0)) >= 0) {
        before = "(?<![" + NUMERALS + "])";
      } else if (text.charAt(0) < 128) {
        before = "(?<![a-zA-Z0-9-])";
      }
      int flags = Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE;
      return Pattern.compile(before + Pattern.quote(text), flags);
    }
  }

  /**
   * What a model answered.
   *
   * @param stopped whether it ended the answer by itself
   */
  record Answer(Question question, String text, boolean stopped) {

    boolean isRight() {
      return question.accepts(text);
    }
  }

  /** How a model did. */
  record Score(List<Answer> answers) {

    Score {
      answers = List.copyOf(answers);
    }

    List<Answer> wrong() {
      return answers.stream().filter(answer -> !answer.isRight()).toList();
    }

    int right() {
      return answers.size() - wrong().size();
    }

    int stopped() {
      return (int) answers.stream().filter(Answer::stopped).count();
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d of %d right (%.1f %%), %d stopped by themselves (%.1f %%)",
          right(),
          answers.size(),
          100.0 * right() / answers.size(),
          stopped(),
          100.0 * stopped() / answers.size());
    }
  }

  QuestionSet {
    questions = List.copyOf(questions);
  }

  /**
   * Reads questions.
   *
   * @param file with the columns {@code question} and {@code accept}: the texts of which a right
   *     answer contains one, with {@code |} between them
   * @throws IOException if the file cannot be read, has no row, or a row lacks one of the two
   */
  static QuestionSet read(Path file) throws IOException {
    List<Question> questions = new ArrayList<>();
    try (RowReader reader = Rows.of(file).open(List.of(COLUMNS))) {
      for (Optional<Row> next = reader.next(); next.isPresent(); next = reader.next()) {
        Row row = next.get();
        String text = row.cells().get(0).strip();
        List<String> accepted =
            Arrays.stream(row.cells().get(1).split("\\|", -1)).map(String::strip).toList();
        if (text.isEmpty() || accepted.contains("")) {
          throw new InputException(
              "Row %d of %s (line %d) has no %s: expected a question, and in accept one text or several with | between them."
                  .formatted(
                      row.number(),
                      file,
                      row.line(),
                      text.isEmpty() ? "question" : "text before or after a | in accept"));
        }
        questions.add(new Question(text, accepted));
      }
    }
    if (questions.isEmpty()) {
      throw new InputException(file + " has no questions: expected a row for each.");
    }
    return new QuestionSet(questions);
  }

  /**
   * Asks a model, which takes the likeliest token each time.
   *
   * @param asked is told how many questions have been asked
   * @throws UncheckedIOException if a question does not fit in the model's context
   * @throws IllegalStateException if the model has no chat template or cannot compute
   */
  Score ask(LanguageModel model, IntConsumer asked) {
    ChatOptions options =
        ChatOptions.defaults()
            .withGeneration(GenerationOptions.greedy().withMaxNewTokens(MAX_NEW_TOKENS));
    List<Answer> answers = new ArrayList<>();
    for (Question question : questions) {
      try (Chat chat = model.chat(options)) {
        Reply answer = chat.send(question.text());
        answers.add(
            new Answer(
                question,
                answer.text().strip(),
                answer.generation().finishReason() == FinishReason.END_OF_TEXT));
      } catch (ContextLengthException e) {
        throw new UncheckedIOException(
            new InputException(
                "Question %d, %s, cannot be asked. %s"
                    .formatted(answers.size() + 1, Quoted.text(question.text()), e.getMessage()),
                e));
      }
      asked.accept(answers.size());
    }
    return new Score(answers);
  }
}
