package io.minimind.examples;

import static io.minimind.examples.Commands.CHATS;
import static io.minimind.examples.Commands.CORPUS;
import static io.minimind.examples.Commands.TOKENIZER;
import static io.minimind.examples.Commands.contents;
import static io.minimind.examples.Commands.pretrain;
import static io.minimind.examples.Commands.sft;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.examples.Commands.Result;
import io.minimind.files.Sha256;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.train.TrainedModel;
import io.minimind.train.TrainedModel.Checkpoint;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model that went through two stages is published, loaded from the class path, and refused. */
class PublishTest {

  private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxNewTokens(9);

  @TempDir static Path shared;
  private static Path first;
  private static Path run;

  @TempDir Path folder;

  @BeforeAll
  static void train() {
    first = shared.resolve("runs/first");
    run = shared.resolve("runs/second");
    Path cache = shared.resolve("cache");
    // So fast that it unlearns, which makes the best checkpoint an early one.
    String[] options = {
      "--max-updates=4",
      "--save-every=1",
      "--validate-every=1",
      "--validation-fraction=0.02",
      "--learning-rate=3"
    };
    assertEquals(new Result(0, ""), Commands.run(pretrain(first, cache, options)));
    assertEquals(
        new Result(0, ""),
        Commands.run(sft(first, run, cache, "--max-updates=2", "--learning-rate=0.01")));
  }

  private static Result publish(Path model, Path to, String... more) {
    List<String> args = new ArrayList<>(List.of("publish", "--model", model.toString()));
    args.addAll(List.of("--to", to.toString()));
    args.addAll(List.of(more));
    return Commands.run(args.toArray(String[]::new));
  }

