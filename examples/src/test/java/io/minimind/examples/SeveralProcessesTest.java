package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.Folders;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every stage in several processes on this machine, by the real commands. */
@Timeout(300)
class SeveralProcessesTest {

  private static final String[] STEPS = {"--save-every=3", "--keep=100"};

  @TempDir static Path shared;
  private static Path cache;

  /** By one process on two devices. */
  private static Path pretrained;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    cache = shared.resolve("cache");
    pretrained = shared.resolve("pretrained");
    List<String> args = new ArrayList<>(Arrays.asList(STEPS));
    args.addAll(List.of("--devices=cpu:2", "--threads=2"));
    run(Commands.pretrain(pretrained, cache, args.toArray(String[]::new)));
  }

  private static void run(String... args) {
    assertEquals(new Commands.Result(0, ""), Commands.run(args));
  }

  private static byte[] weights(Path out) throws IOException {
    return Files.readAllBytes(out.resolve("model.safetensors"));
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  private static Map<String, String> environment(int rank, int size, int port) {
    Map<String, String> environment = new TreeMap<>();
    environment.put("MASTER_ADDR", "localhost");
    environment.put("MASTER_PORT", Integer.toString(port));
    environment.put("RANK", Integer.toString(rank));
    environment.put("WORLD_SIZE", Integer.toString(size));
    environment.put("LOCAL_WORLD_SIZE", Integer.toString(size));
    environment.put("MINIMIND_JOIN_TIMEOUT", "60");
    environment.put("MINIMIND_SILENCE_TIMEOUT", "60");
    return environment;
  }

  /** Two processes with the same command, or the second with another one. */
  private List<CommandProcess> start(Map<String, String> more, String[] first, String[] second)
      throws IOException {
    int port = freePort();
    List<CommandProcess> ranks = new ArrayList<>();
    for (String[] args : List.of(first, second)) {
      Map<String, String> environment = environment(ranks.size(), 2, port);
      environment.putAll(more);
      ranks.add(CommandProcess.start(folder, environment, args));
    }
    return ranks;
  }

  private List<CommandProcess> start(String... args) throws IOException {
    return start(Map.of(), args, args);
  }

  private static void close(List<CommandProcess> ranks) throws IOException {
    for (CommandProcess rank : ranks) {
      rank.close();
    }
  }

  private void train(String... args) throws Exception {
    List<CommandProcess> ranks = start(args);
    try {
      for (CommandProcess rank : ranks) {
        List<String> lines = rank.remainingLines();
        assertEquals(0, rank.exitStatus(), rank.err());
        // The first one speaks for all.
        assertEquals(rank != ranks.get(0), lines.isEmpty());
      }
    } finally {
      close(ranks);
    }
  }

  /** For a process of two, which has one thread; one on two devices has one for each. */
  private static String[] stage(String stage, Path out, String... more) throws IOException {
    List<String> args = new ArrayList<>(Arrays.asList(STEPS));
    if (!Arrays.asList(more).contains("--threads=2")) {
      args.add("--threads=1");
    }
    args.addAll(Arrays.asList(more));
    if (stage.equals("pretrain")) {
      return Commands.pretrain(out, cache, args.toArray(String[]::new));
    }
    args.addAll(List.of("--batch-size=4", "--epochs=1"));
    if (stage.equals("sft")) {
      return Commands.sft(pretrained, out, cache, args.toArray(String[]::new));
    }
    if (stage.equals("grpo") || stage.equals("ppo")) {
      Path prompts = shared.resolve("prompts.jsonl");
      Files.write(
          prompts,
          IntStream.range(0, 24).mapToObj("{\"prompt\": \"问题%d是什么？\"}"::formatted).toList());
      args.addAll(List.of("--max-new=6", "--reward=length", "--reward=0.1*ended"));
      args.addAll(List.of("--data=" + prompts, "--from=" + pretrained, "--learning-rate=5e-3"));
      args.addAll(List.of("--out=" + out, "--cache=" + cache));
      args.add(0, stage);
      return args.toArray(String[]::new);
    }
    Path pairs = shared.resolve("pairs.jsonl");
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 27; i++) {
      rows.add(
          "{\"prompt\":\"问题%d是什么？\",\"chosen\":\"好的，%d\",\"rejected\":\"不知道%d\"}"
              .formatted(i, i, i));
    }
    Files.write(pairs, rows);
    List<String> dpo = new ArrayList<>(List.of("dpo", "--from=" + pretrained, "--data=" + pairs));
    dpo.addAll(List.of("--out=" + out, "--cache=" + cache, "--lora-rank=2", "--lora-targets=wq"));
    dpo.addAll(args);
    return dpo.toArray(String[]::new);
  }

  private static String[] resume(Path out) {
    return new String[] {
      "pretrain", "--resume", "--out=" + out, "--cache=" + cache, "--log-every=1", "--threads=1"
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"pretrain", "sft", "dpo", "grpo", "ppo"})
  void twoEndInTheBytesOfOneOnTwoDevices(String stage) throws Exception {
    Path one = folder.resolve("one");
    run(stage(stage, one, "--devices=cpu:2", "--threads=2"));
    Path two = folder.resolve("two");
    train(stage(stage, two));
    assertArrayEquals(weights(one), weights(two));
    assertEquals(PretrainProcessTest.metrics(one), PretrainProcessTest.metrics(two));
  }

  /** Whichever is killed, and whenever: the other ends by itself, and the run goes on. */
  @Test
  void killedAtAnyMomentTheyEndTheSame() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Path out = folder.resolve("killed");
    int kills = 0;
    for (int round = 0; round < 4; round++) {
      boolean begun = Files.exists(out.resolve("settings.json"));
      List<CommandProcess> ranks = begun ? start(resume(out)) : start(stage("pretrain", out));
      try {
        int victim = random.nextInt(2);
        ranks.get(0).awaitLines("", 1); // They have met.
        long until = System.nanoTime() + random.nextInt(1_500_000_000);
        while (ranks.get(victim).process.isAlive() && System.nanoTime() < until) {
          Thread.onSpinWait();
        }
        if (ranks.get(victim).process.isAlive()) {
          ranks.get(victim).kill();
          kills++;
          CommandProcess other = ranks.get(1 - victim);
          int status = other.exitStatus();
          // It has ended in a sentence, or all was done.
          assertTrue(status == 0 || other.err().lines().count() == 1, seed + ": " + other.err());
          assertFalse(other.err().contains("\tat "), other.err());
        }
      } finally {
        close(ranks);
      }
    }
    if (Files.exists(out.resolve("settings.json"))) {
      train(resume(out));
    } else {
      Folders.delete(out);
      train(stage("pretrain", out));
    }
    assertArrayEquals(weights(pretrained), weights(out), "seed " + seed + ", kills " + kills);
  }

  private void requireSentences(List<CommandProcess> ranks, String... parts) throws Exception {
    try {
      for (int rank = 0; rank < ranks.size(); rank++) {
        CommandProcess process = ranks.get(rank);
        process.remainingLines();
        assertTrue(process.exitStatus() > 0, "rank " + rank);
        assertTrue(process.err().contains(parts[rank]), rank + ": " + process.err());
        assertEquals(1, process.err().lines().count(), process.err());
      }
    } finally {
      close(ranks);
    }
  }

  @Test
  void otherSettingsEndAllInASentence() throws Exception {
    Path out = folder.resolve("out");
    requireSentences(
        start(Map.of(), stage("pretrain", out), stage("pretrain", out, "--warmup=9")),
        "Rank 1 (",
        "The run in " + out + " began with other settings: warmupSteps");
  }

  @Test
  void otherDataEndAllInASentence() throws Exception {
    Path data = folder.resolve("other.csv");
    Files.writeString(data, "text\none\ntwo\nthree\n");
    requireSentences(
        start(
            Map.of(),
            stage("pretrain", folder.resolve("out")),
            stage("pretrain", folder.resolve("out"), "--data=" + data)),
        "Rank 1 (",
        "other.csv now has 3 usable rows");
  }

  @Test
  void aCommandThatCannotBeginEndsTheOtherToo() throws Exception {
    requireSentences(
        start(
            Map.of(),
            stage("pretrain", folder.resolve("out")),
            stage("pretrain", folder.resolve("out"), "--data=" + folder.resolve("none.csv"))),
        "Rank 1 (",
        "none.csv");
  }

  /** It hangs, and gives no sign of life. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aFrozenProcessEndsTheOther() throws Exception {
    Path out = folder.resolve("out");
    String[] args = stage("pretrain", out, "--epochs=1000");
    List<CommandProcess> ranks = start(Map.of("MINIMIND_SILENCE_TIMEOUT", "3"), args, args);
    try {
      ranks.get(0).awaitLines("Epoch", 2);
      ranks.get(1).signal("STOP");
      ranks.get(0).remainingLines();
      assertEquals(1, ranks.get(0).exitStatus());
      String sentence = ranks.get(0).err();
      assertTrue(sentence.contains("has given no sign of life for 3 seconds"), sentence);
    } finally {
      close(ranks);
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void anInterruptionOfOneSavesAndStopsAll() throws Exception {
    Path out = folder.resolve("out");
    List<CommandProcess> ranks = start(stage("pretrain", out, "--epochs=12"));
    try {
      ranks.get(0).awaitLines("Epoch", 2);
      ranks.get(1).signal("INT");
      List<String> lines = ranks.get(0).remainingLines();
      assertTrue(lines.stream().anyMatch(line -> line.startsWith("Go on with:")), "" + lines);
      assertEquals(0, ranks.get(0).exitStatus(), ranks.get(0).err());
      assertEquals(130, ranks.get(1).exitStatus(), ranks.get(1).err());
    } finally {
      close(ranks);
    }
    Path whole = folder.resolve("whole");
    run(stage("pretrain", whole, "--epochs=12", "--devices=cpu:2", "--threads=2"));
    train(resume(out));
    assertArrayEquals(weights(whole), weights(out));
  }

  /** The start weights fit, 325,000 bytes; a checkpoint, of three times that, does not. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskOfTheFirstEndsAll() throws Exception {
    Path out = folder.resolve("out");
    String[] args = stage("pretrain", out);
    int port = freePort();
    requireSentences(
        List.of(
            CommandProcess.startWithFilesUpTo(700, folder, environment(0, 2, port), args),
            CommandProcess.start(folder, environment(1, 2, port), args)),
        "No checkpoint was written",
        "stopped all: No checkpoint was written");
    train(resume(out));
    assertArrayEquals(weights(pretrained), weights(out));
  }

  @Test
  void launchStartsThemAll() throws Exception {
    Path out = folder.resolve("out");
    List<String> args = new ArrayList<>(List.of("launch", "--nproc", "2"));
    args.addAll(Arrays.asList(stage("pretrain", out)));
    try (CommandProcess launched = CommandProcess.start(folder, args.toArray(String[]::new))) {
      launched.remainingLines();
      assertEquals(0, launched.exitStatus(), launched.err());
    }
    assertArrayEquals(weights(pretrained), weights(out));
  }

  @Test
  void launchEndsAllIfOneCannotBegin() throws Exception {
    try (CommandProcess launched =
        CommandProcess.start(
            folder, "launch", "--nproc=2", "pretrain", "--data=none.csv", "--tokenizer=none")) {
      launched.remainingLines();
      assertEquals(1, launched.exitStatus(), launched.err());
      assertFalse(launched.err().contains("\tat "), launched.err());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--nproc=0 pretrain", "--nproc=2 eval", "--nproc=2 nothing", "pretrain"})
  void whatCannotBeLaunchedIsRefused(String args) {
    String[] command = ("launch " + args).split(" ");
    Commands.Result result = Commands.run(command);
    assertEquals(2, result.status(), result.err());
  }
}
