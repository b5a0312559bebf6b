package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.examples.QuestionSet.Score;
import io.minimind.examples.Recipe.Phase;
import io.minimind.examples.tasks.ToolFiles;
import io.minimind.model.ModelConfig;
import io.minimind.policy.RolloutSettings;
import io.minimind.train.TrainingSettings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** The whole course at a size that takes seconds. */
@Timeout(300)
class QuickstartTest {

  private static final List<String> TRAINED = List.of("pretrain", "sft", "chat", "dpo");
  private static final List<String> STAGES =
      List.of("tokenizer", "pretrain", "sft", "chat", "dpo", "model");

  /** What is left when all stages are finished. */
  private static final String SCORING = "scoring";

  private static final Recipe TINY = recipe("tiny", 2);

  @TempDir static Path shared;
  private static Path data;

  /** A course that nothing disturbed, and what it said. */
  private static Path whole;

  private static Result wholeResult;

  @TempDir Path folder;

  /** How an attempt ended. */
  private record Result(Optional<Score> score, String console) {}

  private static final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private static Recipe recipe(String name, int epochs) {
    return new Recipe(
        name,
        Recipe.SEED,
        ChosenPrecision.FLOAT32,
        ModelConfig.of(32, 1, 2, 1, 300, 64),
        new Phase(epochs, 4, 5e-3f, 2, 64),
        new Phase(epochs, 4, 5e-3f, 0, 64),
        new Phase(1, 4, 5e-3f, 0, 64),
        new Phase(1, 2, 1e-4f, 0, 64));
  }

  @BeforeAll
  static void train() throws IOException {
    data = writeData(shared.resolve("data"));
    whole = shared.resolve("whole");
    wholeResult = course(whole, () -> false);
  }

  private static Path writeData(Path folder) throws IOException {
    Files.createDirectory(folder);
    write(folder, "pretrain.csv", "text", 20, i -> "第" + i + "天，白婶烤了" + 2 * i + "个面包。");
    write(folder, "pretrain_valid.csv", "text", 3, i -> "第" + i + "天，老秦点灯。");
    write(folder, "sft_single.csv", "history,q,a", 12, i -> "[],第" + i + "天好。,你好。");
    write(
        folder, "sft_multi.csv", "history,q,a", 9, i -> "\"[['你好。', '你好。']]\",今天第几天？,第" + i + "天。");
    write(folder, "sft_valid.csv", "history,q,a", 3, i -> "[],第" + (i + 50) + "天好。,你好。");
    Files.write(
        folder.resolve("dpo.jsonl"),
        IntStream.range(0, 10)
            .mapToObj(i -> "{'prompt': '第%d天好。', 'chosen': '你好。', 'rejected': '不。'}".formatted(i))
            .map(line -> line.replace('\'', '"'))
            .toList());
    write(folder, "heldout.csv", "question,accept", 4, i -> "第" + (i + 70) + "天好。,你好|hello");
    Files.write(folder.resolve("quickstart_prompts.txt"), List.of("你好。", "白婶是谁？", "一？ | 二？"));
    return folder;
  }

  private static void write(
      Path folder, String name, String header, int rows, IntFunction<String> row)
      throws IOException {
    List<String> lines = new ArrayList<>(List.of(header));
    IntStream.range(0, rows).mapToObj(row).forEach(lines::add);
    Files.write(folder.resolve(name), lines);
  }

  private static Result course(Path out, BooleanSupplier interrupted) throws IOException {
    return course(TINY, data, out, interrupted);
  }

  private static Result course(Recipe recipe, Path data, Path out, BooleanSupplier interrupted)
      throws IOException {
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(console, true, StandardCharsets.UTF_8);
    Optional<Score> score = course(recipe, data, out, stream, interrupted);
    return new Result(score, console.toString(StandardCharsets.UTF_8));
  }

  private static Optional<Score> course(
      Recipe recipe, Path data, Path out, PrintStream console, BooleanSupplier interrupted)
      throws IOException {
    return course(recipe, data, out, List.of(), console, interrupted);
  }

