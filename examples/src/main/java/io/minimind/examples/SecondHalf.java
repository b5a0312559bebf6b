package io.minimind.examples;

import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.CorpusTexts;
import io.minimind.examples.Course.Done;
import io.minimind.examples.Course.Step;
import io.minimind.examples.Recipe.Phase;
import io.minimind.examples.tasks.ToolFiles;
import io.minimind.examples.tasks.ToolTasks;
import io.minimind.infer.LoadOptions;
import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.ToolCases;
import io.minimind.policy.ToolCases.Result;
import io.minimind.task.FineTuning;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.tokenizer.DeclaredTokens;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.train.RunBuilder;
import io.minimind.train.TrainingListener;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The second half of a course: another small model, in a world of questions that only tools can
 * answer, learns from rewards alone to think of the right tool and to ask it instead of guessing.
 */
final class SecondHalf {

  /** The folder of the finished model within that of the course. */
  static final String MODEL = "agent";

  private static final String TASKS = "tasks";
  private static final String PRETRAINING = "agent-pretrain";
  private static final String FINE_TUNING = "agent-sft";

  private static final int SHOWN = 3;

  /** Updates between two lines that say how far the reward is. */
  private static final int TOLD = 10;

  private final Course course;
  private final AgentRecipe recipe;
  private final Path out;
  private final PrintStream console;

  /**
   * @param out the folder of the course
   */
  SecondHalf(Course course, AgentRecipe recipe, Path out, PrintStream console) {
    this.course = course;
    this.recipe = recipe;
    this.out = out;
    this.console = console;
  }

  List<Step> steps() {
    return List.of(
        new Step(
            TASKS,
            "A world of tools",
            "Draws questions that only tools can answer, and learns their tokens.",
            this::tasks),
        new Step(
            PRETRAINING,
            "Pretraining in that world",
            "Another model with random weights learns what questions, calls and results look like.",
            this::pretraining),
        new Step(
            FINE_TUNING,
            "Fine-tuning on the conversations of somebody careless",
            String.format(
                Locale.ROOT,
                "It learns to think and to call tools from %,d conversations, in %.0f %% of which"
                    + " the answer is guessed.",
                recipe.amounts().chats(),
                100 * recipe.amounts().guesses()),
            this::fineTuning),
        new Step(
            MODEL,
            "Learning from rewards (GRPO)",
            "It answers each question several times. Rules reward right calls, and answers that"
                + " have what was asked for; nobody shows it one.",
            this::rewards));
  }

  private ToolFiles files() {
    return ToolFiles.in(out.resolve(TASKS));
  }

  private Optional<Done> tasks(Path folder) throws IOException {
    long start = System.nanoTime();
    ToolFiles files =
        ToolFiles.draw(folder, new ToolTasks(Recipe.SEED, recipe.tools()), recipe.amounts());
    try (CorpusTexts texts = CorpusTexts.open(List.of(files.texts(), files.chats()))) {
      ByteLevelBpeTrainer.ofSize(recipe.model().vocabularySize(), DeclaredTokens.CHAT_ML)
          .train(texts)
          .save(folder);
    }
    String summary =
        String.format(
            Locale.ROOT,
            "%,d texts, %,d conversations, %,d questions",
            recipe.amounts().texts(),
            recipe.amounts().chats(),
            recipe.amounts().tasks());
    return Optional.of(new Done(summary, Course.secondsSince(start), Optional.empty()));
  }

  private Optional<Done> pretraining(Path folder) throws IOException {
    Path tokenizer = out.resolve(TASKS);
    int vocabularySize = Tokenizer.load(tokenizer).vocabularySize();
    return untold(
        course.train(
            course
                .run(folder, recipe.pretraining().settings(), files().texts())
                .task(new Pretraining())
                .tokenizer(tokenizer)
                .model(recipe.model().toBuilder().vocabularySize(vocabularySize).build())));
  }

  private Optional<Done> fineTuning(Path folder) throws IOException {
    Phase phase = recipe.fineTuning();
    return untold(
        course.train(
            course
                .run(folder, phase.settings(), files().chats())
                .task(FineTuning.of(phase.maxLength(), Loss.ALL_TURNS))
                .from(out.resolve(PRETRAINING))));
  }

  /** Whose answers to the course's prompts would say nothing: they are of another world. */
  private static Optional<Done> untold(Optional<Done> done) {
    return done.map(one -> new Done(one.summary(), one.seconds(), Optional.empty()));
  }

  private Optional<Done> rewards(Path folder) throws IOException {
    Path from = out.resolve(FINE_TUNING);
    PolicyObjective usual = PolicyObjective.DEFAULT;
    GroupPolicyOptimization task =
        GroupPolicyOptimization.of(
            from,
            recipe.answers(),
            recipe.rollouts(),
            new PolicyObjective(
                usual.variant(), usual.clip(), usual.mostWeight(), recipe.beta(), true),
            List.of("solved"));
    RunBuilder run =
        course
            .run(folder, recipe.rewards(), files().tasks())
            .task(task)
            .from(from)
            .listener(new Told());
    return untold(course.train(run));
  }

  /** Says now and then what answers are worth. */
  private final class Told implements TrainingListener {
    private double sum;
    private int count;

    @Override
    public void updated(Update update) {
      sum += update.metrics().get(PolicyObjective.REWARD);
      count++;
      long done = update.state().update();
      if (done % TOLD == 0) {
        course.say(
            "  after %,d updates: %.0f %% of its answers solve their question"
                .formatted(done, 100 * sum / count));
        sum = 0;
        count = 0;
      }
    }
  }

  /** Asks both models what neither has learnt from, and shows what they do. */
  void show(int threads) throws IOException {
    List<Result> before = asked(out.resolve(FINE_TUNING), threads);
    List<Result> after = asked(out.resolve(MODEL), threads);
    console.println("\nWhat it made of questions that it has not learnt from:");
    List<Integer> shown = new ArrayList<>();
    for (int i = 0; i < after.size() && shown.size() < SHOWN; i++) {
      if (after.get(i).solved() && !before.get(i).solved()) {
        shown.add(i);
      }
    }
    for (int i : shown) {
      console.println("\n" + before.get(i).question());
      console.println("  fine-tuned  " + words(before.get(i)));
      console.println("  rewarded    " + words(after.get(i)));
    }
    console.printf(
        Locale.ROOT,
        "%nHeld-out questions for tools: %d of %d solved when it was fine-tuned, %d after it was"
            + " rewarded.%n",
        EvaluateTools.solved(before),
        before.size(),
        EvaluateTools.solved(after),
        after.size());
  }

  private List<Result> asked(Path model, int threads) throws IOException {
    return EvaluateTools.asked(
        ToolCases.read(files().heldOut(), model),
        model,
        LoadOptions.defaults().withThreads(threads),
        recipe.rollouts().maxNewTokens(),
        true,
        1);
  }

  private static String words(Result result) {
    return String.join(" … ", result.turns()).strip().replaceAll("\\s+", " ");
  }
}
