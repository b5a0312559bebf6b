package io.minimind.examples;

import static io.minimind.examples.Commands.contents;
import static io.minimind.examples.Commands.pretrain;
import static io.minimind.examples.Commands.resume;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.examples.Commands.Result;
import io.minimind.files.FolderLock;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Commands in processes of their own. {@code -Dminimind.kills=10} kills a run ten times instead of
 * three, {@code -Dminimind.killSeed=7} at other moments.
 */
@Timeout(300)
class PretrainProcessTest {

  private static final String[] RUN = {
    "--epochs=12", "--save-every=5", "--validate-every=7", "--validation-fraction=0.1"
  };
  private static final int UPDATES = 12 * 7;

  @TempDir static Path shared;
  private static Path cache;

  /** A run that nothing disturbed. */
  private static Path whole;

  private static List<String> wholeOutput;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws Exception {
    cache = shared.resolve("cache");
    whole = shared.resolve("whole");
    try (CommandProcess running = CommandProcess.start(shared, pretrain(whole, cache, RUN))) {
      wholeOutput = running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
    }
  }

  private static void finish(Path out) throws Exception {
    try (CommandProcess running = CommandProcess.start(shared, resume(out, cache))) {
      List<String> lines = running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
      assertTrue(lines.contains("Let it write: ./minimind eval pretrain --model " + out));
    }
  }