  private static Optional<Score> course(
      Recipe recipe,
      Path data,
      Path out,
      List<AgentRecipe> secondHalf,
      PrintStream console,
      BooleanSupplier interrupted)
      throws IOException {
    ProgressLine progress = new ProgressLine(console, false);
    return new Course(
            "./minimind quickstart",
            recipe,
            CourseData.open(data),
            out,
            2,
            secondHalf,
            console,
            progress,
            interrupted)
        .run();
  }

  /** A disturbed course ended like the one that nothing disturbed. */
  private static void assertSameAsWhole(Path out) throws IOException {
    for (String stage : TRAINED) {
      assertEquals(
          PretrainProcessTest.metrics(whole.resolve(stage)),
          PretrainProcessTest.metrics(out.resolve(stage)),
          stage);
    }
    for (String stage : STAGES.subList(1, 6)) {
      Path weights = Path.of(stage, "model.safetensors");
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(weights)),
          Files.readAllBytes(out.resolve(weights)),
          stage);
    }
    assertEquals(answers(whole), answers(out));
    assertEquals(
        PretrainProcessTest.names(whole), PretrainProcessTest.names(out), "nothing is left over");
  }

  private static List<String> answers(Path out) throws IOException {
    JsonNode record = new ObjectMapper().readTree(out.resolve("course.json").toFile());
    return record.findValues("answers").stream().map(JsonNode::toString).toList();
  }

  @Test
  void theCourseNarratesScoresAndLeavesAModel() throws IOException {
    String console = wholeResult.console();
    for (int i = 1; i <= 6; i++) {
      assertTrue(console.contains("[" + i + "/6] "), console);
    }
    assertEquals(4, wholeResult.score().orElseThrow().answers().size());
    assertTrue(console.contains("Held-out questions: " + wholeResult.score().get()), console);
    for (String stage : STAGES.subList(1, 6)) {
      assertEquals(3, console.split("\n  " + stage + " ", -1).length - 1, stage);
    }
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run(
            "eval",
            "questions",
            "--data=" + data.resolve("heldout.csv"),
            "--model=" + whole.resolve("model")));
  }

  @Test
  void theReportIsAPageWithEveryCurveAndAnswer() throws Exception {
    Document page = CourseReportTest.parse(whole.resolve("report.html"));

    assertEquals(TRAINED.size(), page.getElementsByTagName("svg").getLength());
    assertEquals(0, page.getElementsByTagName("script").getLength());
    List<String> cells = CourseReportTest.texts(page, "td");
    JsonNode stages =
        new ObjectMapper().readTree(whole.resolve("course.json").toFile()).get("stages");
    assertEquals(6, stages.size());
    for (JsonNode stage : stages) {
      assertTrue(cells.contains(stage.get("title").textValue()), stage.toString());
      for (JsonNode answer : stage.get("answers")) {
        // A line break is an element there.
        assertTrue(cells.contains(answer.textValue().replace("\n", "")), answer.toString());
      }
    }
  }

  @Test
  void aFinishedCourseIsOnlyScoredAgain() throws IOException {
    Path out = copyOfWhole();
    var before = Commands.contents(out);
    Result again = course(out, () -> false);

    assertEquals(wholeResult.score(), again.score());
    assertEquals(6, again.console().split("] .*: done\\.").length - 1, again.console());
    assertEquals(before, Commands.contents(out));
  }

  /** Ctrl-C, again and again: every attempt gets a few steps further. */
  @Test
  void interruptedInEveryStageItGoesOnToTheSameResult() throws IOException {
    TreeSet<String> interrupted = new TreeSet<>();
    int steps = 6;
    Result result;
    do {
      int[] left = {steps};
      result = course(folder.resolve("out"), () -> left[0]-- <= 0);
      if (result.score().isEmpty()) {
        interrupted.add(lastStage(result));
      }
    } while (result.score().isEmpty());

    assertTrue(
        interrupted.containsAll(List.of("[2/6]", "[3/6]", "[4/6]", "[5/6]")), interrupted + "");
    assertEquals(wholeResult.score(), result.score());
    assertSameAsWhole(folder.resolve("out"));
  }

  /** What came after the last checkpoint of a stage is lost. */
  @Test
  void failingInEveryStageItGoesOnToTheSameResult() throws IOException {
    Path out = folder.resolve("out");
    Map<String, Integer> asked = new TreeMap<>();
    BooleanSupplier failing =
        () -> {
          String stage = unfinishedStage(out);
          // The first and the last stage have only one moment.
          int moment = TRAINED.contains(stage) ? 4 : 1;
          if (asked.merge(stage, 1, Integer::sum) == moment) {
            throw new Failure();
          }
          return false;
        };
    for (String stage : STAGES) {
      assertThrows(Failure.class, () -> course(out, failing));
      assertEquals(stage, unfinishedStage(out));
    }
    assertThrows(Failure.class, () -> course(out, failing));
    assertEquals(SCORING, unfinishedStage(out));

    assertEquals(wholeResult.score(), course(out, failing).score());
    assertSameAsWhole(out);
  }

  /** With the folder that the preferences' reference model lies in. */
  @Test
  void cutShortAndMovedItGoesOnToTheSameResult() throws IOException {
    Path before = folder.resolve("before");
    Path dataBefore = folder.resolve("data-before");
    Commands.copy(data, dataBefore);
    int[] left = {3};
    Result cut =
        course(
            TINY,
            dataBefore,
            before,
            () -> unfinishedStage(before).equals("dpo") && left[0]-- <= 0);
    assertEquals("[5/6]", lastStage(cut));
    assertTrue(Files.exists(before.resolve("dpo/settings.json")));
    Path after = Files.move(before, folder.resolve("after"));
    Path dataAfter = Files.move(dataBefore, folder.resolve("data-after"));

    assertEquals(wholeResult.score(), course(TINY, dataAfter, after, () -> false).score());
    assertEquals(answers(whole), answers(after));
    assertEquals(
        PretrainProcessTest.metrics(whole.resolve("dpo")),
        PretrainProcessTest.metrics(after.resolve("dpo")));
  }

  /** The second half begins where the first was finished, and is interrupted again and again. */
  @Test
  void theSecondHalfGoesOnToTheSameResult() throws IOException {
    Path undisturbed = copyOfWhole();
    String told = secondHalf(undisturbed, () -> false).console();
    for (String words :
        List.of(
            "[6/10] Export: done.",
            "[10/10] Learning from rewards",
            "  after 10 updates: ",
            "Held-out questions for tools: ")) {
      assertTrue(told.contains(words), told);
    }
    assertEquals(12, Files.readAllLines(undisturbed.resolve("agent/rollouts.jsonl")).size());

    Path disturbed = folder.resolve("disturbed");
    Commands.copy(whole, disturbed);
    TreeSet<String> interrupted = new TreeSet<>();
    Result result;
    do {
      int[] left = {6};
      result = secondHalf(disturbed, () -> left[0]-- <= 0);
      if (result.score().isEmpty()) {
        int at = result.console().lastIndexOf("/10] ");
        interrupted.add(result.console().substring(at - 1, at));
      }
    } while (result.score().isEmpty());
    assertTrue(interrupted.containsAll(List.of("8", "9", "0")), interrupted + "");
    for (String stage : List.of("agent-pretrain", "agent-sft", "agent")) {
      Path weights = Path.of(stage, "model.safetensors");
      assertArrayEquals(
          Files.readAllBytes(undisturbed.resolve(weights)),
          Files.readAllBytes(disturbed.resolve(weights)),
          stage);
    }
  }

  private static Result secondHalf(Path out, BooleanSupplier interrupted) throws IOException {
    AgentRecipe tiny =
        new AgentRecipe(
            ModelConfig.of(32, 1, 2, 1, 400, 384),
            List.of("get_current_time", "get_exchange_rate"),
            new ToolFiles.Amounts(40, 12, 0.5, 24, 6),
            new Phase(1, 8, 5e-3f, 2, 384),
            new Phase(1, 4, 5e-3f, 0, 384),
            new RolloutSettings(350, 6, 1, 0, 1, 1, 2),
            2,
            0,
            TrainingSettings.builder().batchSize(2).learningRate(1e-3f).saveEvery(4).build());
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(console, true, StandardCharsets.UTF_8);
    Optional<Score> score = course(TINY, data, out, List.of(tiny), stream, interrupted);
    return new Result(score, console.toString(StandardCharsets.UTF_8));
  }

  @Test
  void aCourseIsDoneByOneAtATime() throws IOException {
    Path out = folder.resolve("out");
    TreeSet<String> refused = new TreeSet<>();
    BooleanSupplier attempting =
        () -> {
          assertRefused(out, TINY, data, "Another run is writing to " + out, "another --out");
          String stage = unfinishedStage(out);
          if (refused.add(stage) || !TRAINED.contains(stage)) {
            return false;
          }
          // In the middle of a run, which is its own folder's.
          String[] resume = Commands.resume(stage, out.resolve(stage), out.resolve("cache"));
          String err = Commands.run(resume).err();
          assertTrue(err.startsWith("Another run is writing to " + out.resolve(stage)), err);
          return stage.equals("sft");
        };

    assertEquals("[3/6]", lastStage(course(out, attempting)));
    assertEquals(Set.of("tokenizer", "pretrain", "sft"), refused);
    assertEquals(wholeResult.score(), course(out, () -> false).score());
    assertSameAsWhole(out);
  }

  private static String lastStage(Result result) {
    int at = result.console().lastIndexOf("/6] ");
    return result.console().substring(at - 2, at + 3);
  }

  private static String unfinishedStage(Path out) {
    try {
      JsonNode record = new ObjectMapper().readTree(out.resolve("course.json").toFile());
      int finished = record.get("stages").size();
      return finished < STAGES.size() ? STAGES.get(finished) : SCORING;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A process that is killed when it has reached a stage, wherever it then is. */
  @Test
  void aKilledProcessGoesOnToTheSameResult() throws Exception {
    Path out = folder.resolve("out");
    String[] arguments = {data.toString(), out.toString()};
    for (String reached : List.of("[1/6]", "[2/6]", "[4/6]")) {
      try (CommandProcess running = CommandProcess.start(QuickstartTest.class, folder, arguments)) {
        running.awaitLines(reached, 1);
        running.kill();
      }
    }
    assertEquals(wholeResult.score(), course(out, () -> false).score());
    assertSameAsWhole(out);
  }

  /** The course of these tests, in a process of its own. */
  public static void main(String[] args) throws IOException {
    course(TINY, Path.of(args[0]), Path.of(args[1]), System.out, () -> false);
  }

  @Test
  void theCommandEndsWithTheWayToTalkToTheModel() throws Exception {
    Path out = copyOfWhole();
    setRecipe(out, Recipe.DEMO);
    try (CommandProcess running =
        CommandProcess.start(folder, "quickstart", "--no-chat", "--data=" + data, "--out=" + out)) {
      List<String> lines = running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
      String last = lines.get(lines.size() - 1);
      assertTrue(last.startsWith("Talk to it: ./minimind chat --model=" + out), last);
    }
  }

  @Test
  void anotherRecipeIsRefused() throws IOException {
    Path out = copyOfWhole();

    assertRefused(out, recipe("other", 2), data, "recipe tiny", "--recipe=tiny", "another --out");
    assertRefused(out, recipe("tiny", 3), data, "recipe tiny", "no longer", "another --out");
  }

  private static final ChosenPrecision BFLOAT16 = ChosenPrecision.of("bf16");

  @Test
  void anotherSeedOrPrecisionMakesAnotherModelInEveryStage() throws IOException {
    for (Recipe other :
        List.of(TINY.with(7, ChosenPrecision.FLOAT32), TINY.with(Recipe.SEED, BFLOAT16))) {
      Path out = folder.resolve("out-" + other.seed());
      Result result = course(other, data, out, () -> false);
      assertTrue(result.score().isPresent());
      boolean rounded = other.precision().equals(BFLOAT16);
      assertEquals(rounded, result.console().startsWith("Training in bf16, "), result.console());
      for (String stage : TRAINED) {
        JsonNode settings =
            new ObjectMapper().readTree(out.resolve(stage).resolve("settings.json").toFile());
        assertEquals(other.seed(), settings.at("/training/seed").longValue(), stage);
        assertEquals(rounded ? "BFLOAT16" : "FLOAT32", settings.path("precision").asText(), stage);
        Path weights = Path.of(stage, "model.safetensors");
        assertFalse(
            Arrays.equals(
                Files.readAllBytes(whole.resolve(weights)),
                Files.readAllBytes(out.resolve(weights))),
            stage);
      }
      assertTrue(
          Files.readString(out.resolve("report.html"))
              .contains("--seed=%d --precision=%s".formatted(other.seed(), other.precision())));
    }
  }

  @Test
  void anotherSeedOrPrecisionThanItBeganWithIsRefused() throws IOException {
    Path out = copyOfWhole();
    assertRefused(
        out,
        TINY.with(2, ChosenPrecision.FLOAT32),
        data,
        "seed 1337",
        "--seed=1337",
        "another --out");
    assertRefused(
        out,
        TINY.with(Recipe.SEED, BFLOAT16),
        data,
        "precision float32",
        "--precision=float32",
        "another --out");

    setRecipe(out, Recipe.DEMO.with(5, BFLOAT16));
    assertTrue(command(out, "--seed=5").err().contains("--precision=bf16"));
    assertTrue(command(out, "--precision=bf16").err().contains("--seed=5"));
    assertEquals(new Commands.Result(0, ""), command(out, "--seed=5", "--precision=bf16"));
  }

  private static Commands.Result command(Path out, String... options) {
    List<String> all =
        new ArrayList<>(List.of("quickstart", "--no-chat", "--data=" + data, "--out=" + out));
    all.addAll(List.of(options));
    return Commands.run(all.toArray(String[]::new));
  }

  /** Where nothing is said, it is what there was before one could choose. */
  @Test
  void aCourseOfAnEarlierVersionGoesOn() throws IOException {
    Path out = copyOfWhole();
    changeRecord(out, record -> record.withObject("/recipe").remove(List.of("seed", "precision")));

    assertEquals(wholeResult.score(), course(out, () -> false).score());
    assertRefused(out, TINY.with(2, ChosenPrecision.FLOAT32), data, "--seed=1337");
  }

  @Test
  void otherDataIsRefused() throws IOException {
    Path out = copyOfWhole();
    for (String name : List.of("pretrain.csv", "sft_valid.csv", "dpo.jsonl")) {
      Path changed = folder.resolve("changed-" + name);
      Commands.copy(data, changed);
      Files.writeString(changed.resolve(name), Files.readString(changed.resolve(name)) + "\n");

      assertRefused(out, TINY, changed, changed.resolve(name).toString(), "restore it");
    }
  }

  @Test
  void aMissingFileIsNamedBeforeAnythingIsWritten() throws IOException {
    Path out = folder.resolve("out");
    assertRefused(out, TINY, folder.resolve("nowhere"), "no folder", "nowhere", "--data");
    Path incomplete = folder.resolve("incomplete");
    Commands.copy(data, incomplete);
    Files.delete(incomplete.resolve("dpo.jsonl"));

    assertRefused(out, TINY, incomplete, incomplete.toString(), "dpo.jsonl");
    assertFalse(Files.exists(out));
  }

  @Test
  void aFolderOfOtherFilesIsLeftAlone() throws IOException {
    Path out = Files.createDirectory(folder.resolve("mine"));
    Files.writeString(out.resolve("notes.txt"), "mine");

    assertRefused(out, TINY, data, out.toString(), "other files", "another --out");
  }

  @Test
  void damageInAStageIsSaidInASentence() throws IOException {
    Path out = copyOfWhole();
    forget(out, "dpo");
    Path checkpoint = Commands.latest(out.resolve("dpo"));
    Files.writeString(checkpoint.resolve("state.json"), "{");
    assertRefused(out, TINY, data, checkpoint.toString(), "is damaged", "Delete this folder");

    Files.writeString(out.resolve("dpo/settings.json"), "{");
    assertRefused(out, TINY, data, out.resolve("dpo/settings.json") + " is not valid");

    Files.move(out.resolve("tokenizer"), folder.resolve("away"));
    assertRefused(out, TINY, data, out.resolve("tokenizer") + " is missing", "delete " + out);

    Files.writeString(out.resolve("course.json"), "{");
    assertRefused(out, TINY, data, out.resolve("course.json") + " is not valid", "another --out");
  }

  @Test
  void aRecordThatSomethingChangedIsRefused() throws IOException {
    Path out = copyOfWhole();
    Path record = out.resolve("course.json");
    Files.writeString(record, Files.readString(record).replaceFirst("\"dpo\"", "\"dpa\""));
    assertRefused(out, TINY, data, record + " was changed or is damaged", "its checksum");
  }

  @Test
  void lostWeightsAreNamedByTheStageThatNeedsThem() throws IOException {
    Path out = copyOfWhole();
    forget(out, "model");
    Files.delete(out.resolve("dpo/model.safetensors"));

    assertRefused(out, TINY, data, out.resolve("dpo").toString(), "model.safetensors");
  }

  @Test
  void aReportThatCannotBeWrittenIsNamed() throws IOException {
    Path out = copyOfWhole();
    Files.delete(out.resolve("report.html"));
    Files.createDirectories(out.resolve("report.html/inside"));

    assertRefused(out, TINY, data, "Cannot write " + out.resolve("report.html"));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aFullDiskIsSaidInASentence() throws Exception {
    Path out = folder.resolve("out");
    try (CommandProcess running =
        CommandProcess.startWithFilesUpTo(
            200, folder, "quickstart", "--no-chat", "--data=" + data, "--out=" + out)) {
      List<String> lines = running.remainingLines();
      assertEquals(1, running.exitStatus(), lines.toString());
      assertEquals(1, running.err().lines().count(), running.err());
      assertTrue(running.err().contains("File too large"), running.err());
      assertTrue(running.err().contains(out.resolve("pretrain").toString()), running.err());
    }
  }

  /** Makes a stage unfinished in the record of a course, and all after it. */
  private static void forget(Path out, String stage) throws IOException {
    changeRecord(
        out,
        record -> {
          List<JsonNode> kept = new ArrayList<>();
          for (JsonNode finished : record.get("stages")) {
            if (finished.get("name").textValue().equals(stage)) {
              break;
            }
            kept.add(finished);
          }
          record.putArray("stages").addAll(kept);
        });
  }

  private static void setRecipe(Path out, Recipe recipe) throws IOException {
    changeRecord(out, record -> record.set("recipe", new ObjectMapper().valueToTree(recipe)));
  }

  /** On purpose, so without its checksum. */
  private static void changeRecord(Path out, Consumer<ObjectNode> change) throws IOException {
    ObjectMapper json = new ObjectMapper();
    Path file = out.resolve("course.json");
    ObjectNode record = (ObjectNode) json.readTree(file.toFile());
    change.accept(record);
    json.writeValue(file.toFile(), record.without("checksum"));
  }

  private Path copyOfWhole() {
    Path out = folder.resolve("copy");
    Commands.copy(whole, out);
    return out;
  }

  private static void assertRefused(Path out, Recipe recipe, Path data, String... words) {
    IOException refused =
        assertThrows(IOException.class, () -> course(recipe, data, out, () -> false), words[0]);
    String message = MiniMind.message(refused).orElseThrow();
    for (String word : words) {
      assertTrue(message.contains(word), message);
    }
    assertFalse(message.contains("\n"), message);
  }
}
