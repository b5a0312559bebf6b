package io.minimind.examples;

import static io.minimind.examples.Commands.resume;
import static io.minimind.examples.Commands.sft;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.examples.Commands.Result;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Fine-tuning a model that was pretrained for a moment, and asking it. */
@Timeout(300)
class FineTuneTest {

  private static final String[] RUN = {
    "--epochs=2",
    "--loss=all-turns",
    "--learning-rate=0.003",
    "--save-every=5",
    "--validate-every=20",
    "--validation=" + Commands.DATA.resolve("sft_valid.csv")
  };
  private static final int UPDATES = 2 * 40;

  @TempDir static Path shared;
  private static Path cache;
  private static Path pretrained;
  private static Path tuned;
  private static List<String> output;

  @TempDir Path folder;
  private Path out;

  @BeforeAll
  static void train() throws Exception {
    cache = shared.resolve("cache");
    pretrained = shared.resolve("pretrained");
    tuned = shared.resolve("tuned");
    assertEquals(
        new Result(0, ""),
        Commands.run(Commands.pretrain(pretrained, cache, "--max-length=128", "--epochs=4")));
    Path prompts = shared.resolve("questions.txt");
    Files.writeString(prompts, "你是谁？\n");
    String[] args = sft(pretrained, tuned, cache, RUN);
    args = Arrays.copyOf(args, args.length + 1);
    args[args.length - 1] = "--prompts=" + prompts;
    output = lines(args);
  }

  @BeforeEach
  void name() {
    out = folder.resolve("out");
  }

  private static List<String> lines(String... args) throws Exception {
    try (CommandProcess running = CommandProcess.start(shared, args)) {
      List<String> lines = running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
      return lines;
    }
  }

  private static void assertSays(int status, List<String> parts, String... args) {
    Result result = Commands.run(args);
    List<String> lines = result.err().lines().toList();
    assertEquals(status == 2 ? 2 : 1, lines.size(), result.err());
    for (String part : parts) {
      assertTrue(lines.get(0).contains(part), "'" + part + "' in: " + lines.get(0));
    }
    assertEquals(status, result.status(), result.err());
  }

  private void assertRefused(int status, List<String> parts, String... options) {
    assertSays(status, parts, sft(pretrained, out, cache, options));
    assertFalse(Files.exists(out), "nothing is made for a run that cannot start");
  }

  @Test
  void theModelLearnsToAnswer() throws IOException {
    List<JsonNode> metrics = PretrainProcessTest.metrics(tuned);
    List<JsonNode> losses = metrics.stream().filter(metric -> metric.has("loss")).toList();
    List<JsonNode> validations = metrics.stream().filter(m -> m.has("validation_loss")).toList();
    assertEquals(UPDATES, losses.size());
    assertTrue(
        losses.get(0).get("loss").doubleValue() < Math.log(2048) - 1, "it starts from the model");
    assertEquals(4, validations.size());
    assertTrue(
        validations.get(3).get("validation_loss").doubleValue()
            < validations.get(0).get("validation_loss").doubleValue() - 0.1);
    assertTrue(output.contains("Talk to it: ./minimind chat --model " + tuned));
    assertTrue(Files.readString(tuned.resolve("samples.txt")).contains("你是谁？|"));
    assertFalse(Files.exists(tuned.resolve("skipped.txt")), "every row can be used");
  }

  @Test
  void killedAndResumedARunEndsTheSame() throws Exception {
    killAndResume(UPDATES / 3, sft(pretrained, out, cache, RUN));
    assertEndsAs(tuned);
  }

  /** Kills a run twice. */
  private void killAndResume(int most, String... begin) throws Exception {
    Random random = new Random(Integer.getInteger("minimind.killSeed", 1));
    for (int i = 0; i < 2; i++) {
      boolean resumable = Files.exists(out.resolve("settings.json"));
      String[] args = resumable ? resume("sft", out, cache) : begin;
      try (CommandProcess running = CommandProcess.start(shared, args)) {
        running.awaitLines("Epoch:", 1 + random.nextInt(most));
        running.kill();
      }
    }
    lines(resume("sft", out, cache));
  }