  /** A disturbed run ended like the one that nothing disturbed. */
  private static void assertSameAsWhole(Path out) throws IOException {
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(out.resolve("model.safetensors")),
        "weights");
    assertEquals(metrics(whole), metrics(out));
    assertEquals(names(whole), names(out), "nothing is left over");
  }

  static TreeSet<String> names(Path out) throws IOException {
    TreeSet<String> names = new TreeSet<>();
    contents(out).keySet().forEach(file -> names.add(file.toString()));
    return names;
  }

  /** All metrics but the times. */
  static List<JsonNode> metrics(Path out) throws IOException {
    List<JsonNode> metrics = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
      ObjectNode metric = (ObjectNode) new ObjectMapper().readTree(line);
      metrics.add(metric.without(List.of("seconds", "tokens_per_second", "positions_per_second")));
    }
    return metrics;
  }

  @Test
  void aRunLearnsReportsAndLeavesAModel() throws IOException {
    assertTrue(wholeOutput.contains("LLM总参数量：0.081 百万"), wholeOutput.toString());
    List<String> log = wholeOutput.stream().filter(line -> line.startsWith("Epoch:")).toList();
    assertEquals(UPDATES, log.size());
    for (String line : log) {
      assertTrue(
          line.matches(
              "Epoch:\\[\\d+/12\\]\\(\\d+/14\\) loss:\\d+\\.\\d{3} lr:0\\.\\d{7}"
                  + " epoch_Time:\\d+\\.\\dmin: \\d+ tokens/s"),
          line);
    }
    List<Double> losses = new ArrayList<>();
    List<Double> validation = new ArrayList<>();
    for (JsonNode metric : metrics(whole)) {
      if (metric.has("loss")) {
        losses.add(metric.get("loss").doubleValue());
      } else {
        validation.add(metric.get("validation_loss").doubleValue());
      }
    }
    assertEquals(UPDATES, losses.size());
    assertEquals((UPDATES + 6) / 7, validation.size());
    double start = losses.get(0);
    assertEquals(Math.log(2048), start, 0.2);
    assertTrue(losses.subList(UPDATES - 7, UPDATES).stream().allMatch(loss -> loss < start - 2));
    assertTrue(validation.get(validation.size() - 1) < validation.get(0) - 0.3);
    assertTrue(
        names(whole)
            .containsAll(
                List.of(
                    "config.json",
                    "generation_config.json",
                    "loss.svg",
                    "metrics.jsonl",
                    "model.onnx",
                    "model.safetensors",
                    "settings.json",
                    "tokenizer.json")));
  }

  @Test
  void evaluationContinuesThePrompts() throws Exception {
    Path prompts = folder.resolve("prompts.txt");
    Files.writeString(prompts, "云港的河叫白鹭河，\n\nAunt Bai\n");
    List<String> texts = List.of("云港的河叫白鹭河，", "Aunt Bai");
    double parameters = 0;
    for (NamedTensor tensor : SafetensorsFile.open(whole.resolve("model.safetensors")).tensors()) {
      parameters += tensor.elements();
    }
    List<List<String>> answers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      try (CommandProcess running =
          CommandProcess.start(
              shared, "eval", "pretrain", "--model=" + whole, "--prompts=" + prompts, "--seed=5")) {
        List<String> lines = running.remainingLines();
        assertEquals(0, running.exitStatus(), running.err());
        String millions = "%.6f".formatted(parameters / 1e6);
        String billions = "%.9f".formatted(parameters / 1e9);
        assertEquals("模型参数: %s 百万 = %s B (Billion)".formatted(millions, billions), lines.get(0));
        assertEquals(
            texts.stream().map(text -> "问题： " + text).toList(),
            lines.stream().filter(line -> line.startsWith("问题： ")).toList());
        List<String> answer = lines.stream().filter(line -> line.startsWith("回答： ")).toList();
        assertEquals(2, answer.size());
        answers.add(answer);
      }
    }
    assertEquals(answers.get(0), answers.get(1), "equal seeds draw equal texts");
    assertTrue(answers.get(0).stream().anyMatch(answer -> answer.length() > "回答： ".length()));
  }

  @Test
  void withoutPromptsEvaluationAsksTheOriginalsFourteen() throws Exception {
    try (CommandProcess running =
        CommandProcess.start(
            shared, "eval", "pretrain", "--model=" + whole, "--max-new-tokens=2")) {
      List<String> lines = running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
      List<String> questions = lines.stream().filter(line -> line.startsWith("问题： ")).toList();
      assertEquals(14, questions.size());
      assertEquals("问题： 椭圆和圆的区别", questions.get(0));
    }
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  @DisabledOnOs(OS.WINDOWS)
  void aSignalSavesAndSaysHowToGoOn(String signal, int status) throws Exception {
    Assumptions.assumeFalse(
        signal.equals("INT") && interruptIsIgnored(),
        "started where Ctrl-C is ignored, which processes inherit");
    Path out = folder.resolve("out");
    String advice = "Go on with: ./minimind ";
    String[] resume;
    try (CommandProcess running = CommandProcess.start(shared, pretrain(out, cache, RUN))) {
      running.awaitLines("Epoch:", 23);
      running.signal(signal);
      List<String> lines = running.remainingLines();
      assertEquals(status, running.exitStatus(), running.err());
      assertEquals("\nSaving, one moment …\n", running.err());
      List<String> advices = lines.stream().filter(line -> line.startsWith(advice)).toList();
      assertEquals(1, advices.size(), lines.toString());
      resume = advices.get(0).substring(advice.length()).split(" ");
      int logged = 23 + (int) lines.stream().filter(line -> line.startsWith("Epoch:")).count();
      String update = "update-%08d".formatted(logged);
      assertTrue(Files.exists(out.resolve("checkpoints").resolve(update)), "saved where it was");
    }
    try (CommandProcess running = CommandProcess.start(shared, resume)) {
      running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
    }
    assertEquals(metrics(whole), metrics(out));
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(out.resolve("model.safetensors")));
  }

  private static boolean interruptIsIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("SigIgn:")) {
        return (Long.parseUnsignedLong(line.substring(7).strip(), 16) >> 1 & 1) == 1;
      }
    }
    return false;
  }

  /** A run that would not end by itself has its folder until it is killed. */
  @Test
  void nobodyElseWritesToTheFolderOfARun() throws Exception {
    Path out = folder.resolve("out");
    String[] endless = pretrain(out, cache, "--epochs=1000000");
    try (CommandProcess running = CommandProcess.start(shared, endless)) {
      running.awaitLines("Epoch:", 1);
      assertTrue(running.process.isAlive(), running.err());
      Result refused = Commands.run(resume(out, cache));
      assertEquals(1, refused.status());
      assertTrue(refused.err().startsWith("Another run is writing to " + out), refused.err());
      assertEquals(1, refused.err().lines().count(), refused.err());
      running.kill();
    }
    FolderLock.acquire(out).close();
  }

  @Test
  void aFolderInWhichARunBeginsIsLeftAlone() throws Exception {
    Path out = folder.resolve("out");
    FolderLock lock = FolderLock.acquire(out);
    // Failing to get it twice must not give it up.
    assertThrows(IOException.class, () -> FolderLock.acquire(out));
    try (CommandProcess running = CommandProcess.start(shared, pretrain(out, cache, RUN))) {
      running.remainingLines();
      assertEquals(1, running.exitStatus());
      assertTrue(running.err().startsWith("Another run is writing to " + out), running.err());
    }
    assertEquals(Set.of(Path.of(FolderLock.FILE)), contents(out).keySet());
    lock.close();
    assertEquals(0, Commands.run(pretrain(out, cache, "--max-updates=1")).status());
  }

  @Test
  void aRunThatWaitsForTheCorpusOfAnotherSaysSo() throws Exception {
    Path shards = Files.createDirectory(folder.resolve("cache"));
    FileChannel lock =
        FileChannel.open(
            shards.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    lock.lock();
    String[] run = pretrain(folder.resolve("out"), shards, "--max-updates=1");
    try (CommandProcess waiting = CommandProcess.start(shared, run)) {
      while (waiting.process.isAlive() && waiting.err().isEmpty()) {
        Thread.yield();
      }
      lock.close();
      waiting.remainingLines();
      assertEquals(0, waiting.exitStatus());
      assertEquals("Waiting for another run to encode its corpus …\n", waiting.err());
    } finally {
      lock.close();
    }
  }

  /** Whether the processor has instructions for it or not; and {@code auto} keeps what it chose. */
  @Test
  void killedARunInBfloat16EndsTheSame() throws Exception {
    String[] run = {"--epochs=3", "--save-every=5", "--precision=bf16"};
    Path undisturbed = folder.resolve("undisturbed");
    try (CommandProcess running = CommandProcess.start(shared, pretrain(undisturbed, cache, run))) {
      List<String> lines = running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
      String said = Device.CPU.kernels(TrainingPrecision.BFLOAT16);
      assertTrue(said.contains("bf16"), said);
      assertTrue(lines.stream().anyMatch(line -> line.endsWith(said)), lines.toString());
    }
    Path out = folder.resolve("out");
    try (CommandProcess running = CommandProcess.start(shared, pretrain(out, cache, run))) {
      running.awaitLines("Epoch:", 12);
      running.kill();
    }
    assertTrue(Files.exists(out.resolve("checkpoints").resolve("update-00000010")));
    assertFalse(Files.exists(out.resolve("loss.svg")), "it had ended");
    run[2] = "--precision=float32";
    Result refused =
        Commands.run(pretrain(out, cache, run[0], run[1], run[2], "--resume-or-begin"));
    assertTrue(
        refused.err().contains("precision was \"BFLOAT16\", and is \"FLOAT32\""), refused.err());
    run[2] = "--precision=auto";
    assertEquals(
        new Result(0, ""),
        Commands.run(pretrain(out, cache, run[0], run[1], run[2], "--resume-or-begin")));
    assertArrayEquals(
        Files.readAllBytes(undisturbed.resolve("model.safetensors")),
        Files.readAllBytes(out.resolve("model.safetensors")));
    assertEquals(metrics(undisturbed), metrics(out));
  }

  @Test
  void theFastestPrecisionIsFloat32UnlessTheProcessorHasInstructions() throws Exception {
    Path out = folder.resolve("out");
    Commands.run(pretrain(out, cache, "--max-updates=1", "--precision=auto"));
    JsonNode settings = new ObjectMapper().readTree(out.resolve("settings.json").toFile());
    assertEquals(Device.CPU.fastestPrecision().name(), settings.get("precision").textValue());
    Result wrong = Commands.run(pretrain(folder.resolve("wrong"), cache, "--precision=half"));
    assertEquals(2, wrong.status());
    assertTrue(
        wrong.err().contains("--precision cannot be \"half\": expected float32"), wrong.err());
  }

  @Test
  void killedAtRandomMomentsARunEndsTheSame() throws Exception {
    Path out = folder.resolve("out");
    Path checkpoints = out.resolve("checkpoints");
    Random random = new Random(Integer.getInteger("minimind.killSeed", 1));
    int kills = Integer.getInteger("minimind.kills", 3);
    for (int i = 0; i < kills; i++) {
      boolean resumable = Files.exists(out.resolve("settings.json"));
      String[] args = resumable ? resume(out, cache) : pretrain(out, cache, RUN);
      try (CommandProcess running = CommandProcess.start(shared, args)) {
        // Anywhere in so many updates, and then rather where files are being written.
        running.awaitLines("Epoch:", random.nextInt(2 * UPDATES / kills));
        String moment =
            switch (random.nextInt(4)) {
              case 0 -> {
                running.awaitFile(checkpoints, "unfinished-");
                yield "while a checkpoint was written";
              }
              case 1 -> {
                running.awaitFile(out, ".tmp");
                yield "while the model was written";
              }
              default -> "while it trained";
            };
        boolean alive = running.process.isAlive();
        running.kill();
        System.out.printf(
            Locale.ROOT, "%s %s, with %s%n", alive ? "killed" : "ended", moment, names(out));
      }
    }
    if (!Files.exists(out.resolve("settings.json"))) {
      assertFalse(Files.exists(out.resolve("metrics.jsonl")), "nothing was trained yet");
      assertEquals(0, Commands.run(pretrain(out, cache, RUN)).status());
    }
    finish(out);
    assertSameAsWhole(out);
  }
}
