package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.Objective.Preference;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.examples.CourseRecord.StageResult;
import io.minimind.examples.QuestionSet.Score;
import io.minimind.examples.Recipe.Phase;
import io.minimind.examples.TrainingRun.Start;
import io.minimind.examples.TrainingRun.Workplace;
import io.minimind.files.FolderLock;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.model.TrainingPrecision;
import io.minimind.preference.PreferenceTuning;
import io.minimind.task.Pretraining;
import io.minimind.task.Task;
import io.minimind.task.Tasks;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.tokenizer.TrainedTokenizer;
import io.minimind.train.RunFolder;
import io.minimind.train.RunSettings;
import io.minimind.train.StartWeights;
import io.minimind.train.TrainingHistory;
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
  private final Workplace workplace;
  private final PrintStream console;
  private final BooleanSupplier interrupted;

  /**
   * @param command what was typed, for the record
   * @param out the folder of the course
   * @param threads threads to compute with, at least 1
   * @param console is told what happens
   * @param interrupted asked before every micro-batch and every stage; true from the first time on
   */
  Course(
      String command,
      Recipe recipe,
      CourseData data,
      Path out,
      int threads,
      PrintStream console,
      ProgressLine progress,
      BooleanSupplier interrupted) {
    this.recipe = recipe;
    this.data = data;
    this.out = out;
    this.workplace =
        new Workplace(
            command, out.resolve("cache"), Devices.CPU.list(), threads, SILENCE, progress);
    this.console = console;
    this.interrupted = interrupted;
  }

  /**
   * Does a stage, or goes on with it.
   *
   * @param name its folder
   * @param story what it is about
   */
  private record Step(String name, String title, String story, Work work) {}

  @FunctionalInterface
  private interface Work {
    /** What was done, or nothing if it was interrupted. */
    Optional<Done> run(Path folder) throws IOException;
  }

  /**
   * @param seconds what it took, earlier attempts included
   */
  private record Done(String summary, double seconds, Optional<Task> task) {}

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
    CourseRecord record = begun;
    List<Step> steps = steps();
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
      throw new IOException(
          "%s is missing, a stage of the course that was finished: restore it, or delete %s to start anew."
              .formatted(folder, folder.getParent()));
    }
  }

  private Optional<Done> tokenizer(Path folder) throws IOException {
    long start = System.nanoTime();
    try (CorpusTexts texts = CorpusTexts.open(List.of(data.pretraining()))) {
      TrainedTokenizer trained =
          TrainTokenizer.learn(texts, recipe.model().vocabularySize(), workplace.progress());
      trained.save(folder);
      String summary =
          String.format(
              Locale.ROOT,
              "%,d tokens, from %,.1f MB of text",
              trained.vocabulary().size(),
              texts.bytesTotal() / 1e6);
      return Optional.of(new Done(summary, secondsSince(start), Optional.empty()));
    } finally {
      workplace.progress().clear();
    }
  }

  private Optional<Done> pretraining(Path folder) throws IOException {
    Path tokenizer = out.resolve(TOKENIZER);
    RunSettings settings =
        new RunSettings(
            Tasks.pretraining(),
            recipe.model(Tokenizer.load(tokenizer).vocabularySize()),
            Optional.empty(),
            TrainingPrecision.FLOAT32,
            recipe.pretraining().settings(),
            data.pretraining().toAbsolutePath().toString(),
            Optional.of(data.pretrainingValidation().toAbsolutePath().toString()),
            0,
            0,
            List.of());
    return train(
        folder,
        settings,
        tokenizer,
        run -> StartWeights.random(run.model(), run.training().seed()));
  }

  private Optional<Done> fineTuning(Path folder, String before, Phase phase, Path rows)
      throws IOException {
    Path from = out.resolve(before);
    RunSettings settings =
        new RunSettings(
            Tasks.fineTuning(phase.maxLength(), Loss.ALL_TURNS),
            ModelConfig.read(from.resolve(ModelFolder.CONFIG)),
            Optional.empty(),
            TrainingPrecision.FLOAT32,
            phase.settings(),
            rows.toAbsolutePath().toString(),
            Optional.of(data.chatValidation().toAbsolutePath().toString()),
            0,
            0,
            List.of());
    return train(folder, settings, from, run -> StartWeights.of(from, run.model()));
  }

  private Optional<Done> preferences(Path folder) throws IOException {
    Path from = out.resolve(SEVERAL_TURNS);
    Phase phase = recipe.preferences();
    RunSettings settings =
        new RunSettings(
            PreferenceTuning.of(from, phase.maxLength(), Preference.DEFAULT),
            ModelConfig.read(from.resolve(ModelFolder.CONFIG)),
            Optional.empty(),
            TrainingPrecision.FLOAT32,
            phase.settings(),
            data.preferences().toAbsolutePath().toString(),
            Optional.empty(),
            0,
            0,
            List.of());
    return train(folder, settings, from, run -> StartWeights.of(from, run.model()));
  }

  private Optional<Done> export(Path folder) throws IOException {
    long start = System.nanoTime();
    Path from = out.resolve(PREFERENCES);
    String summary =
        Export.write(from, ModelFolder.weights(from), EXPORTED, TrainingHistory.of(from), folder);
    // The stage whose form its prompts have is the last one.
    Task task = RunFolder.open(from).settings().task();
    return Optional.of(new Done(summary, secondsSince(start), Optional.of(task)));
  }

  /** Trains a run in a folder, or goes on with it if it has begun. */
  private Optional<Done> train(Path folder, RunSettings settings, Path tokenizer, Start start)
      throws IOException {
    long begin = System.nanoTime();
    try (TrainingRun run =
        RunFolder.exists(folder)
            ? resumed(RunFolder.open(folder), settings)
            : TrainingRun.create(folder, settings, tokenizer, start, workplace)) {
      return train(run, begin);
    }
  }

  /**
   * @param begin since when it takes time, as {@link System#nanoTime} has it
   */
  private Optional<Done> train(TrainingRun run, long begin) throws IOException {
    TrainingState from = run.state();
    if (from.update() > 0) {
      console.printf(Locale.ROOT, "  Going on after %,d updates.%n", from.update());
    }
    ConsoleReport live = new ConsoleReport(SILENCE, workplace.progress(), Integer.MAX_VALUE);
    if (!run.train(List.of(live), interrupted)) {
      return Optional.empty();
    }
    TrainingState state = run.state();
    String summary =
        String.format(
            Locale.ROOT,
            "%,d rows, %,d updates, %,d tokens",
            run.rows(),
            state.update(),
            state.tokens());
    if (state.validationLoss().isPresent()) {
      double loss = state.validationLoss().getAsDouble();
      summary += String.format(Locale.ROOT, ", validation loss %.3f", loss);
    }
    return Optional.of(
        new Done(
            summary,
            from.seconds() + secondsSince(begin),
            Optional.of(run.folder().settings().task())));
  }

  private TrainingRun resumed(RunFolder run, RunSettings now) throws IOException {
    return TrainingRun.resume(run, moved(run.settings(), now), workplace);
  }

  /**
   * The settings of a run that has begun, with the places that the files of the course have now.
   */
  private static RunSettings moved(RunSettings begun, RunSettings now) {
    Task task = begun.task();
    if (task instanceof PreferenceTuning before && now.task() instanceof PreferenceTuning here) {
      task = before.withFrom(here.from());
    }
    return begun.withFiles(task, Path.of(now.data()), now.validationData().map(Path::of));
  }

  private static double secondsSince(long nanos) {
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
    return LanguageModel.load(folder, LoadOptions.defaults().withThreads(workplace.threads()));
  }

  private Score score(QuestionSet heldOut) throws IOException {
    ProgressLine progress = workplace.progress();
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
