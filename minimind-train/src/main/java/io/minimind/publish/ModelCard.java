package io.minimind.publish;

import io.minimind.artifact.ModelFolder;
import io.minimind.chat.ChatTemplate;
import io.minimind.files.Sha256;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.task.Pretraining;
import io.minimind.train.TrainingHistory.TrainedStage;
import io.minimind.train.TrainingSettings;
import io.minimind.train.TrainingState;
import io.minimind.weights.BlockQuantization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code README.md} of a published model: what it is, how to use it, how it was trained, what
 * it reached. Its front matter is what model hubs read.
 *
 * @param chats whether it is known to answer questions, and not only to continue texts
 * @param scores what it reached in which test
 */
record ModelCard(PublishedModel model, boolean chats, Map<String, String> scores) {

  /** A word of a command as a shell takes it, quotes and all. */
  private static final Pattern WORD = Pattern.compile("(?:'[^']*'|[^\\s'])+");

  /** What stands before the last name of an absolute path. */
  private static final Pattern FOLDERS =
      Pattern.compile("(?<![^'=,])(?:[A-Za-z]:)?[/\\\\](?:[^,]*[/\\\\])?(?=[^/\\\\'])");

  /**
   * @param folder the published model
   * @param files those that a program needs
   */
  String text(Path folder, List<String> files) throws IOException {
    List<String> sections = new ArrayList<>();
    sections.add(frontMatter());
    sections.add("# " + publication().name());
    sections.add(introduction());
    sections.add(facts(Files.size(folder.resolve(ModelFolder.WEIGHTS))));
    sections.add(inJava());
    sections.add(elsewhere(files, ChatTemplate.find(folder).isPresent()));
    sections.add(training());
    if (!scores.isEmpty()) {
      sections.add(reached());
    }
    sections.add(files(folder, files));
    return String.join("\n\n", sections) + "\n";
  }

  private Publication publication() {
    return model.publication();
  }

  private boolean quantized() {
    return model.precision().isQuantized();
  }

  private String frontMatter() {
    List<String> lines = new ArrayList<>();
    lines.add("---");
    if (!publication().languages().isEmpty()) {
      lines.add("language:");
      // Quoted, because YAML takes the code of Norwegian for a refusal.
      publication().languages().forEach(language -> lines.add("- '" + language + "'"));
    }
    publication()
        .license()
        .ifPresent(license -> lines.add("license: '" + license.toLowerCase(Locale.ROOT) + "'"));
    lines.add("library_name: minimind-java");
    lines.add("pipeline_tag: text-generation");
    lines.add("tags:");
    lines.add("- minimind");
    lines.add("- onnx");
    lines.add("---");
    return String.join("\n", lines);
  }

  private String introduction() {
    String what =
        "A language model of %s parameters that %s.%s It is small: what it says may read well and still be wrong."
            .formatted(
                count(model.trained().config().parameterCount()),
                chats ? "answers questions" : "continues texts",
                model.trained().history().stages().isEmpty()
                    ? ""
                    : " MiniMind for Java trained it.");
    return publication().description().map(text -> text + "\n\n" + what).orElse(what);
  }

  private String facts(long weightBytes) {
    ModelConfig config = model.trained().config();
    List<String> rows = new ArrayList<>();
    rows.add("| | |");
    rows.add("|---|---|");
    rows.add(row("parameters", count(config.parameterCount())));
    rows.add(
        row(
            "architecture",
            "decoder of %d layers, %d wide, %d query and %d key/value heads (RMSNorm, rotary positions, SwiGLU, tied embedding)"
                .formatted(
                    config.layers(), config.hiddenSize(), config.heads(), config.keyValueHeads())));
    if (config.experts().isMixture()) {
      rows.add(row("feed-forward layers", experts(config)));
    }
    rows.add(row("vocabulary", count(config.vocabularySize()) + " tokens"));
    rows.add(row("context", count(config.maxLength()) + " tokens, prompt and answer together"));
    rows.add(row("weights", weights() + ", " + megabytes(weightBytes)));
    publication().license().ifPresent(license -> rows.add(row("licence", license)));
    return String.join("\n", rows);
  }

  private static String experts(ModelConfig config) {
    Experts experts = config.experts();
    return "a mixture of %d experts, of which each token passes through %d%s: it meets %s of the parameters"
        .formatted(
            experts.routed(),
            experts.perToken(),
            experts.shared() == 0 ? "" : " and one that all share",
            count(config.activeParameterCount()));
  }

  private String weights() {
    return quantized()
        ? "%d bits each, and a float32 scale for every %d of them"
            .formatted(model.precision().bits(), BlockQuantization.BLOCK)
        : "float32";
  }

  private String inJava() {
    return """
    ## Use it in Java

    ```xml
    <dependency>
      <groupId>io.minimind</groupId>
      <artifactId>minimind-infer</artifactId>
      <version>%s</version>
    </dependency>
    <dependency>
      <groupId>%s</groupId>
      <artifactId>%s</artifactId>
      <version>%s</version>
    </dependency>
    ```

    ```java
    %s
    ```

    The first use unpacks the model into `~/.cache/minimind`, or into the folder that the system property `minimind.cache` names. Without Maven, `LanguageModel.load(Path.of("..."))` takes this folder as it is. `mvn install` in this folder puts it into the local Maven repository, and `mvn deploy -DaltDeploymentRepository=ID::URL` into another.\
    """
        .formatted(
            model.sdk(),
            publication().group(),
            publication().name(),
            publication().version(),
            chats ? chat() : write());
  }