  private static List<String> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"float32", "int8", "int4"})
  void theFolderIsAModelForFilesAndForTheClassPath(String precision) throws Exception {
    Map<Path, ByteBuffer> before = contents(run);
    Path to = folder.resolve("deep/harbour");
    assertEquals(new Result(0, ""), publish(run, to, "--quantize=" + precision));
    assertEquals(before, contents(run), "the run is only read");
    assertEquals(List.of("harbour"), list(to.getParent()), "nothing is left beside it");

    List<String> model = new ArrayList<>();
    String card = Files.readString(to.resolve("README.md"));
    for (String line : Files.readAllLines(to.resolve("SHA256SUMS"))) {
      String[] parts = line.split("  ");
      assertEquals(Sha256.of(to.resolve(parts[1])), parts[0], parts[1]);
      assertTrue(card.contains(parts[0]), "the card lacks the checksum of " + parts[1]);
      model.add(parts[1]);
    }
    List<String> all = new ArrayList<>(model);
    all.addAll(List.of("README.md", "SHA256SUMS", "pom.xml"));
    assertEquals(new TreeSet<>(all), new TreeSet<>(list(to)));

    Path root = folder.resolve("classes");
    copyAsMavenDoes(to, root.resolve("minimind/models/harbour"));
    assertEquals(said(to), saidFromClassPath(root));
  }

  private static String said(Path model) throws IOException {
    try (LanguageModel loaded = LanguageModel.load(model)) {
      return loaded.generate("<s>法", GREEDY).text();
    }
  }

  private String saidFromClassPath(Path root) throws Exception {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    System.setProperty("minimind.cache", folder.resolve("unpacked").toString());
    try (URLClassLoader loader = new URLClassLoader(new URL[] {root.toUri().toURL()}, before)) {
      Thread.currentThread().setContextClassLoader(loader);
      try (LanguageModel loaded = LanguageModel.fromClasspath("harbour")) {
        return loaded.generate("<s>法", GREEDY).text();
      }
    } finally {
      Thread.currentThread().setContextClassLoader(before);
      System.clearProperty("minimind.cache");
    }
  }

  /** Copies what the pom.xml of a published folder names. */
  private static void copyAsMavenDoes(Path from, Path to) throws IOException {
    String pom = Files.readString(from.resolve("pom.xml"));
    assertTrue(pom.contains("<targetPath>minimind/models/" + from.getFileName() + "<"), pom);
    Files.createDirectories(to);
    for (String include : matches("<include>(.*)</include>", pom)) {
      Files.copy(from.resolve(include), to.resolve(include));
    }
  }

  private static List<String> matches(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(match -> match.group(1)).toList();
  }

  @Test
  void theCardHasWhatWasSaid() throws IOException {
    Path to = folder.resolve("to");
    String[] said = {
      "--name=harbour",
      "--group=org.example",
      "--version=2.1",
      "--language=zh,en",
      "--license=Apache-2.0",
      "--description=It knows a town.",
      "--score=held-out questions=96 %",
      "--score=a|b=1"
    };
    assertEquals(new Result(0, ""), publish(run, to, said));
    String card = Files.readString(to.resolve("README.md"));
    String front = card.substring(0, card.indexOf("\n---\n"));
    assertTrue(front.startsWith("---\nlanguage:\n- 'zh'\n- 'en'\nlicense: 'apache-2.0'\n"), front);
    assertTrue(card.contains("\n# harbour\n\nIt knows a town.\n"), card);
    assertTrue(card.contains("| held-out questions | 96 % |\n| a\\|b | 1 |\n"), card);
    assertTrue(card.contains("LanguageModel.fromClasspath(\"harbour\")"), card);
    String pom = Files.readString(to.resolve("pom.xml"));
    for (String text : List.of(pom, card)) {
      assertTrue(text.contains("<groupId>org.example</groupId>"), text);
      assertTrue(text.contains("<artifactId>harbour</artifactId>"), text);
      assertTrue(text.contains("<version>2.1</version>"), text);
    }
    assertTrue(pom.contains("<name>Apache-2.0</name>"), pom);
    assertFalse(pom.contains("@"), "a place of the template was not filled");
  }

  @Test
  void theCardHasTheScoreOfThePublishedModel() throws IOException {
    // Whatever the model answers to the first contains nothing of the second.
    Path questions = folder.resolve("questions.csv");
    Files.writeString(questions, "question,accept\n你是谁？,云港的一千零一个故事\n");
    Path to = folder.resolve("to");
    assertEquals(
        new Result(0, ""), publish(run, to, "--questions=" + questions, "--score=other=1"));
    String card = Files.readString(to.resolve("README.md"));
    String row = "| questions in questions.csv | 0 of 1 right (0.0 %), ";
    assertTrue(card.contains(row), card);
    assertTrue(card.indexOf(row) < card.indexOf("| other | 1 |"), card);
    assertRefused(1, "There is no", run, "--questions=" + folder.resolve("nowhere.csv"));
  }

  @Test
  void theCommandsInTheCardTrainTheModelAgain() throws IOException {
    Path to = folder.resolve("to");
    assertEquals(new Result(0, ""), publish(run, to));
    String card = Files.readString(to.resolve("README.md"));
    List<String> commands = matches("(?m)^\\./minimind ((?:pretrain|sft) .*)$", card);
    assertEquals(2, commands.size(), card);
    assertFalse(card.contains(shared.toString()), "the card tells folders of this machine");
    Path again = folder.resolve("again");
    for (String command : commands) {
      String[] args = placed(command.split(" "), again);
      assertEquals(new Result(0, ""), Commands.run(args));
    }
    assertEquals(ModelFolder.weights(run), ModelFolder.weights(again.resolve(run.getFileName())));
  }

  /** Arguments with the places of files that the card does not tell; models lie in a folder. */
  private static String[] placed(String[] args, Path models) {
    for (int i = 0; i < args.length; i++) {
      int value = args[i].indexOf('=') + 1;
      String name = args[i].substring(value);
      Path cache = shared.resolve("cache");
      Path first = models.resolve("first");
      for (Path file : List.of(CORPUS, CHATS, TOKENIZER, cache, first, models.resolve("second"))) {
        if (file.endsWith(name)) {
          args[i] = args[i].substring(0, value) + file;
        }
      }
    }
    return args;
  }

  @Test
  void theCardHasTheStagesAsTheyWere() throws IOException {
    // The history outlives the folder that the run started from.
    Path moved = folder.resolve("moved");
    Commands.copy(run, moved);
    Path to = folder.resolve("to");
    assertEquals(new Result(0, ""), publish(moved, to));
    List<String> cells = stages(to);
    assertEquals(List.of("pretrain", "4", "sft", "2"), cells);
    assertTrue(Files.readString(to.resolve("README.md")).contains("answers questions"));

    TrainedModel best = TrainedModel.of(first, Checkpoint.BEST);
    Path early = folder.resolve("early");
    assertEquals(new Result(0, ""), publish(first, early, "--checkpoint=best"));
    String update = Long.toString(best.history().stages().get(0).state().update());
    assertEquals(List.of("pretrain", update), stages(early));
    assertTrue(Files.readString(early.resolve("README.md")).contains("continues texts"));

    Path exported = folder.resolve("exported");
    assertEquals(0, Commands.run("export", "--model=" + run, "--out=" + exported).status());
    Path copied = folder.resolve("copied");
    assertEquals(new Result(0, ""), publish(exported, copied));
    assertEquals(List.of("pretrain", "4", "sft", "2"), stages(copied));
    assertTrue(Files.readString(copied.resolve("README.md")).contains("answers questions"));

    Files.delete(exported.resolve("history.json"));
    Path unknown = folder.resolve("unknown");
    assertEquals(new Result(0, ""), publish(exported, unknown));
    String said = Files.readString(unknown.resolve("README.md"));
    assertFalse(said.contains("answers questions") || said.contains("trained it"), said);

    Files.delete(moved.resolve("history.json"));
    Path old = folder.resolve("old");
    assertEquals(new Result(0, ""), publish(moved, old));
    assertEquals(List.of("sft", "2"), stages(old));
    String rest = Files.readString(old.resolve("README.md"));
    assertFalse(rest.contains("train it again"), rest);
    assertTrue(rest.contains("before that is not known"), rest);
  }

  @Test
  void theCardHasTheEpochsThatWereDone() throws IOException {
    Path whole = folder.resolve("whole");
    Path cache = shared.resolve("cache");
    assertEquals(
        new Result(0, ""), Commands.run(pretrain(whole, cache, "--epochs=2", "--max-updates=100")));
    Path to = folder.resolve("to");
    assertEquals(new Result(0, ""), publish(whole, to));
    String card = Files.readString(to.resolve("README.md"));
    assertEquals(List.of("2"), matches("(?m)^\\| pretrain (?:\\|[^|]*){2}\\| ([^|]*) \\|", card));
  }

  /** Names and numbers of updates of the stages in a card. */
  private static List<String> stages(Path published) throws IOException {
    List<String> cells = new ArrayList<>();
    for (String line : Files.readAllLines(published.resolve("README.md"))) {
      String[] row = line.split(" *\\| *");
      if (row.length > 7 && List.of("pretrain", "sft").contains(row[1])) {
        assertEquals("0 of ", row[4].replaceAll("\\d+$", ""), "all of these stop early");
        cells.addAll(List.of(row[1], row[7]));
      }
    }
    return cells;
  }

  /** As models of other projects often are. */
  @Test
  void aModelWithoutATokenThatBeginsATextIsPublished() throws IOException {
    Path plain = damaged("plain");
    Path config = plain.resolve("tokenizer_config.json");
    String without =
        Files.readString(config)
            .replaceFirst("\"bos_token\"\\s*:\\s*\"[^\"]*\"", "\"bos_token\": null");
    Files.writeString(config, without);
    try (LanguageModel model = LanguageModel.load(plain)) {
      assertThrows(IllegalArgumentException.class, () -> model.generate("", GREEDY));
    }
    assertEquals(new Result(0, ""), publish(plain, folder.resolve("to")));
  }

  @Test
  void theCardTellsOfNoTemplateThatIsNotThere() throws IOException {
    Path to = folder.resolve("to");
    assertEquals(new Result(0, ""), publish(run, to));
    String part = "reads tokenizer and chat template from";
    assertTrue(Files.readString(to.resolve("README.md")).contains(part));
    Path plain = damaged("plain");
    Files.writeString(plain.resolve("tokenizer_config.json"), "{}");
    Path other = folder.resolve("other");
    assertEquals(new Result(0, ""), publish(plain, other));
    assertTrue(Files.readString(other.resolve("README.md")).contains("reads tokenizer from"));
  }

  private void assertRefused(int status, String part, Path model, String... more)
      throws IOException {
    Path to = folder.resolve("refused/to");
    Files.createDirectories(to.getParent());
    assertSays(status, part, publish(model, to, more));
    assertEquals(List.of(), list(to.getParent()), "something is left");
  }

  private static void assertSays(int status, String part, Result result) {
    List<String> lines = result.err().lines().toList();
    assertEquals(status == 2 ? 2 : 1, lines.size(), result.err());
    assertTrue(lines.get(0).contains(part), result.err());
    assertEquals(status, result.status());
  }

  private Path damaged(String name) throws IOException {
    Path copy = folder.resolve(name);
    Commands.copy(run, copy);
    Files.delete(copy.resolve("SHA256SUMS")); // It would say so before anything else does.
    return copy;
  }

  @Test
  void damagedModelsAreRefused() throws IOException {
    assertRefused(1, "There is no model folder at", folder.resolve("nowhere"));

    Path cut = damaged("cut");
    byte[] weights = Files.readAllBytes(cut.resolve("model.safetensors"));
    Files.write(cut.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length - 100));
    assertRefused(1, cut.resolve("model.safetensors").toString(), cut);

    Path diverged = damaged("diverged");
    List<NamedTensor> tensors = new ArrayList<>(ModelFolder.weights(run));
    tensors.replaceAll(
        tensor ->
            tensor.name().equals("norm.weight")
                ? NamedTensor.ofFloats(tensor.name(), notNumbers(tensor), tensor.shape())
                : tensor);
    SafetensorsFile.write(diverged.resolve("model.safetensors"), tensors, Map.of());
    assertRefused(1, "The tensor norm.weight in " + diverged + " holds NaN", diverged);

    Path mixed = damaged("mixed");
    String config = Files.readString(mixed.resolve("config.json"));
    Files.writeString(
        mixed.resolve("config.json"), config.replace("_layers\" : 1", "_layers\" : 2"));
    assertRefused(1, "has no tensor layers.1.", mixed);

    Path mute = damaged("mute");
    Files.delete(mute.resolve("tokenizer.json"));
    assertRefused(1, "tokenizer.json", mute);

    Path form = damaged("form");
    Files.writeString(form.resolve("chat_template.jinja"), "{% for %}");
    assertRefused(1, "chat_template.jinja", form);

    Path small = folder.resolve("small");
    assertEquals(new Result(0, ""), publish(run, small, "--quantize=int8"));
    assertRefused(1, "are quantized already", small);

    Path forgetful = damaged("forgetful");
    Files.writeString(forgetful.resolve("history.json"), "{\"earlier\": [{}]}");
    assertRefused(1, "history.json is damaged", forgetful);
  }

  private static float[] notNumbers(NamedTensor tensor) {
    float[] values = new float[(int) tensor.elements()];
    values[values.length - 1] = Float.NaN;
    return values;
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    Path to = Files.createDirectories(folder.resolve("to"));
    Files.writeString(to.resolve("notes.txt"), "mine");
    assertSays(1, to + " is not empty, and nothing is overwritten", publish(run, to));
    assertEquals(List.of("notes.txt"), list(to));
    Files.delete(to.resolve("notes.txt"));
    assertEquals(new Result(0, ""), publish(run, to));
    assertSays(1, to + " is not empty", publish(run, to));
    Path file = Files.writeString(folder.resolve("file"), "mine");
    assertSays(1, file + " is a file", publish(run, file));
    // Folders of similar names are those of others.
    Path other = Files.createDirectories(folder.resolve("unfinished-next"));
    Files.writeString(other.resolve("model.onnx"), "mine");
    assertEquals(new Result(0, ""), publish(run, folder.resolve("next")));
    assertEquals("mine", Files.readString(other.resolve("model.onnx")));
  }

  @Test
  void namesThatMavenOrYamlCannotTakeAreRefused() throws IOException {
    assertRefused(2, "--name must consist of", run, "--name=../up");
    assertRefused(2, "--group must consist of", run, "--group=a b");
    assertRefused(2, "--version must consist of", run, "--version=<1>");
    assertRefused(2, "--license must consist of", run, "--license=it's mine");
    assertRefused(2, "--language takes codes", run, "--language=Chinese");
    assertRefused(2, "--score", run, "--score=good");
  }
}
