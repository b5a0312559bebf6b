package io.minimind.examples;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import io.minimind.files.InputException;
import io.minimind.infer.Decoder;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Multiple choice in the layout of C-Eval. */
@Command(
    name = "ceval",
    description = {
      "Asks a model multiple-choice questions in the layout of C-Eval: files val/SUBJECT_val.csv,"
          + " and for examples dev/SUBJECT_dev.csv, with the columns id, question, A, B, C, D and"
          + " answer.",
      "Of the four letters, the one that the model finds likeliest as its first token is its"
          + " answer; guessing gives 25 %%."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class EvaluateChoices implements Callable<Integer> {

  private static final List<String> LETTERS = List.of("A", "B", "C", "D");
  private static final List<String> COLUMNS = List.of("question", "A", "B", "C", "D", "answer");
  private static final String QUESTIONS = "_val.csv";

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "Folder with the folders val and dev.")
  private Path data;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of the model, such as the --out of a training run.")
  private Path model = Path.of("out", "sft");

  @Option(
      names = "--shots",
      paramLabel = "N",
      description =
          "Examples with their answers, from dev, that the model sees before each question; fewer"
              + " where they do not fit.")
  private int shots;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with; one for each processor unless given.")
  private int threads = Runtime.getRuntime().availableProcessors();

  private final ProgressLine progress = ProgressLine.onStandardError();

  /**
   * @param answer index of the right letter
   */
  private record Question(String text, int answer) {}

  /**
   * @param examples questions that the model sees with their answers
   */
  private record Exam(String subject, List<Question> examples, List<Question> questions) {}

  private record Score(String subject, int questions, int correct) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%-45s %9d %8d %9.1f %%",
          subject,
          questions,
          correct,
          questions == 0 ? 0 : 100.0 * correct / questions);
    }
  }

  public static void main(String[] args) {
    MiniMind.run(new EvaluateChoices(), args);
  }

  @Override
  public Integer call() throws IOException {
    Numbers.atLeast(0, "--shots", shots);
    Numbers.atLeast(1, "--threads", threads);
    // All are read before the first is scored: a mistake in the last must not cost the others.
    List<Exam> exams = new ArrayList<>();
    for (String subject : subjects()) {
      exams.add(exam(subject));
    }
    try (Decoder decoder = Decoder.load(model, threads)) {
      Tokenizer tokenizer = Tokenizer.load(model);
      Examiner examiner =
          new Examiner(decoder, tokenizer, ChatTemplate.load(model), letters(tokenizer));
      System.out.println(Evaluate.parameters(model));
      System.out.printf("%-45s %9s %8s %11s%n", "subject", "questions", "correct", "accuracy");
      int questions = 0;
      int correct = 0;
      for (Exam exam : exams) {
        Score score = score(examiner, exam);
        System.out.println(score);
        questions += score.questions();
        correct += score.correct();
      }
      System.out.println(new Score("total", questions, correct));
      if (examiner.cut > 0) {
        System.out.printf(
            "The beginning of %d questions was cut to fit in the model's context of %d tokens.%n",
            examiner.cut, decoder.contextLength());
      }
      return 0;
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(model, e);
    }
  }

  private List<String> subjects() throws IOException {
    Path folder = data.resolve("val");
    List<String> subjects = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        files
            .map(file -> file.getFileName().toString())
            .filter(name -> name.endsWith(QUESTIONS))
            .map(name -> name.substring(0, name.length() - QUESTIONS.length()))
            .sorted()
            .forEach(subjects::add);
      }
    }
    if (subjects.isEmpty()) {
      throw new InputException(
          "There are no questions in %s: expected files such as logic%s."
              .formatted(folder, QUESTIONS));
    }
    return subjects;
  }

  private Exam exam(String subject) throws IOException {
    List<Question> examples =
        shots == 0 ? List.of() : read(data.resolve("dev").resolve(subject + "_dev.csv"));
    if (examples.size() < shots) {
      throw new InputException(
          "There are only %d examples of %s in dev: --shots can be no more."
              .formatted(examples.size(), subject));
    }
    List<Question> questions = read(data.resolve("val").resolve(subject + QUESTIONS));
    return new Exam(subject, examples.subList(0, shots), questions);
  }

  private Score score(Examiner examiner, Exam exam) {
    List<Question> questions = exam.questions();
    int correct = 0;
    for (int i = 0; i < questions.size(); i++) {
      progress.show("%s: question %d of %d".formatted(exam.subject(), i + 1, questions.size()));
      Question question = questions.get(i);
      correct += examiner.answer(exam.examples(), question) == question.answer() ? 1 : 0;
    }
    progress.clear();
    return new Score(exam.subject(), questions.size(), correct);
  }

  private static List<Question> read(Path file) throws IOException {
    List<Question> questions = new ArrayList<>();
    try (RowReader reader = Rows.of(file).open(List.of(COLUMNS))) {
      for (Optional<Row> next = reader.next(); next.isPresent(); next = reader.next()) {
        Row row = next.get();
        int answer = LETTERS.indexOf(row.cells().get(5).strip());
        if (answer < 0) {
          throw new InputException(
              "Row %d of %s (line %d) has the answer \"%s\": expected A, B, C or D."
                  .formatted(row.number(), file, row.line(), row.cells().get(5)));
        }
        StringBuilder text = new StringBuilder(row.cells().get(0).strip());
        for (int i = 0; i < LETTERS.size(); i++) {
          text.append('\n').append(LETTERS.get(i)).append(". ").append(row.cells().get(i + 1));
        }
        questions.add(new Question(text.append("\n答案：").toString(), answer));
      }
    }
    return questions;
  }

  /** The ids of the four letters. */
  private int[] letters(Tokenizer tokenizer) throws IOException {
    int[] ids = new int[LETTERS.size()];
    for (int i = 0; i < ids.length; i++) {
      int[] letter = tokenizer.encode(LETTERS.get(i));
      if (letter.length != 1) {
        throw new InputException(
            "The tokenizer in %s needs %d tokens for the letter %s, and can therefore not be scored by one."
                .formatted(model, letter.length, LETTERS.get(i)));
      }
      ids[i] = letter[0];
    }
    return ids;
  }

  /** Puts questions to a model. */
  private static final class Examiner {
    private static final TemplateOptions ANSWER_FOLLOWS =
        TemplateOptions.defaults().withAddGenerationPrompt(true);

    private final Decoder decoder;
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final int[] letters;
    private int cut;

    Examiner(Decoder decoder, Tokenizer tokenizer, ChatTemplate template, int[] letters) {
      this.decoder = decoder;
      this.tokenizer = tokenizer;
      this.template = template;
      this.letters = letters;
    }

    /** The index of the letter that the model finds likeliest. */
    int answer(List<Question> examples, Question question) {
      float[] logits = decoder.nextTokenLogits(prompt(examples, question));
      int best = 0;
      for (int i = 0; i < letters.length; i++) {
        float logit = logits[letters[i]];
        if (Float.isNaN(logit)) {
          throw new IllegalStateException(
              "it computes no number for token " + letters[i] + "; its weights are damaged.");
        }
        best = logit > logits[letters[best]] ? i : best;
      }
      return best;
    }

    private int[] prompt(List<Question> examples, Question question) {
      int most = decoder.contextLength() - 1;
      for (int first = 0; ; first++) {
        List<Message> messages = new ArrayList<>();
        for (Question example : examples.subList(first, examples.size())) {
          messages.add(Message.user(example.text()));
          messages.add(Message.assistant(LETTERS.get(example.answer())));
        }
        messages.add(Message.user(question.text()));
        int[] ids = tokenizer.encode(template.render(messages, ANSWER_FOLLOWS));
        if (ids.length <= most) {
          return ids;
        }
        if (first == examples.size()) {
          cut++;
          return Arrays.copyOfRange(ids, ids.length - most, ids.length);
        }
      }
    }
  }
}
