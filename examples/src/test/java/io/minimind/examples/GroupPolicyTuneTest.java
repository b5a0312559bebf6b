package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.policy.Answer;
import io.minimind.policy.Reward;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Learning from rewards, by the real command. */
@Timeout(300)
class GroupPolicyTuneTest {

  /** Two epochs of four batches. */
  private static final int UPDATES = 8;

  /** At least as many as a run that is killed makes. */
  private static final int KILLED_UPDATES = 24;

  @TempDir static Path shared;
  private static Path cache;
  private static Path start;
  private static Path prompts;

  @TempDir Path folder;

  @BeforeAll
  static void writeModelAndPrompts() throws IOException {
    cache = shared.resolve("cache");
    start = shared.resolve("start");
    assertEquals(
        new Commands.Result(0, ""), Commands.run(Commands.pretrain(start, cache, "--epochs=1")));
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      rows.add(
          "{\"messages\": [{\"role\": \"user\", \"content\": \"%d 加 1 是多少？\"},".formatted(i)
              + "{\"role\": \"assistant\", \"content\": \"不知道\"}], \"gt\": %d}".formatted(i + 1));
    }
    prompts = Files.write(shared.resolve("prompts.jsonl"), rows);
  }

  /** Arguments of a new run; those given last win. */
  private static String[] grpo(Path out, String... more) {
    List<String> args = new ArrayList<>(List.of("grpo", "--out=" + out, "--cache=" + cache));
    List<String> options =
        List.of(
            "--data=" + prompts,
            "--from=" + start,
            "--epochs=2",
            "--batch-size=2",
            "--answers=3",
            "--max-new=6",
            "--learning-rate=0.005",
            "--save-every=2",
            "--log-every=1",
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

  @Test
  void aRunThatIsKilledGoesOnToTheSameWeightsAndShowsWhatItLearns() throws Exception {
    String[] rewards = {"--reward=number", "--reward=0.1*rules", "--prompts=" + questions()};
    Path whole = folder.resolve("whole");
    try (CommandProcess training = CommandProcess.start(folder, grpo(whole, rewards))) {
      List<String> lines = training.remainingLines();
      assertEquals(0, training.exitStatus(), training.err());
      List<String> log = lines.stream().filter(line -> line.startsWith("Epoch:")).toList();
      assertEquals(UPDATES, log.size());
      for (String line : log) {
        assertTrue(line.matches(".* reward -?[\\d.]+ answer length [\\d.]+ kl [\\d.]+"), line);
      }
      assertTrue(lines.stream().anyMatch(line -> line.startsWith("  今天|")), lines.toString());
    }
    Path killed = folder.resolve("killed");
    try (CommandProcess training = CommandProcess.start(folder, grpo(killed, rewards))) {
      training.awaitFile(killed.resolve("checkpoints"), "update-00000004");
      training.kill();
    }
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run("grpo", "--resume", "--out=" + killed, "--cache=" + cache, "--threads=2"));
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(killed.resolve("model.safetensors")));
    assertEquals(UPDATES, Files.readAllLines(killed.resolve("rollouts.jsonl")).size());
  }

  @Test
  void aCriticLearnsBesideByTheCommandForIt() throws IOException {
    Path out = folder.resolve("ppo");
    String[] args = {
      "ppo",
      "--out=" + out,
      "--cache=" + cache,
      "--data=" + prompts,
      "--from=" + start,
      "--reward=length",
      "--batch-size=4",
      "--max-new=6",
      "--max-prompt=20",
      "--learning-rate=0.001",
      "--critic-rate=0.002",
      "--passes=3",
      "--threads=2"
    };
    assertEquals(new Commands.Result(0, ""), Commands.run(args));
    List<String> metrics = Files.readAllLines(out.resolve("metrics.jsonl"));
    // Two batches of prompts, each in three passes of two mini-batches.
    assertEquals(12, metrics.size());
    String settings = Files.readString(out.resolve("settings.json"));
    assertTrue(settings.contains("\"criticRate\" : 0.002"), settings);
    assertTrue(settings.contains("\"maxPromptTokens\" : 20"), settings);
    assertTrue(metrics.stream().allMatch(line -> line.contains("value_loss")));
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run("ppo", "--resume", "--out=" + out, "--cache=" + cache, "--threads=2"));
    Commands.Result refused = Commands.run(args);
    assertEquals(1, refused.status());
    assertTrue(refused.err().contains("already holds a run"), refused.err());
  }

  /** Anywhere in a run, and then rather where files are being written. */
  @ParameterizedTest
  @CsvSource({"grpo", "ppo"})
  void killedAtRandomMomentsARunEndsTheSame(String name) throws Exception {
    Path whole = folder.resolve("whole");
    assertEquals(new Commands.Result(0, ""), Commands.run(killed(name, whole)));
    Path out = folder.resolve("killed");
    Random random = new Random(Integer.getInteger("minimind.killSeed", 1));
    int kills = Integer.getInteger("minimind.kills", 2);
    for (int i = 0; i < kills; i++) {
      boolean begun = Files.exists(out.resolve("settings.json"));
      String[] args = begun ? Commands.resume(name, out, cache) : killed(name, out);
      try (CommandProcess running = CommandProcess.start(folder, args)) {
        running.awaitLines("Epoch:", random.nextInt(2 * KILLED_UPDATES / kills));
        switch (random.nextInt(4)) {
          case 0 -> running.awaitFile(out.resolve("checkpoints"), "unfinished-");
          case 1 -> running.awaitFile(out, ".tmp");
          default -> Thread.sleep(random.nextInt(50));
        }
        System.out.printf("%s killed: %b%n", name, running.process.isAlive());
        running.kill();
      }
    }
    String[] last =
        Files.exists(out.resolve("settings.json"))
            ? Commands.resume(name, out, cache)
            : killed(name, out);
    assertEquals(new Commands.Result(0, ""), Commands.run(last));
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(out.resolve("model.safetensors")));
    assertEquals(PretrainProcessTest.metrics(whole), PretrainProcessTest.metrics(out));
    assertEquals(
        Files.readAllLines(whole.resolve("rollouts.jsonl")),
        Files.readAllLines(out.resolve("rollouts.jsonl")));
  }

  private static String[] killed(String name, Path out) {
    String[] args = grpo(out, "--epochs=6", "--reward=0.1*rules", "--validation=" + prompts);
    List<String> changed = new ArrayList<>(List.of(args));
    changed.add("--validate-every=5");
    changed.set(0, name);
    if (name.equals("ppo")) {
      changed.removeIf(option -> option.startsWith("--answers="));
      changed.add("--mini-batch=1");
      changed.removeIf(option -> option.startsWith("--epochs="));
      changed.add("--epochs=2"); // Of four batches of prompts, each in four updates.
    }
    return changed.toArray(String[]::new);
  }

  @Test
  void anAgentTakesSeveralTurnsByDefault() throws IOException {
    Path out = folder.resolve("agent");
    String[] args = grpo(out, "--max-updates=2");
    args[0] = "agent";
    assertEquals(new Commands.Result(0, ""), Commands.run(args));
    String settings = Files.readString(out.resolve("settings.json"));
    assertTrue(settings.contains("\"turns\" : 3"), settings);
    assertTrue(settings.contains("\"rewards\" : [ \"agent\" ]"), settings);
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run("agent", "--resume", "--out=" + out, "--cache=" + cache, "--threads=2"));
    Commands.Result refused = Commands.run("agent", "--data=" + prompts);
    assertEquals(2, refused.status());
    assertTrue(refused.err().startsWith("A new run needs --data and --from"), refused.err());
  }

  @Test
  void toolCasesAreAskedAndScored() throws Exception {
    try (CommandProcess asked =
        CommandProcess.start(folder, "eval", "tools", "--model=" + start, "--max-new-tokens=8")) {
      List<String> lines = asked.remainingLines();
      assertEquals(0, asked.exitStatus(), asked.err());
      assertEquals(8, lines.stream().filter(line -> line.startsWith("[Q]: ")).count());
      String last = lines.get(lines.size() - 1);
      assertTrue(last.matches("0 of 8 solved, mean reward -?[0-9.]+"), last);
    }
  }

  @Test
  void fewerHeldOutTasksThanAskedForAreSaid() throws Exception {
    Path tasks = folder.resolve("tasks");
    String[] draw = {
      "data",
      "tasks",
      "--tools=get_current_time",
      "--held-out=5000",
      "--texts=1",
      "--chats=1",
      "--tasks=1",
      "--out=" + tasks
    };
    try (CommandProcess drawn = CommandProcess.start(folder, draw)) {
      List<String> lines = drawn.remainingLines();
      assertEquals(0, drawn.exitStatus(), drawn.err());
      int rows = Files.readAllLines(tasks.resolve("heldout.jsonl")).size();
      assertTrue(rows > 0 && rows < 5000, rows + " rows");
      assertEquals(
          "There are no more than %d held-out questions for these tools, though 5,000 were asked for."
              .formatted(rows),
          lines.get(lines.size() - 1));
    }
  }

  @Test
  void tasksThatAreDrawnAreAskedAndScoredToo() throws Exception {
    Path tasks = folder.resolve("tasks");
    String[] draw = {"data", "tasks", "--out=" + tasks, "--texts=5", "--chats=5", "--tasks=5"};
    assertEquals(new Commands.Result(0, ""), Commands.run(draw));
    try (CommandProcess asked =
        CommandProcess.start(
            folder,
            "eval",
            "tools",
            "--think",
            "--model=" + start,
            "--data=" + tasks.resolve("tasks.jsonl"),
            "--max-new-tokens=8")) {
      List<String> lines = asked.remainingLines();
      assertEquals(0, asked.exitStatus(), asked.err());
      String last = lines.get(lines.size() - 1);
      assertTrue(last.matches("0 of 5 solved, mean reward -?[0-9.]+"), last);
    }
    Path broken = Files.writeString(folder.resolve("broken.jsonl"), "{\"prompt\": \" \"}\n");
    Commands.Result refused = Commands.run("eval", "tools", "--model=" + start, "--data=" + broken);
    assertEquals(1, refused.status());
    assertEquals(
        "Row 1 of " + broken + " (line 1) cannot be used: it asks nothing.", refused.err().strip());
  }

  private Path questions() throws IOException {
    return Files.writeString(folder.resolve("questions.txt"), "今天\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--answers=1 | The answers to each prompt must be at least 2",
        "--beta=-1 | Beta must be a number of at least 0, but is -1.0.",
        "--reward=praise | There is no reward \"praise\": expected number",
        "--temperature=0 | The temperature must be a number above 0, but is 0.0.",
        "--turns=0 | The turns must be at least 1, but is 0.",
        "--thinking=2 | The share of thinking must be between 0 and 1, but is 2.0.",
        "--variant=dpo | --variant cannot be \"dpo\": expected",
        "--kernels=fast | --kernels cannot be \"fast\": expected own or onnxruntime.",
        "--schedule=[] | expected cosine, linear, constant or warmup-stable-decay.",
      })
  void wrongOptionsAreRefused(String option, String sentence) {
    Path out = folder.resolve("out");
    Commands.Result result = Commands.run(grpo(out, option));
    assertEquals(2, result.status(), result.err());
    assertTrue(result.err().contains(sentence), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
    assertFalse(Files.exists(out));
  }

  /** Worth nothing that a number could say. */
  public static final class NotANumber implements Reward {
    @Override
    public double of(Answer answer) {
      return Double.NaN;
    }
  }

  /** Cannot tell. */
  public static final class Failing implements Reward {
    @Override
    public double of(Answer answer) {
      throw new IllegalStateException("the judge sleeps");
    }
  }

  /** All are worth the same. */
  public static final class Indifferent implements Reward {
    @Override
    public double of(Answer answer) {
      return 1;
    }
  }

  @Test
  void aRewardThatFailsEndsTheRunInASentenceAndOneThatIsIndifferentDoesNot() {
    Path out = folder.resolve("out");
    String name = NotANumber.class.getName();
    Commands.Result ended = Commands.run(grpo(out, "--reward=" + name));
    assertEquals(1, ended.status());
    assertTrue(ended.err().startsWith("The reward " + name + " gave NaN"), ended.err());
    assertEquals(1, ended.err().lines().count(), ended.err());
    assertTrue(Files.exists(out.resolve("checkpoints")), "it can be gone on with");

    name = Failing.class.getName();
    ended = Commands.run(grpo(folder.resolve("failing"), "--reward=" + name));
    assertEquals(1, ended.status());
    assertEquals(
        "The reward %s failed: the judge sleeps. Mend it, and go on with the run.".formatted(name),
        ended.err().strip());

    String[] same = {"--reward=" + Indifferent.class.getName(), "--max-updates=2"};
    assertEquals(
        new Commands.Result(0, ""), Commands.run(grpo(folder.resolve("indifferent"), same)));
  }

  @Test
  void promptsOfWhichNoneCanBeUsedAreRefused() throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.jsonl"), "{\"prompt\": \"\"}\n");
    Commands.Result refused = Commands.run(grpo(folder.resolve("out"), "--data=" + empty));
    assertEquals(1, refused.status());
    assertTrue(refused.err().contains("it asks nothing"), refused.err());
    assertFalse(Files.exists(folder.resolve("out")));
  }

  @Test
  void aRewardThatFindsNothingToVerifySaysSo() throws IOException {
    Path unanswered = folder.resolve("unanswered.jsonl");
    Files.writeString(unanswered, "{\"prompt\": \"一加一？\"}\n{\"prompt\": \"二加二？\"}\n");
    Commands.Result result =
        Commands.run(grpo(folder.resolve("out"), "--data=" + unanswered, "--reward=number"));
    assertEquals(1, result.status());
    assertTrue(
        result.err().startsWith("The reward number failed: the row has no number in its column"),
        result.err());
  }
}
