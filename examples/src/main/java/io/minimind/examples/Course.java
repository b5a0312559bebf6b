package io.minimind.examples;

import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.CorpusTexts;
import io.minimind.data.Rows;
import io.minimind.examples.CourseRecord.StageResult;
import io.minimind.examples.QuestionSet.Score;
import io.minimind.examples.Recipe.Phase;
import io.minimind.files.FolderLock;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.Precision;
import io.minimind.model.TrainingPrecision;
import io.minimind.preference.PreferenceObjective;
import io.minimind.preference.PreferenceTuning;
import io.minimind.runtime.Device;
import io.minimind.task.FineTuning;
import io.minimind.task.Pretraining;
import io.minimind.task.Task;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.tokenizer.TrainedTokenizer;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainedModel;
import io.minimind.train.TrainingRun;
import io.minimind.train.TrainingSettings;
import io.minimind.train.TrainingState;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * The whole course in one folder: a tokenizer, a model through all stages of training, and its
 * export. Each stage is a folder of its own. What is finished is not done again, and a run that was
 * cut short goes on from its last checkpoint.
 */
final class Course {

  /** The folder of the finished model within that of the course. */
  static final String MODEL = "model";

  private static final String TOKENIZER = "tokenizer";
  private static final String PRETRAINING = "pretrain";
  private static final String SINGLE_TURN = "sft";
  private static final String SEVERAL_TURNS = "chat";
  private static final String PREFERENCES = "dpo";

  private static final Precision EXPORTED = Precision.INT8;
  private static final int SHOWN = 100;
  private static final GenerationOptions GREEDY =
      GenerationOptions.greedy().withMaxNewTokens(QuestionSet.MAX_NEW_TOKENS);
  private static final PrintStream SILENCE = new PrintStream(OutputStream.nullOutputStream());

  private final Recipe recipe;
  private final CourseData data;
  private final Path out;
  private final String command;
  private final int threads;
  private final ProgressLine progress;
  private final PrintStream console;
  private final BooleanSupplier interrupted;
  private final List<SecondHalf> secondHalf;

  /**
   * @param command what was typed, for the record
   * @param out the folder of the course
   * @param threads threads to compute with, at least 1
   * @param secondHalf recipe of the course's second half, or none
   * @param console is told what happens
   * @param interrupted asked before every micro-batch and every stage; true from the first time on
   */
  Course(
      String command,
      Recipe recipe,
      CourseData data,
      Path out,
      int threads,
      List<AgentRecipe> secondHalf,
      PrintStream console,
      ProgressLine progress,
      BooleanSupplier interrupted) {
    this.recipe = recipe;
    this.data = data;
    this.out = out;
    this.command = command;
    this.threads = threads;
    this.progress = progress;
    this.console = console;
    this.interrupted = interrupted;
    this.secondHalf =
        secondHalf.stream().map(half -> new SecondHalf(this, half, out, console)).toList();
  }

  /**
   * Does a stage, or goes on with it.
   *
   * @param name its folder
   * @param story what it is about
   */
  record Step(String name, String title, String story, Work work) {}

  @FunctionalInterface
  interface Work {
    /** What was done, or nothing if it was interrupted. */
    Optional<Done> run(Path folder) throws IOException;
  }

  /**
   * @param seconds what it took, earlier attempts included
   */
  record Done(String summary, double seconds, Optional<Task> task) {}

  /**
   * Does what is left of the course.
   *
   * @return the score of the model on the held-out questions, or nothing if it was interrupted
   * @throws IOException if the folder belongs to another course, somebody else does this one, or a
   *     stage fails
   */
  Optional<Score> run() throws IOException {
    QuestionSet heldOut = QuestionSet.read(data.heldOut());
    CourseRecord.requireCourseOrNothing(out);
    FolderLock lock = FolderLock.acquire(out);
    try {
      return run(heldOut, CourseRecord.open(out, recipe, data));
    } finally {
      lock.close();
    }
  }

