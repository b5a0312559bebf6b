package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.Folders;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Preference tuning of a model that has hardly learnt anything, by the real command. */
@Timeout(300)
class PreferenceTuneTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path LOCKS = Path.of("/proc/locks");
  private static final int PAIRS = 40;
  private static final int HELD_OUT = 8;

  /** Two epochs of eight batches. */
  private static final int UPDATES = 16;

  @TempDir static Path shared;
  private static Path cache;
  private static Path start;
  private static Path pairs;
  private static Path whole;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    cache = shared.resolve("cache");
    start = shared.resolve("start");
    assertEquals(
        new Commands.Result(0, ""), Commands.run(Commands.pretrain(start, cache, "--epochs=1")));
    pairs = shared.resolve("pairs.json");
    writePairs(pairs);
    whole = shared.resolve("whole");
    assertEquals(new Commands.Result(0, ""), Commands.run(dpo(whole, "--keep=100")));
  }

  /** The chosen answer is always the same in kind, so that it can be learnt from few pairs. */
  private static void writePairs(Path file) throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (int i = 0; i < PAIRS; i++) {
      ObjectNode row = JSON.createObjectNode().put("prompt", "问题" + i + "是什么？");
      rows.add(row.put("chosen", "好的，答案" + i).put("rejected", "不知道" + i + "！"));
    }
    Files.writeString(file, JSON.writeValueAsString(rows));
  }

  /** Arguments of a new run; those given last win. */
  private static String[] dpo(Path out, String... more) {
    List<String> args = new ArrayList<>(List.of("dpo", "--out=" + out));
    List<String> options =
        List.of(
            "--cache=" + cache,
            "--data=" + pairs,
            "--from=" + start,
            "--validation-fraction=0.2",
            "--epochs=2",
            "--batch-size=4",
            "--learning-rate=0.005",
            "--validate-every=4",
            "--save-every=3",
            "--threads=2");
    for (String option : options) {
      String name = option.substring(0, option.indexOf('=') + 1);
      if (Arrays.stream(more).noneMatch(given -> given.startsWith(name))) {
        args.add(option);
      }
    }
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  private static Commands.Result resume(Path out) {
    return Commands.run("dpo", "--resume", "--out=" + out, "--cache=" + cache, "--threads=2");
  }

  private static List<JsonNode> metrics(Path out, String field) throws IOException {
    List<JsonNode> metrics = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
      ObjectNode metric = (ObjectNode) JSON.readTree(line);
      if (metric.has(field)) {
        metrics.add(
            metric.without(List.of("seconds", "tokens_per_second", "positions_per_second")));
      }
    }
    return metrics;
  }

  private static double value(JsonNode metric, String field) {
    return metric.required(field).doubleValue();
  }

  @Test
  void theModelComesToPreferTheChosenAnswers() throws IOException {
    List<JsonNode> updates = metrics(whole, "loss");
    assertEquals(UPDATES, updates.size());
    JsonNode first = updates.get(0);
    assertEquals(Math.log(2), value(first, "loss"), 1e-4, "it starts as the reference");
    assertEquals(0, value(first, "reward_margin"), 1e-4);
    JsonNode last = updates.get(UPDATES - 1);
    assertTrue(value(last, "reward_margin") > 0.2, last.toString());
    assertTrue(value(last, "loss") < 0.6, last.toString());
    List<JsonNode> validations = metrics(whole, "validation_loss");
    assertEquals(UPDATES / 4, validations.size());
    JsonNode heldOut = validations.get(validations.size() - 1);
    assertTrue(value(heldOut, "reward_accuracy") > 0.9, heldOut.toString());
    assertTrue(value(heldOut, "reward_margin") > 0.2, heldOut.toString());
    // Shares of the held-out pairs, although these do not fill their last batch.
    double won = value(heldOut, "reward_accuracy") * HELD_OUT;
    assertEquals(Math.rint(won), won, 1e-5);
    assertFalse(heldOut.has("perplexity"), "the loss is no cross entropy");
    assertTrue(value(heldOut, "chosen_log_probability") < 0);
    assertTrue(Files.exists(whole.resolve("model.onnx")));
  }

  @ParameterizedTest
  @CsvSource({"ipo", "hinge"})
  void otherVariantsLearnToo(String variant) throws IOException {
    Path out = folder.resolve(variant);
    assertEquals(
        new Commands.Result(0, ""), Commands.run(dpo(out, "--variant=" + variant, "--beta=0.5")));
    List<JsonNode> updates = metrics(out, "loss");
    // With equal models every margin is 0.
    assertEquals(1, value(updates.get(0), "loss"), 1e-4);
    assertTrue(value(updates.get(UPDATES - 1), "loss") < 0.9);
    assertTrue(value(updates.get(UPDATES - 1), "reward_margin") > 0.2);
  }

  @ParameterizedTest
  @CsvSource({"simpo", "orpo"})
  void variantsWithoutAReferenceComputeNone(String variant) throws IOException {
    Path out = folder.resolve(variant);
    Path own = folder.resolve("cache");
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run(dpo(out, "--variant=" + variant, "--cache=" + own)));
    List<JsonNode> updates = metrics(out, "loss");
    assertTrue(
        value(updates.get(UPDATES - 1), "loss") < 0.9 * value(updates.get(0), "loss"),
        updates.toString());
    try (Stream<Path> files = Files.walk(own)) {
      assertTrue(files.noneMatch(file -> file.getFileName().toString().startsWith("reference")));
    }
  }

  /** What both have in common cancels out, so conversations teach what their answers do. */
  @Test
  void wholeConversationsTeachAsTheirAnswersDo() throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (JsonNode pair : JSON.readTree(pairs.toFile())) {
      ObjectNode row = JSON.createObjectNode();
      for (String side : List.of("chosen", "rejected")) {
        row.putArray(side)
            .add(message("user", "先问一句"))
            .add(message("assistant", "好"))
            .add(message("user", pair.get("prompt").textValue()))
            .add(message("assistant", pair.get(side).textValue()));
      }
      rows.add(row);
    }
    Path talks = folder.resolve("talks.json");
    Files.writeString(talks, JSON.writeValueAsString(rows));
    Path out = folder.resolve("talks");
    assertEquals(
        new Commands.Result(0, ""), Commands.run(dpo(out, "--loss=all-turns", "--data=" + talks)));
    List<JsonNode> updates = metrics(out, "loss");
    assertEquals(Math.log(2), value(updates.get(0), "loss"), 1e-4, "it starts as the reference");
    assertTrue(value(updates.get(UPDATES - 1), "reward_margin") > 0.2);
    byte[] end = weights(out);
    Folders.delete(Commands.latest(out));
    assertEquals(new Commands.Result(0, ""), resume(out));
    assertArrayEquals(end, weights(out), "resumed");
  }

  private static ObjectNode message(String role, String content) {
    return JSON.createObjectNode().put("role", role).put("content", content);
  }

  @Test
  void aRunThatDiedGoesOnToTheSameWeights() throws IOException {
    Path out = folder.resolve("died");
    for (int update : new int[] {0, 9}) {
      dieAfter(update, out);
      assertEquals(new Commands.Result(0, ""), resume(out));
      assertArrayEquals(weights(whole), weights(out), "after update " + update);
      assertEquals(metrics(whole, "update"), metrics(out, "update"));
    }
  }

  @Test
  void adaptersLearnWhileTheWeightsStayAndAreMergedIntoTheModel() throws Exception {
    Path out = folder.resolve("lora");
    String[] run = dpo(out, "--lora-rank=4", "--lora-targets=wq,w2", "--learning-rate=0.05");
    try (CommandProcess training = CommandProcess.start(folder, run)) {
      List<String> lines = training.remainingLines();
      assertEquals(0, training.exitStatus(), training.err());
      // 4 · (32 + 32) for wq, and for w2 4 · (128 + 32).
      assertTrue(lines.contains("LoRA参数量：0.001 百万"), lines.toString());
    }
    List<JsonNode> updates = metrics(out, "loss");
    assertEquals(Math.log(2), value(updates.get(0), "loss"), 1e-4);
    assertTrue(value(updates.get(UPDATES - 1), "reward_margin") > 0.1);
    SafetensorsFile adapter = SafetensorsFile.open(out.resolve("adapter.safetensors"));
    assertEquals(4, adapter.names().size(), adapter.names().toString());
    SafetensorsFile before = SafetensorsFile.open(start.resolve("model.safetensors"));
    SafetensorsFile after = SafetensorsFile.open(out.resolve("model.safetensors"));
    for (NamedTensor weight : before.tensors()) {
      boolean adapted = weight.name().matches(".*\\.(wq|w2)\\.weight");
      assertEquals(
          !adapted, weight.equals(after.tensor(weight.name()).orElseThrow()), weight.name());
    }
    byte[] end = weights(out);
    try (Stream<Path> checkpoints = Files.list(out.resolve("checkpoints"))) {
      Folders.delete(checkpoints.max(Path::compareTo).orElseThrow());
    }
    assertEquals(new Commands.Result(0, ""), resume(out));
    assertArrayEquals(end, weights(out), "resumed");
  }

  @Test
  void anAdapterIsTrainedOnBesideTheModelThatItWasTrainedOn() throws IOException {
    Path first = folder.resolve("first");
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run(dpo(first, "--lora-rank=4", "--lora-targets=wq,w2", "--learning-rate=0.05")));
    double reached = value(metrics(first, "loss").get(UPDATES - 1), "loss");
    Path out = folder.resolve("on");
    String[] on = dpo(out, "--lora-adapter=" + first, "--max-updates=2", "--learning-rate=1e-6");
    assertEquals(new Commands.Result(0, ""), Commands.run(on));
    assertTrue(value(metrics(out, "loss").get(0), "loss") < reached + 0.1);
    // It goes on from there: at this rate the merged model is still nearly the other's.
    SafetensorsFile before = SafetensorsFile.open(first.resolve("model.safetensors"));
    SafetensorsFile after = SafetensorsFile.open(out.resolve("model.safetensors"));
    boolean moved = false;
    for (NamedTensor weight : before.tensors()) {
      float[] old = StreamedTensor.of(weight).load();
      float[] now = StreamedTensor.of(after.tensor(weight.name()).orElseThrow()).load();
      assertArrayEquals(old, now, 1e-4f, weight.name());
      moved |= !Arrays.equals(old, now);
    }
    assertTrue(moved);
    Commands.Result twice = Commands.run(dpo(out, "--lora-adapter=" + first, "--lora-rank=4"));
    assertEquals(2, twice.status());
    assertTrue(twice.err().contains("--lora-adapter brings its rank"), twice.err());
    Commands.Result merged =
        Commands.run(dpo(folder.resolve("x"), "--from=" + first, "--lora-adapter=" + first));
    assertEquals(2, merged.status());
    assertTrue(merged.err().contains("has its adapter merged already"), merged.err());
    Commands.Result none = Commands.run(dpo(folder.resolve("x"), "--lora-adapter=" + whole));
    assertEquals(1, none.status());
    assertTrue(none.err().contains("holds no adapter"), none.err());
  }

  /** What a process leaves that is killed some time after a checkpoint. */
  private static void dieAfter(int update, Path out) throws IOException {
    if (Files.exists(out)) {
      Folders.delete(out);
    }
    Commands.copy(whole, out);
    try (Stream<Path> checkpoints = Files.list(out.resolve("checkpoints"))) {
      for (Path checkpoint : checkpoints.toList()) {
        String name = checkpoint.getFileName().toString();
        if (Integer.parseInt(name.replaceAll("\\D+", "")) > update) {
          Folders.delete(checkpoint);
        }
      }
    }
  }

  private static byte[] weights(Path out) throws IOException {
    return Files.readAllBytes(out.resolve("model.safetensors"));
  }

  private static Path reference() throws IOException {
    try (Stream<Path> files = Files.walk(cache)) {
      return files
          .filter(file -> file.toString().matches(".*pairs\\.json-\\w+.reference-\\w+"))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void theReferenceIsKeptAndComputedAgainIfItIsLost() throws IOException {
    Path file = reference();
    byte[] kept = Files.readAllBytes(file);
    assertEquals(2 * PAIRS * Float.BYTES + Integer.BYTES, kept.length);
    Path out = folder.resolve("died");
    Files.write(file, new byte[kept.length]);
    dieAfter(9, out);
    assertEquals(new Commands.Result(0, ""), resume(out), "a damaged file");
    assertArrayEquals(kept, Files.readAllBytes(file));
    assertArrayEquals(weights(whole), weights(out));
    Object key = Files.readAttributes(file, "*").get("fileKey");
    dieAfter(9, out);
    assertEquals(new Commands.Result(0, ""), resume(out));
    assertEquals(key, Files.readAttributes(file, "*").get("fileKey"), "not written again");
    Path weights = start.resolve("model.safetensors");
    byte[] before = Files.readAllBytes(weights);
    byte[] after = before.clone();
    after[after.length - 1] ^= 1;
    try {
      Files.write(weights, after);
      Files.delete(file);
      dieAfter(9, out);
      Commands.Result refused = resume(out);
      assertEquals(1, refused.status());
      assertTrue(
          refused.err().contains(start + " no longer holds the model that the run started from"),
          refused.err());
      assertTrue(refused.err().contains("are not in " + file.getParent()), refused.err());
      Files.delete(weights);
      assertEquals(refused, resume(out), "the model is gone");
    } finally {
      Files.write(weights, before);
      Files.write(file, kept);
    }
  }

  private static boolean waitsForALock(Process process) throws IOException {
    String waiting = ".* -> .* " + process.pid() + " .*";
    return Files.readAllLines(LOCKS).stream().anyMatch(line -> line.matches(waiting));
  }

  @Test
  void aRunWaitsForTheReferenceThatAnotherComputes() throws Exception {
    Assumptions.assumeTrue(Files.exists(LOCKS), "only Linux tells who waits for a lock");
    Path file = reference();
    byte[] kept = Files.readAllBytes(file);
    Path left = file.resolveSibling("unfinished-reference");
    Files.createDirectory(left);
    Files.write(left.resolve("checkpoint"), kept);
    FileChannel lock = FileChannel.open(file.resolveSibling(".lock"), StandardOpenOption.WRITE);
    try {
      lock.lock();
      Files.delete(file);
      try (CommandProcess waiting =
          CommandProcess.start(folder, dpo(folder.resolve("waits"), "--max-updates=1"))) {
        while (waiting.process.isAlive() && !waitsForALock(waiting.process)) {
          Thread.yield();
        }
        assertFalse(Files.exists(file), "nothing is computed while the lock is held");
        Files.write(file, kept);
        Object key = Files.readAttributes(file, "*").get("fileKey");
        lock.close();
        waiting.remainingLines();
        assertEquals(0, waiting.exitStatus(), waiting.err());
        assertEquals(key, Files.readAttributes(file, "*").get("fileKey"), "not computed again");
        assertFalse(Files.exists(left), "what a killed process left is gone");
      }
    } finally {
      lock.close();
      Files.write(file, kept);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--beta=0 | Beta must be a number above 0, but is 0.0.",
        "--label-smoothing=0.5 | The label smoothing must be at least 0 and less than 0.5, but is"
            + " 0.5.",
        "--lora-rank=-1 | The LoRA rank must be at least 1, but is -1.",
        "--lora-rank=0 | The LoRA rank must be at least 1, but is 0.",
        "--lora-alpha=16 | --lora-alpha and --lora-targets say nothing without a --lora-rank",
        "--lora-targets=wq | --lora-alpha and --lora-targets say nothing without a --lora-rank",
        "--max-length=65 | --max-length must be between 4 and 64, the length of the model in",
        "--variant=kto | --variant cannot be \"kto\": expected"
      })
  void wrongOptionsAreRefused(String option, String sentence) {
    Commands.Result result = Commands.run(dpo(folder.resolve("out"), option));
    assertEquals(2, result.status());
    assertTrue(result.err().contains(sentence), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
  }

  @Test
  void rowsThatCannotBeUsedAreListed() throws IOException {
    Path data = folder.resolve("mixed.json");
    Files.writeString(
        data, Files.readString(pairs).replaceFirst("\\[", "[{\"prompt\":\"Q\",\"chosen\":\"A\"},"));
    Path out = folder.resolve("out");
    assertEquals(0, Commands.run(dpo(out, "--data=" + data, "--max-updates=1")).status());
    List<String> skipped = Files.readAllLines(out.resolve("skipped.txt"));
    assertTrue(skipped.get(1).startsWith("row 1 (line 1): it has no "), skipped.toString());
    Path none = folder.resolve("none.json");
    Files.writeString(none, "[{\"prompt\":\"Q\",\"chosen\":\"A\",\"rejected\":\"A\"}]");
    Commands.Result result = Commands.run(dpo(folder.resolve("none"), "--data=" + none));
    assertEquals(1, result.status());
    assertTrue(result.err().contains("None of the 1 rows"), result.err());
    assertTrue(result.err().contains("its answers are the same."), result.err());
  }
}