  private void assertEndsAs(Path expected) throws IOException {
    assertArrayEquals(
        Files.readAllBytes(expected.resolve("model.safetensors")),
        Files.readAllBytes(out.resolve("model.safetensors")));
    assertEquals(PretrainProcessTest.metrics(expected), PretrainProcessTest.metrics(out));
  }

  @Test
  void conversationsMayShareRows() throws Exception {
    String[] options = Arrays.copyOf(RUN, RUN.length + 2);
    options[RUN.length] = "--packing";
    options[RUN.length + 1] = "--batch-size=2";
    Path whole = folder.resolve("whole");
    List<String> lines = lines(sft(pretrained, whole, cache, options));
    String end = lines.stream().filter(line -> line.startsWith("Trained")).findFirst().get();
    assertTrue(end.endsWith("% of the positions were padding."), end);
    List<JsonNode> metrics = PretrainProcessTest.metrics(whole);
    List<JsonNode> updates = metrics.stream().filter(metric -> metric.has("loss")).toList();
    for (JsonNode update : updates) {
      assertTrue(update.get("padding").doubleValue() < 0.2, update.toString());
    }
    List<JsonNode> alone = PretrainProcessTest.metrics(tuned);
    assertEquals(tokens(alone), tokens(metrics), "the same tokens are learnt");
    killAndResume(updates.size() / 3, sft(pretrained, out, cache, options));
    assertEndsAs(whole);
  }

  private static long tokens(List<JsonNode> metrics) {
    return metrics.stream().mapToLong(metric -> metric.path("tokens").longValue()).max().orElse(0);
  }

  /** The weights are as good as the same after an update of next to nothing. */
  @Test
  void validationDoesNotDependOnPacking() throws Exception {
    List<Double> losses = new ArrayList<>();
    for (String option : List.of("--batch-size=3", "--packing")) {
      Path place = folder.resolve("validated" + losses.size());
      String[] options = {
        option,
        "--learning-rate=1e-30",
        "--max-updates=1",
        "--loss=all-turns",
        "--validation=" + Commands.DATA.resolve("sft_valid.csv")
      };
      lines(sft(pretrained, place, cache, options));
      losses.add(
          PretrainProcessTest.metrics(place).stream()
              .filter(metric -> metric.has("validation_loss"))
              .findFirst()
              .get()
              .get("validation_loss")
              .doubleValue());
    }
    assertEquals(losses.get(0), losses.get(1), 1e-5);
  }

  @Test
  void rowsThatCannotBeUsedAreListed() throws Exception {
    Path data = folder.resolve("chats.csv");
    Files.writeString(
        data,
        "history,q,a\n[],一,二\n\"[['一', \",一,二\n[],一,\n[],一\n,三,四\n[],%s,二\n"
            .formatted("一".repeat(200)));
    String[] args =
        sft(pretrained, out, cache, "--data=" + data, "--loss=all-turns", "--max-updates=1");
    List<String> lines = lines(args);
    assertTrue(lines.contains(data + ": 2 rows, 38 tokens") || lines.get(0).contains(": 2 rows"));
    assertTrue(lines.contains("Rows that cannot be used: 4"), lines.toString());
    List<String> listed = Files.readAllLines(out.resolve("skipped.txt"));
    assertEquals(5, listed.size());
    assertEquals(data.toString(), listed.get(0));
    List<String> reasons =
        List.of(
            "row 2 (line 3): its history is no Python list: expected",
            "row 3 (line 4): its answer is empty.",
            "row 4 (line 5): it has 2 cells where the header has 3",
            "row 6 (line 7): none of its answers begins within the first 128 tokens.");
    for (int i = 0; i < reasons.size(); i++) {
      assertTrue(listed.get(i + 1).startsWith(reasons.get(i)), listed.get(i + 1));
    }
  }