  private Optional<Score> run(QuestionSet heldOut, CourseRecord begun) throws IOException {
    TrainingPrecision precision = recipe.precision().on(Device.CPU);
    if (precision != TrainingPrecision.FLOAT32) {
      console.printf("Training in %s, %s%n", precision, Device.CPU.kernels(precision));
    }
    CourseRecord record = begun;
    List<Step> steps = new ArrayList<>(steps());
    secondHalf.forEach(half -> steps.addAll(half.steps()));
    for (Step step : steps) {
      console.printf("%n[%d/%d] %s", steps.indexOf(step) + 1, steps.size(), step.title());
      Path folder = out.resolve(step.name());
      Optional<StageResult> before = record.stage(step.name());
      if (before.isPresent()) {
        requireFolder(folder);
        console.printf(": done.%n  %s%n", before.get().line());
        continue;
      }
      console.printf("%n%s", step.story().indent(2));
      if (interrupted.getAsBoolean()) {
        return Optional.empty();
      }
      // Somebody may have edited the data since the course began.
      record.requireSame(out, recipe, data);
      Optional<Done> done = step.work().run(folder);
      if (done.isEmpty()) {
        return Optional.empty();
      }
      StageResult result = result(step, done.get(), record.prompts());
      console.println("  " + result.line());
      record = record.finished(result, out);
    }
    showAnswers(record);
    Score score = score(heldOut);
    if (interrupted.getAsBoolean()) {
      return Optional.empty();
    }
    Path report = out.resolve("report.html");
    CourseReport.write(report, record, score, out);
    console.printf("%nHeld-out questions: %s%n", score);
    console.printf("The report is %s.%n", report);
    for (SecondHalf half : secondHalf) {
      half.show(threads);
    }
    return Optional.of(score);
  }

  private List<Step> steps() {
    return List.of(
        new Step(
            TOKENIZER,
            "Tokenizer",
            String.format(
                Locale.ROOT,
                "Learns up to %,d tokens: pieces of text that occur often. The model will read and"
                    + " write these.",
                recipe.model().vocabularySize()),
            this::tokenizer),
        new Step(
            PRETRAINING,
            "Pretraining",
            "A model with random weights learns to guess the next token of a text, %s."
                .formatted(times(recipe.pretraining())),
            this::pretraining),
        new Step(
            SINGLE_TURN,
            "Fine-tuning on single questions",
            "It learns to answer and to stop: questions with their answers, %s."
                .formatted(times(recipe.singleTurn())),
            folder -> fineTuning(folder, PRETRAINING, recipe.singleTurn(), data.singleTurn())),
        new Step(
            SEVERAL_TURNS,
            "Fine-tuning on conversations",
            "It learns to mind what was said before: conversations of several turns, %s."
                .formatted(times(recipe.severalTurns())),
            folder -> fineTuning(folder, SINGLE_TURN, recipe.severalTurns(), data.severalTurns())),
        new Step(
            PREFERENCES,
            "Preference tuning (DPO)",
            "Of two answers to a question it learns which is the better one, %s."
                .formatted(times(recipe.preferences())),
            this::preferences),
        new Step(
            MODEL,
            "Export",
            "Writes the model as applications take it, with " + EXPORTED.bits() + " bits a weight.",
            this::export));
  }

  private static String times(Phase phase) {
    return phase.epochs() == 1 ? "each once" : "each " + phase.epochs() + " times";
  }

