package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.ArgumentException;
import io.minimind.publish.Publication;
import io.minimind.publish.PublishedModel;
import io.minimind.train.TrainedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes the folder that others take a model from. */
@Command(
    name = "publish",
    description = {
      "Makes the folder that others take a model from: the model, a card that says what it is and"
          + " how it was trained, checksums, and a pom.xml.",
      "The folder can be loaded as it is, uploaded to a model hub, or deployed with"
          + " 'mvn deploy -DaltDeploymentRepository=ID::URL' for applications that call"
          + " LanguageModel.fromClasspath."
    },
    footer = {
      "",
      "Example:",
      "  minimind publish --model out/sft --to out/harbour --quantize int8 --license Apache-2.0"
    },
    sortOptions = false)
public final class Publish implements Callable<Integer> {

  @Mixin private ModelSource source;

  @Option(
      names = "--to",
      paramLabel = "DIR",
      required = true,
      description = "Folder to make; it must not exist yet, or be empty.")
  private Path to;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name of the model and of its Maven artifact; that of the folder unless given.")
  private String name;

  @Option(
      names = "--description",
      paramLabel = "TEXT",
      description = "What the model is, in a sentence or two.")
  private String description;

  @Option(
      names = "--language",
      paramLabel = "CODES",
      split = ",",
      description = "Languages that it was trained on, such as zh,en.")
  private List<String> languages = List.of();

  @Option(
      names = "--license",
      paramLabel = "ID",
      description = "Its licence, by the identifier of SPDX, such as Apache-2.0.")
  private String license;

  @Option(
      names = "--questions",
      paramLabel = "FILE",
      description =
          "Questions to score the published model with, as for 'minimind eval questions'.")
  private Path questions;

  @Option(
      names = "--score",
      paramLabel = "TEST=SCORE",
      description = "What it reached in another test; may be given several times.")
  private Map<String, String> scores = new LinkedHashMap<>();

  @Option(
      names = "--group",
      paramLabel = "ID",
      description = "Maven group; default: ${DEFAULT-VALUE}.")
  private String group = "io.minimind";

  @Option(
      names = "--version",
      paramLabel = "VERSION",
      description = "Maven version; default: ${DEFAULT-VALUE}.")
  private String version = MiniMind.VERSION;

  /** The option --version is taken. */
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Shows this help.")
  private boolean help;

  private final ProgressLine progress = ProgressLine.onStandardError();

  public static void main(String[] args) {
    MiniMind.run(new Publish(), args);
  }

  @Override
  public Integer call() throws IOException {
    Publication publication = publication();
    TrainedModel trained = source.model();
    PublishedModel published =
        new PublishedModel(publication, trained, source.precision(), MiniMind.VERSION, test());
    try {
      published.writeTo(to);
    } finally {
      progress.clear();
    }
    System.out.printf(
        Locale.ROOT,
        "%s: %s, %,d parameters, %.1f MB of weights%n",
        to,
        source.precision(),
        trained.config().parameterCount(),
        Files.size(to.resolve(ModelFolder.WEIGHTS)) / 1e6);
    System.out.println("Read its card, " + to.resolve("README.md") + ", before others do.");
    return 0;
  }

  private PublishedModel.Test test() throws IOException {
    if (questions == null) {
      return model -> scores;
    }
    QuestionSet set = QuestionSet.read(questions);
    int total = set.questions().size();
    return model -> {
      Map<String, String> all = new LinkedHashMap<>();
      QuestionSet.Score score =
          set.ask(model, asked -> progress.show("question %d of %d".formatted(asked, total)));
      all.put("questions in " + questions.getFileName(), score.toString());
      all.putAll(scores);
      return all;
    };
  }

  private Publication publication() {
    try {
      return new Publication(
          group,
          name == null ? to.toAbsolutePath().normalize().getFileName().toString() : name,
          version,
          Optional.ofNullable(description),
          Optional.ofNullable(license),
          languages);
    } catch (ArgumentException e) {
      // Each part that can be wrong is an option.
      throw new ArgumentException(e.getMessage().replaceFirst("^The ", "--"), e);
    }
  }
}