  @Test
  void jsonIsReadToo() throws Exception {
    Path data = folder.resolve("chats.jsonl");
    Files.writeString(
        data,
        "{\"messages\":[{\"role\":\"user\",\"content\":\"一\"},"
            + "{\"role\":\"assistant\",\"content\":\"二\"}]}\n"
            + "{\"conversations\":[{\"from\":\"human\",\"value\":\"一\"},"
            + "{\"from\":\"gpt\",\"value\":\"三\"}]}\n");
    assertEquals(
        new Result(0, ""),
        Commands.run(sft(pretrained, out, cache, "--data=" + data, "--max-updates=1")));
    assertTrue(Files.readString(out.resolve("settings.json")).contains("\"samples\" : 2"));
  }

  @Test
  void mistakesAreExplained() throws IOException {
    assertSays(2, List.of("--data", "--from"), "sft", "--out=" + out);
    assertRefused(1, List.of("config.json"), "--from=" + folder);
    assertRefused(2, List.of("--max-length", "128", "129"), "--max-length=129");
    assertRefused(2, List.of("--max-length", "between 2"), "--max-length=1");
    assertRefused(2, List.of("--loss", "some", "last-answer", "all-turns"), "--loss=some");
    assertRefused(
        1,
        List.of("none of the columns", "\"history\", \"q\", \"a\""),
        "--data=" + Commands.CORPUS);
    assertSays(2, List.of("--out", "--from"), sft(pretrained, pretrained, cache));
    assertSays(1, List.of("already holds a run"), sft(pretrained, tuned, cache));
    assertSays(
        1,
        List.of("another stage", "./minimind sft --resume --out=" + tuned),
        resume("pretrain", tuned, cache));
    assertSays(
        1,
        List.of("another stage", "./minimind pretrain --resume --out=" + pretrained),
        resume("sft", pretrained, cache));

    Path model = folder.resolve("model");
    Commands.copy(pretrained, model);
    Files.delete(model.resolve("SHA256SUMS")); // The mistakes are the person's own.
    String[] args = sft(model, out, cache);
    Files.writeString(model.resolve("tokenizer_config.json"), "{}");
    assertSays(1, List.of(model + " has no chat template"), args);
    Path weights = model.resolve("model.safetensors");
    Path config = model.resolve("config.json");
    edit(config, "intermediate_size", 64);
    assertSays(1, List.of(weights.toString(), "feed_forward", "asks for float32"), args);
    edit(config, "intermediate_size", 128);
    List<NamedTensor> sound = new ArrayList<>(SafetensorsFile.open(weights).tensors());
    SafetensorsFile.write(weights, sound.subList(1, sound.size()), Map.of());
    assertSays(1, List.of(weights + " has no tensor " + sound.get(0).name()), args);
    Files.delete(weights);
    assertSays(1, List.of(weights + " is missing"), args);
    edit(config, "vocab_size", 100);
    assertSays(1, List.of(model + " mixes two models", "2048", "100"), args);
    assertFalse(Files.exists(out));
  }