  private static void requireFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new InputException(
          "%s is missing, a stage of the course that was finished: restore it, or delete %s to start anew."
              .formatted(folder, folder.getParent()));
    }
  }

  private Optional<Done> tokenizer(Path folder) throws IOException {
    long start = System.nanoTime();
    try (CorpusTexts texts = CorpusTexts.open(List.of(data.pretraining()))) {
      TrainedTokenizer trained =
          TrainTokenizer.learn(texts, recipe.model().vocabularySize(), progress);
      trained.save(folder);
      String summary =
          String.format(
              Locale.ROOT,
              "%,d tokens, from %,.1f MB of text",
              trained.vocabulary().size(),
              texts.bytesTotal() / 1e6);
      return Optional.of(new Done(summary, secondsSince(start), Optional.empty()));
    } finally {
      progress.clear();
    }
  }

  private Optional<Done> pretraining(Path folder) throws IOException {
    Path tokenizer = out.resolve(TOKENIZER);
    int vocabularySize = Tokenizer.load(tokenizer).vocabularySize();
    return train(
        run(folder, recipe.pretraining(), data.pretraining())
            .task(new Pretraining())
            .tokenizer(tokenizer)
            .model(recipe.model(vocabularySize))
            .validation(Rows.of(data.pretrainingValidation())));
  }

  private Optional<Done> fineTuning(Path folder, String before, Phase phase, Path rows)
      throws IOException {
    return train(
        run(folder, phase, rows)
            .task(FineTuning.of(phase.maxLength(), Loss.ALL_TURNS))
            .from(out.resolve(before))
            .validation(Rows.of(data.chatValidation())));
  }

  private Optional<Done> preferences(Path folder) throws IOException {
    Path from = out.resolve(SEVERAL_TURNS);
    Phase phase = recipe.preferences();
    return train(
        run(folder, phase, data.preferences())
            .task(PreferenceTuning.of(from, phase.maxLength(), PreferenceObjective.DEFAULT))
            .from(from));
  }

  private RunBuilder run(Path folder, Phase phase, Path rows) {
    return run(folder, phase.settings(), rows);
  }

  /** A run of the course, without its task. */
  RunBuilder run(Path folder, TrainingSettings settings, Path rows) {
    RunBuilder run = TrainingRun.builder();
    recipe.precision().of(run);
    return run.folder(folder)
        .rows(Rows.of(rows))
        .settings(settings.withSeed(recipe.seed()))
        .cache(out.resolve("cache"))
        .threads(threads)
        .command(command)
        .listener(new ConsoleReport(SILENCE, progress, Integer.MAX_VALUE));
  }

  private Optional<Done> export(Path folder) throws IOException {
    long start = System.nanoTime();
    Path from = out.resolve(PREFERENCES);
    Folders.delete(folder); // What an export left that was cut short.
    TrainedModel trained = TrainedModel.of(from);
    trained.export(folder, EXPORTED);
    String summary = Export.describe(folder, trained.config(), EXPORTED);
    // The stage whose form its prompts have is the last one.
    Task task = TrainingRun.settings(from).task();
    return Optional.of(new Done(summary, secondsSince(start), Optional.of(task)));
  }

  /** Trains a run, or goes on with it if it has begun. */
  Optional<Done> train(RunBuilder builder) throws IOException {
    long begin = System.nanoTime();
    try (TrainingRun run = builder.open()) {
      TrainingState from = run.state();
      if (from.update() > 0) {
        console.printf(Locale.ROOT, "  Going on after %,d updates.%n", from.update());
      }
      if (!run.train(interrupted)) {
        return Optional.empty();
      }
      double seconds = from.seconds() + secondsSince(begin);
      return Optional.of(new Done(summary(run), seconds, Optional.of(run.settings().task())));
    }
  }

  private static String summary(TrainingRun run) throws IOException {
    TrainingState state = run.state();
    String summary =
        String.format(
            Locale.ROOT,
            "%,d rows, %,d updates, %,d tokens",
            run.rows(),
            state.update(),
            state.tokens());
    return state.validationLoss().isEmpty()
        ? summary
        : summary
            + String.format(
                Locale.ROOT, ", validation loss %.3f", state.validationLoss().getAsDouble());
  }

  /** A line between those of the progress. */
  void say(String line) {
    progress.clear();
    console.println(line);
  }

  static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  private StageResult result(Step step, Done done, List<String> prompts) throws IOException {
    List<String> answers =
        done.task().isEmpty()
            ? List.of()
            : answers(out.resolve(step.name()), done.task().get(), prompts);
    return new StageResult(step.name(), step.title(), done.summary(), done.seconds(), answers);
  }

  private List<String> answers(Path folder, Task task, List<String> prompts) throws IOException {
    try (LanguageModel model = load(folder)) {
      List<String> answers = new ArrayList<>();
      for (String prompt : prompts) {
        List<String> turns = Arrays.stream(prompt.split("\\|")).map(String::strip).toList();
        List<Generation> said =
            task instanceof Pretraining
                ? model.generateAll(turns.stream().map(task.promptForm(folder)).toList(), GREEDY)
                : conversation(model, turns);
        answers.add(said.stream().map(s -> s.text().strip()).collect(Collectors.joining(" | ")));
      }
      return answers;
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(folder, e);
    }
  }

  private static List<Generation> conversation(LanguageModel model, List<String> turns) {
    try (Chat chat = model.chat(ChatOptions.defaults().withGeneration(GREEDY))) {
      return turns.stream().map(turn -> chat.send(turn).generation()).toList();
    }
  }

  private LanguageModel load(Path folder) throws IOException {
    return LanguageModel.load(folder, LoadOptions.defaults().withThreads(threads));
  }

  private Score score(QuestionSet heldOut) throws IOException {
    Path folder = out.resolve(MODEL);
    int total = heldOut.questions().size();
    try (LanguageModel model = load(folder)) {
      return heldOut.ask(
          model, asked -> progress.show("held-out question %d of %d".formatted(asked, total)));
    } catch (IllegalStateException e) {
      throw Evaluate.unusable(folder, e);
    } finally {
      progress.clear();
    }
  }

  private void showAnswers(CourseRecord record) {
    console.println("\nWhat the model made of the same prompts after each stage:");
    for (int i = 0; i < record.prompts().size(); i++) {
      console.println("\n" + record.prompts().get(i));
      for (StageResult stage : record.stages()) {
        if (!stage.answers().isEmpty()) {
          String answer = stage.answers().get(i).replace('\n', ' ');
          console.printf(
              "  %-8s  %s%n",
              stage.name(), answer.length() > SHOWN ? answer.substring(0, SHOWN) + "…" : answer);
        }
      }
    }
  }
}