  private String chat() {
    return """
    try (LanguageModel model = LanguageModel.fromClasspath("%s");
        Chat chat = model.chat()) {
      System.out.println(chat.send("%s").text());
    }\
    """
        .formatted(publication().name(), chinese() ? "你是谁？" : "Who are you?");
  }

  private String write() {
    return """
    try (LanguageModel model = LanguageModel.fromClasspath("%s")) {
      System.out.println(model.generate("%s").text());
    }\
    """
        .formatted(publication().name(), chinese() ? "今天" : "Today");
  }

  private boolean chinese() {
    return publication().languages().isEmpty() || publication().languages().contains("zh");
  }

  private String elsewhere(List<String> files, boolean hasTemplate) {
    return """
    ## Use it elsewhere

    `model.onnx` runs in ONNX Runtime from any language; it takes and gives keys and values, and finds its weights in `model.safetensors` beside it. %s`AutoModelForCausalLM` of transformers cannot load the weights: %s.\
    """
        .formatted(
            files.contains("tokenizer.json")
                ? "`AutoTokenizer.from_pretrained` of transformers reads tokenizer%s from this folder. "
                    .formatted(hasTemplate ? " and chat template" : "")
                : "",
            whyNotInTransformers());
  }

  private String whyNotInTransformers() {
    if (quantized()) {
      return "they are quantized";
    }
    return model.trained().config().experts().isMixture()
        ? "it has no architecture with this mixture of experts"
        : "the tensors have MiniMind's names, and rotary positions turn neighbouring channels."
            + " docs/file-formats.md of MiniMind for Java has a script that makes a folder which"
            + " can be loaded";
  }

  private String training() {
    List<TrainedStage> stages = model.trained().history().stages();
    if (stages.isEmpty()) {
      return "## How it was trained\n\nThe model's folder did not say.";
    }
    List<String> lines = new ArrayList<>();
    lines.add("## How it was trained");
    lines.add("");
    lines.add(
        "| stage | data | rows | epochs | rows of an update | learning rate | updates | tokens |"
            + " time | validation loss |");
    lines.add("|---|---|---|---|---|---|---|---|---|---|");
    stages.forEach(stage -> lines.add(row(stage)));
    boolean complete = stages.get(0).settings().task() instanceof Pretraining;
    if (!complete) {
      lines.add("");
      lines.add("What it was trained on before that is not known.");
    }
    if (stages.stream().allMatch(stage -> stage.command().isPresent())) {
      lines.add("");
      lines.add(
          complete
              ? "These commands trained it, and with the same files train it again:"
              : "These commands did the rest:");
      lines.add("");
      lines.add("```sh");
      // One command may have trained several stages.
      stages.stream()
          .flatMap(stage -> stage.command().stream())
          .distinct()
          .map(ModelCard::withoutFolders)
          .forEach(lines::add);
      lines.add("```");
    }
    if (quantized()) {
      lines.add("");
      lines.add(
          "After that its matrices were quantized to %d bits.".formatted(model.precision().bits()));
    }
    return String.join("\n", lines);
  }

  /** A command without what its absolute paths tell of the machine. */
  private static String withoutFolders(String command) {
    return WORD.matcher(command)
        .replaceAll(word -> Matcher.quoteReplacement(FOLDERS.matcher(word.group()).replaceAll("")));
  }

  private static String epochs(int done, int planned) {
    return done == planned ? Integer.toString(done) : done + " of " + planned;
  }

  private static String row(TrainedStage stage) {
    TrainingSettings settings = stage.settings().training();
    TrainingState state = stage.state();
    return row(
        stage.settings().task().name()
            + stage.settings().lora().map(lora -> ", LoRA of rank " + lora.rank()).orElse("")
            + (stage.settings().precision() == TrainingPrecision.FLOAT32
                ? ""
                : " in " + stage.settings().precision()),
        "`" + Path.of(stage.settings().data()).getFileName() + "`",
        count(stage.corpora().samples()),
        epochs(state.epoch(), settings.epochs()),
        Integer.toString(settings.batchSize() * settings.accumulationSteps() * settings.replicas()),
        Float.toString(settings.learningRate()),
        count(state.update()),
        count(state.tokens()),
        time(state.seconds()),
        loss(state.validationLoss()));
  }

  private static String time(double seconds) {
    Duration time = Duration.ofSeconds(Math.round(seconds));
    return time.toHours() > 0
        ? "%d h %02d min".formatted(time.toHours(), time.toMinutesPart())
        : "%d min %02d s".formatted(time.toMinutes(), time.toSecondsPart());
  }

  private static String loss(OptionalDouble loss) {
    return loss.isPresent() ? String.format(Locale.ROOT, "%.4f", loss.getAsDouble()) : "";
  }

  private String reached() {
    List<String> rows = new ArrayList<>(List.of("## Scores", "", "| test | score |", "|---|---|"));
    scores.forEach((test, score) -> rows.add(row(test, score)));
    return String.join("\n", rows);
  }

  private static String files(Path folder, List<String> files) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("## Files");
    lines.add("");
    lines.add("| file | bytes | SHA-256 |");
    lines.add("|---|---|---|");
    for (String file : files) {
      Path path = folder.resolve(file);
      lines.add(row("`" + file + "`", count(Files.size(path)), "`" + Sha256.of(path) + "`"));
    }
    lines.add("");
    lines.add("`sha256sum -c SHA256SUMS` compares them.");
    return String.join("\n", lines);
  }

  private static String row(String... cells) {
    List<String> escaped = new ArrayList<>();
    for (String cell : cells) {
      escaped.add(cell.replace("|", "\\|").replace("\n", " "));
    }
    return "| " + String.join(" | ", escaped) + " |";
  }

  private static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }
}