  private static void edit(Path json, String field, int value) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = (ObjectNode) mapper.readTree(json.toFile());
    mapper.writeValue(json.toFile(), root.put(field, value));
  }

  @Test
  void aRunThatDoesNotSayItsStageIsPretraining() throws IOException {
    Commands.copy(pretrained, out);
    Path settings = out.resolve("settings.json");
    String text = Files.readString(settings);
    String old =
        text.replaceFirst("(?s)\"stage\" : \\{.*?\\},\\s*", "")
            .replaceFirst(",\\s*\"checksum\" : \"\\w*\"", "");
    assertFalse(old.contains("stage"));
    Files.writeString(settings, old);
    assertEquals(new Result(0, ""), Commands.run(resume(out, cache)));
  }

  @Test
  void theModelIsAskedTheOriginalsQuestions() throws Exception {
    List<String> lines = lines("eval", "chat", "--model=" + tuned, "--max-new-tokens=3");
    assertTrue(lines.get(0).startsWith("模型参数: "), lines.get(0));
    List<String> questions = lines.stream().filter(line -> line.startsWith("[Q]: ")).toList();
    assertEquals(24, questions.size());
    assertEquals("[Q]: 一星期有多少天？", questions.get(23));
    assertEquals(24, lines.stream().filter(line -> line.startsWith("[A]: ")).count());
  }

  @Test
  void questionsAreAnsweredWithWhatWasSaidBefore() throws Exception {
    Path questions = folder.resolve("questions.txt");
    Files.writeString(questions, "白婶是谁？\n\n她几点开炉？\n她几点开炉？\n");
    List<List<String>> answers = new ArrayList<>();
    for (String history : List.of("0", "1")) {
      String said =
          String.join(
              "\n",
              lines(
                  "eval",
                  "chat",
                  "--prompts=" + questions,
                  "--temperature=2",
                  "--top-k=0",
                  "--max-new-tokens=8",
                  "--history=" + history,
                  "--model=" + tuned));
      assertTrue(said.contains("[Q]: 白婶是谁？\n[A]: "), said);
      List<String> parts =
          Arrays.stream(said.split("\\[A\\]: "))
              .map(part -> part.replaceFirst("(?s)\n\n\\[Q\\]: .*", "").stripTrailing())
              .toList();
      assertEquals(4, parts.size(), said);
      answers.add(parts);
    }
    List<String> without = answers.get(0);
    List<String> with = answers.get(1);
    assertEquals(without.get(1), with.get(1), "nothing was said before");
    assertEquals(without.get(2), without.get(3), "nothing is remembered");
    assertNotEquals(without.get(2), with.get(2), "what was said before makes another text");
  }

  @Test
  void aQuestionThatHasNoRoomIsNoReasonToStopAndAFailure() throws Exception {
    Path questions = folder.resolve("questions.txt");
    Files.writeString(questions, "长".repeat(300) + "\n白婶是谁？\n");
    try (CommandProcess asked =
        CommandProcess.start(
            shared,
            "eval",
            "chat",
            "--prompts=" + questions,
            "--max-new-tokens=3",
            "--model=" + tuned)) {
      List<String> answers =
          asked.remainingLines().stream().filter(line -> line.startsWith("[A]: ")).toList();
      assertEquals(1, asked.exitStatus(), asked.err());
      assertEquals(2, answers.size());
      assertTrue(answers.get(0).startsWith("[A]: (The message has, "), answers.get(0));
      assertFalse(answers.get(1).startsWith("[A]: ("), answers.get(1));
    }
  }

  @Test
  void aModelThatComputesNoNumbersIsRefused() throws IOException {
    Path model = folder.resolve("model");
    Commands.copy(tuned, model);
    Files.delete(model.resolve("SHA256SUMS"));
    Path weights = model.resolve("model.safetensors");
    List<NamedTensor> broken = new ArrayList<>();
    for (NamedTensor tensor : SafetensorsFile.open(weights).tensors()) {
      float[] values = new float[(int) tensor.elements()];
      Arrays.fill(values, Float.NaN);
      broken.add(NamedTensor.ofFloats(tensor.name(), values, tensor.shape()));
    }
    SafetensorsFile.write(weights, broken, SafetensorsFile.open(weights).metadata());
    List<String> parts = List.of("The model in " + model + " cannot be used", "NaN");
    assertSays(1, parts, "eval", "pretrain", "--model=" + model);
    assertSays(1, parts, "eval", "chat", "--model=" + model);
    Path data = exam("id,question,A,B,C,D,answer\n0,一,1,2,3,4,A\n");
    assertSays(
        1,
        List.of("The model in " + model + " cannot be used"),
        "eval",
        "ceval",
        "--data=" + data,
        "--model=" + model);
  }

  private Path exam(String questions) throws IOException {
    Path data = folder.resolve("ceval");
    Files.createDirectories(data.resolve("val"));
    Files.createDirectories(data.resolve("dev"));
    Files.writeString(data.resolve("val/logic_val.csv"), questions);
    return data;
  }

  @Test
  void multipleChoiceIsScored() throws Exception {
    StringBuilder always = new StringBuilder("id,question,A,B,C,D,answer\n");
    for (int i = 0; i < 4; i++) {
      always.append(i).append(",白婶是谁？,\"一,二\",三,四,五,").append("ABCD".charAt(i)).append('\n');
    }
    Path data = exam(always.toString());
    Files.writeString(
        data.resolve("val/art_val.csv"),
        "id,question,A,B,C,D,answer\n0,%s,1,2,3,4,A\n".formatted("长".repeat(200)));
    Files.writeString(
        data.resolve("dev/logic_dev.csv"),
        "id,question,A,B,C,D,answer,explanation\n0,一,1,2,3,4,B,so\n1,二,1,2,3,4,C,so\n");
    List<String> lines = lines("eval", "ceval", "--data=" + data, "--model=" + tuned);
    // The same question four times, each letter right once: one is found, whichever the model
    // likes.
    assertEquals(
        List.of("logic", "4", "1", "25.0", "%"), Arrays.asList(lines.get(3).split("\\s+")));
    assertTrue(lines.get(2).startsWith("art "), lines.toString());
    assertTrue(lines.get(4).startsWith("total "), lines.toString());
    assertTrue(lines.get(5).startsWith("The beginning of 1 questions was cut"), lines.toString());

    Files.delete(data.resolve("val/art_val.csv"));
    String[] shots = {"eval", "ceval", "--data=" + data, "--model=" + tuned, "--shots=2"};
    assertEquals(
        List.of("logic", "4", "1", "25.0", "%"), Arrays.asList(lines(shots).get(2).split("\\s+")));
    shots[4] = "--shots=3";
    assertSays(1, List.of("only 2 examples of logic"), shots);
    Files.delete(data.resolve("dev/logic_dev.csv"));
    assertSays(1, List.of("There is no file", "logic_dev.csv"), shots);
  }

  @Test
  void brokenExamsAreExplained() throws Exception {
    String[] args = {"eval", "ceval", "--data=" + folder.resolve("ceval"), "--model=" + tuned};
    assertSays(1, List.of("There are no questions in", "val"), args);
    Path data = exam("id,question,A,B,C,D,answer\n0,一,1,2,3,4,A\n1,一,1,2,3,4,E\n");
    assertSays(1, List.of("Row 2 of", "logic_val.csv (line 3)", "\"E\"", "A, B, C or D"), args);
    Files.copy(data.resolve("val/logic_val.csv"), data.resolve("val/zoology_val.csv"));
    exam("id,question,A,B,C,D,answer\n0,一,1,2,3,4,A\n");
    try (CommandProcess running = CommandProcess.start(shared, args)) {
      assertEquals(List.of(), running.remainingLines(), "nothing is scored before all are read");
      assertEquals(1, running.exitStatus());
      assertTrue(running.err().contains("zoology_val.csv (line 3)"), running.err());
    }
    Files.delete(data.resolve("val/zoology_val.csv"));
    exam("id,question,A,B,C,answer\n0,一,1,2,3,A\n");
    assertSays(1, List.of("logic_val.csv has no column \"D\""), args);
    assertSays(2, List.of("--shots"), "eval", "ceval", "--data=x", "--shots=-1");
    assertSays(2, List.of("--history"), "eval", "chat", "--history=-1");
  }
}
