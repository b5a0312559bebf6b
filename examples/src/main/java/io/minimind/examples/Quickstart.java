package io.minimind.examples;

import io.minimind.distributed.Membership;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The whole course in one command. */
@Command(
    name = "quickstart",
    description = {
      "Trains a model from nothing through the whole course: tokenizer, pretraining, fine-tuning on"
          + " questions and on conversations, preferences, export. Then it scores the model and"
          + " lets you talk to it.",
      "What was interrupted goes on where it was when the command is given again."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class Quickstart implements Callable<Integer> {

  private enum Choice {
    DEMO(Recipe.DEMO),
    PUBLISHED(Recipe.PUBLISHED);

    private final Recipe recipe;

    Choice(Recipe recipe) {
      this.recipe = recipe;
    }

    @Override
    public String toString() {
      return recipe.name();
    }
  }

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of the course.")
  private Path out = Path.of("out", "quickstart");

  @Option(
      names = "--recipe",
      paramLabel = "NAME",
      description =
          "How long to train which model: ${COMPLETION-CANDIDATES}. demo takes minutes; published"
              + " is the larger model that the project publishes, and takes a few times as long.")
  private Choice recipe = Choice.DEMO;

  @Option(names = "--seed", paramLabel = "N", description = TrainingOptions.SEED_DESCRIPTION)
  private long seed = Recipe.SEED;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      converter = ChosenPrecision.Converter.class,
      completionCandidates = ChosenPrecision.Candidates.class,
      description = ChosenPrecision.DESCRIPTION)
  private ChosenPrecision precision = ChosenPrecision.FLOAT32;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "${sys:minimind.home:-.}/examples/data",
      description = "Folder of the texts to learn from and the held-out questions.")
  private Path data;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with; one for each processor unless given.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--with-reasoning",
      description = {
        "Goes on with a second half: another small model learns from rewards alone to think of the"
            + " right tool and to ask it, where it guessed before. Takes minutes more."
      })
  private boolean withReasoning;

  @Option(
      names = "--no-chat",
      description = "Ends when the model is scored, also where there is a terminal.")
  private boolean noChat;

  @Spec private CommandSpec spec;

  public static void main(String[] args) {
    MiniMind.run(new Quickstart(), args);
  }

  @Override
  public Integer call() throws IOException {
    Numbers.atLeast(1, "--threads", threads);
    if (Membership.of(System.getenv()).isPresent()) {
      throw new ArgumentException(
          "The course trains in one process, and WORLD_SIZE says that there are several: take its"
              + " stages one by one.");
    }
    long start = System.nanoTime();
    CourseData files = CourseData.open(data.normalize());
    AtomicBoolean complete = new AtomicBoolean();
    int status =
        Interruptible.run(
            interrupted -> {
              Course course =
                  new Course(
                      GivenCommand.of(spec),
                      recipe.recipe.with(seed, precision),
                      files,
                      out,
                      threads,
                      withReasoning ? List.of(AgentRecipe.DEMO) : List.of(),
                      System.out,
                      ProgressLine.onStandardError(),
                      interrupted);
              complete.set(course.run().isPresent());
              if (!complete.get()) {
                System.out.println("Go on with: " + GivenCommand.of(spec));
              }
              return 0;
            });
    if (!complete.get()) {
      return status;
    }
    if (withReasoning) {
      System.out.println(
          "See it use tools: ./minimind eval tools --think --model "
              + GivenCommand.quoted(out.resolve(SecondHalf.MODEL).toString()));
    }
    System.out.printf(
        Locale.ROOT,
        "Done in %s. Everything is in %s.%n",
        ConsoleReport.duration((System.nanoTime() - start) / 1e9),
        out);
    return chat();
  }

  /** Lets people talk to the model, as it was scored: with the likeliest tokens. */
  private int chat() {
    List<String> arguments =
        List.of("--model=" + out.resolve(Course.MODEL), "--turns=2", "--temperature=0");
    if (noChat || System.console() == null) {
      String quoted = arguments.stream().map(GivenCommand::quoted).collect(Collectors.joining(" "));
      System.out.println("Talk to it: ./minimind chat " + quoted);
      return 0;
    }
    System.out.println("Now ask it something.\n");
    return MiniMind.commandLine(new ChatCommand()).execute(arguments.toArray(String[]::new));
  }
}
