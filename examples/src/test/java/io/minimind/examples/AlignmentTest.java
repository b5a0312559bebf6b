package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.Folders;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Learning from single answers, and a reward model from which is learnt, by the real commands. */
@Timeout(300)
class AlignmentTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int ROWS = 40;

  @TempDir static Path shared;
  private static Path cache;
  private static Path start;
  private static Path judged;
  private static Path pairs;

  @TempDir Path folder;

  @BeforeAll
  static void writeModelAndRows() throws IOException {
    cache = shared.resolve("cache");
    start = shared.resolve("start");
    assertEquals(
        new Commands.Result(0, ""), Commands.run(Commands.pretrain(start, cache, "--epochs=1")));
    List<String> single = new ArrayList<>();
    List<String> both = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      boolean good = i % 2 == 0;
      String prompt = "\"prompt\": \"问题" + i + "是什么？\"";
      String yes = "好的，答案" + i;
      String no = "不知道" + i + "！";
      single.add(
          "{%s, \"completion\": \"%s\", \"label\": %b}".formatted(prompt, good ? yes : no, good));
      both.add("{%s, \"chosen\": \"%s\", \"rejected\": \"%s\"}".formatted(prompt, yes, no));
    }
    judged = Files.write(shared.resolve("judged.jsonl"), single);
    pairs = Files.write(shared.resolve("pairs.jsonl"), both);
  }

  /** Arguments of a new run; those given last win. */
  private static String[] command(String name, Path out, String... more) {
    List<String> args = new ArrayList<>(List.of(name, "--out=" + out, "--cache=" + cache));
    List<String> options =
        List.of(
            "--data=" + (name.equals("kto") ? judged : pairs),
            "--from=" + start,
            "--validation-fraction=0.2",
            "--epochs=2",
            "--batch-size=4",
            "--learning-rate=0.005",
            "--validate-every=4",
            "--save-every=3",
            "--log-every=1",
            "--threads=2");
    for (String option : options) {
      String key = option.substring(0, option.indexOf('=') + 1);
      if (Arrays.stream(more).noneMatch(given -> given.startsWith(key))) {
        args.add(option);
      }
    }
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  private static byte[] weights(Path out) throws IOException {
    return Files.readAllBytes(out.resolve("model.safetensors"));
  }

  private static List<JsonNode> with(String field, Path out) throws IOException {
    List<JsonNode> metrics = new ArrayList<>(PretrainProcessTest.metrics(out));
    metrics.removeIf(metric -> !metric.has(field));
    return metrics;
  }

  private static double value(JsonNode metric, String field) {
    return metric.required(field).doubleValue();
  }

  /** Kills a run as soon as it has a checkpoint, and goes on with it. */
  private void assertSameWhenKilled(String name, Path whole, String... more) throws Exception {
    Path killed = folder.resolve("killed");
    try (CommandProcess running = CommandProcess.start(folder, command(name, killed, more))) {
      running.awaitFile(killed.resolve("checkpoints"), "update-00000003");
      running.kill();
    }
    assertEquals(new Commands.Result(0, ""), Commands.run(Commands.resume(name, killed, cache)));
    assertArrayEquals(weights(whole), weights(killed));
    assertEquals(PretrainProcessTest.metrics(whole), PretrainProcessTest.metrics(killed));
  }

  @Test
  void goodAnswersAreToldFromBadOnesEachByItself() throws Exception {
    Path out = folder.resolve("kto");
    assertEquals(new Commands.Result(0, ""), Commands.run(command("kto", out)));
    List<JsonNode> updates = with("loss", out);
    assertEquals(0.5, value(updates.get(0), "loss"), 1e-4, "it starts as the reference");
    List<JsonNode> validations = with("validation_loss", out);
    JsonNode last = validations.get(validations.size() - 1);
    assertTrue(value(last, "validation_loss") < 0.48, last.toString());
    assertTrue(value(last, "reward_accuracy") > 0.8, last.toString());
    assertTrue(value(last, "signed_reward") > 0.05, last.toString());
    assertSameWhenKilled("kto", out);
  }

  @Test
  void pairsAreAGoodAndABadAnswer() throws IOException {
    Path out = folder.resolve("kto");
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run(
            command(
                "kto", out, "--pairs", "--data=" + pairs, "--good-weight=1.5", "--bad-weight=2")));
    List<JsonNode> updates = with("loss", out);
    assertEquals(0.875, value(updates.get(0), "loss"), 1e-4, "half of the mean of 1.5 and 2");
    assertTrue(value(updates.get(updates.size() - 1), "signed_reward") > 0.05, updates.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--beta=0 | Beta and the weights of good and bad answers must be numbers above 0, but are"
            + " 0.0, 1.0 and 1.0.",
        "--max-length=3 | --max-length must be between 4 and 64",
      })
  void wrongOptionsAreRefused(String option, String sentence) {
    Commands.Result result = Commands.run(command("kto", folder.resolve("out"), option));
    assertEquals(2, result.status(), result.err());
    assertTrue(result.err().contains(sentence), result.err());
  }

  @Test
  void aRewardModelIsTrainedAndLearntFrom() throws Exception {
    Path reward = folder.resolve("reward");
    try (CommandProcess training = CommandProcess.start(folder, command("reward", reward))) {
      List<String> lines = training.remainingLines();
      assertEquals(0, training.exitStatus(), training.err());
      String advice = "Learn from it: ./minimind grpo --reward model:" + reward;
      assertEquals(advice, lines.get(lines.size() - 1));
    }
    List<JsonNode> validations = with("validation_loss", reward);
    JsonNode last = validations.get(validations.size() - 1);
    assertTrue(value(last, "reward_accuracy") > 0.9, last.toString());
    assertTrue(
        SafetensorsFile.open(reward.resolve("model.safetensors")).names().contains("score.weight"));
    assertFalse(Files.exists(reward.resolve("model.onnx")), "it writes nothing");
    assertTrue(
        Files.readString(reward.resolve("config.json")).contains("ForSequenceClassification"));
    assertSameWhenKilled("reward", reward);
    Path policy = folder.resolve("grpo");
    assertEquals(new Commands.Result(0, ""), Commands.run(grpo(policy, "model:" + reward)));
    List<JsonNode> updates = with("reward", policy);
    assertTrue(
        updates.stream().map(update -> value(update, "reward")).distinct().count() > 1,
        updates.toString());
    byte[] end = weights(policy);
    Folders.delete(Commands.latest(policy));
    assertEquals(new Commands.Result(0, ""), Commands.run(Commands.resume("grpo", policy, cache)));
    assertArrayEquals(end, weights(policy), "resumed");
    assertRefusals(reward, policy);
  }

  private void assertRefusals(Path reward, Path policy) throws IOException {
    assertRefused("holds no reward model", grpo(folder.resolve("a"), "0.5*model:" + start));
    assertRefused("There is no reward model in", grpo(folder.resolve("b"), "model:" + folder));
    assertRefused(
        "it is that of a reward model",
        Commands.sft(reward, folder.resolve("c"), cache, "--max-updates=1"));
    Path other = folder.resolve("other");
    Commands.copy(reward, other);
    Path tokens = other.resolve("tokenizer.json");
    ObjectNode tokenizer = (ObjectNode) JSON.readTree(Files.readAllBytes(tokens));
    ObjectNode vocabulary = (ObjectNode) tokenizer.required("model").required("vocab");
    JsonNode a = vocabulary.required("a");
    vocabulary.set("a", vocabulary.required("b"));
    vocabulary.set("b", a);
    Files.write(tokens, JSON.writeValueAsBytes(tokenizer));
    assertRefused("has other tokens than", grpo(folder.resolve("d"), "model:" + other));
    Path weights = reward.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    Folders.delete(Commands.latest(policy));
    assertRefused(
        "no longer holds the reward model that the run began with",
        Commands.resume("grpo", policy, cache));
  }

  private static void assertRefused(String part, String... args) {
    Commands.Result result = Commands.run(args);
    assertTrue(result.status() != 0 && result.err().contains(part), result.toString());
    assertFalse(result.err().contains("\tat "), result.err());
  }

  private static String[] grpo(Path out, String reward) {
    return new String[] {
      "grpo",
      "--out=" + out,
      "--cache=" + cache,
      "--data=" + judged,
      "--from=" + start,
      "--reward=" + reward,
      "--batch-size=4",
      "--answers=3",
      "--max-new=6",
      "--max-updates=4",
      "--save-every=1",
      "--learning-rate=0.005",
      "--threads=2"
    };
  }
}
