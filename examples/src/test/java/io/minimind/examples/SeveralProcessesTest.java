package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.Folders;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every stage in several processes on this machine, by the real commands. {@code
 * -Dminimind.kills=10} kills them ten times.
 */
@Timeout(300)
class SeveralProcessesTest {

  private static final String[] STEPS = {"--save-every=3", "--keep=100"};

  /** Long enough to be disturbed. */
  private static final String[] LONG = {"--epochs=100", "--max-updates=80"};

  @TempDir static Path shared;
  private static StageCommands commands;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    commands = new StageCommands(shared);
    commands.pretrain(STEPS);
  }

  /** What three processes, or two of a long run, must end with: by one process. */
  private static byte[] byOneProcess(int devices, String... more) throws IOException {
    Path out = shared.resolve(devices + String.join("", more));
    if (Files.notExists(out)) {
      List<String> args = new ArrayList<>(Arrays.asList(more));
      args.addAll(List.of("--devices=cpu:" + devices, "--threads=" + devices));
      StageCommands.run(stage("pretrain", out, args.toArray(String[]::new)));
    }
    return StageCommands.weights(out);
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

  /** Processes with a command each. */
  private List<CommandProcess> start(Map<String, String> more, List<String[]> each)
      throws IOException {
    return start(List.of(), more, each);
  }

  /** The same, started by another command. */
  private List<CommandProcess> start(
      List<String> starter, Map<String, String> more, List<String[]> each) throws IOException {
    int port = freePort();
    List<CommandProcess> ranks = new ArrayList<>();
    for (String[] args : each) {
      Map<String, String> environment = environment(ranks.size(), each.size(), port);
      environment.putAll(more);
      ranks.add(CommandProcess.startBy(starter, folder, environment, args));
    }
    return ranks;
  }

  private List<CommandProcess> start(int size, String... args) throws IOException {
    return start(Map.of(), Collections.nCopies(size, args));
  }

  private static void close(List<CommandProcess> ranks) throws IOException {
    for (CommandProcess rank : ranks) {
      rank.close();
    }
  }

  private void train(int size, String... args) throws Exception {
    requireDone(start(size, args));
  }

  private static void requireDone(List<CommandProcess> ranks) throws Exception {
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

  /** For a process of several, which has one thread; one on several devices has one for each. */
  private static String[] stage(String stage, Path out, String... more) {
    List<String> args = new ArrayList<>(Arrays.asList(STEPS));
    if (Arrays.stream(more).noneMatch(option -> option.startsWith("--threads="))) {
      args.add("--threads=1");
    }
    args.addAll(Arrays.asList(more));
    return commands.of(stage, out, commands.cache(), args.toArray(String[]::new));
  }

  private static String[] resume(Path out) {
    return new String[] {
      "pretrain",
      "--resume",
      "--out=" + out,
      "--cache=" + commands.cache(),
      "--log-every=1",
      "--threads=1"
    };
  }

  @ParameterizedTest
  @CsvSource({"pretrain, 4", "sft, 2", "dpo, 2", "lora, 2", "grpo, 2", "ppo, 2"})
  void theyEndInTheBytesOfOne(String stage, int size) throws Exception {
    Path one = folder.resolve("one");
    StageCommands.run(stage(stage, one, "--devices=cpu:" + size, "--threads=" + size));
    Path several = folder.resolve("several");
    train(size, stage(stage, several));
    assertArrayEquals(StageCommands.weights(one), StageCommands.weights(several));
    assertEquals(PretrainProcessTest.metrics(one), PretrainProcessTest.metrics(several));
  }

  /** Whichever is killed, and whenever: the others end by themselves, and the run goes on. */
  @Test
  @Timeout(3_600)
  void killedAtAnyMomentTheyEndTheSame() throws Exception {
    int rounds = Integer.getInteger("minimind.kills", 3);
    String[] options = {"--epochs=1000", "--max-updates=" + 30 * rounds};
    byte[] expected = byOneProcess(3, options);
    long seed = Long.getLong("minimind.killSeed", System.nanoTime());
    Random random = new Random(seed);
    Path out = folder.resolve("killed");
    int kills = 0;
    for (int round = 0; round < rounds; round++) {
      boolean begun = Files.exists(out.resolve("settings.json"));
      List<CommandProcess> ranks =
          begun ? start(3, resume(out)) : start(3, stage("pretrain", out, options));
      try {
        int victim = random.nextInt(3);
        ranks.get(0).awaitLines("", 1); // They have met.
        ranks.get(0).awaitLines("Epoch", random.nextInt(30));
        long until = System.nanoTime() + random.nextInt(200_000_000);
        while (ranks.get(victim).process.isAlive() && System.nanoTime() < until) {
          Thread.onSpinWait();
        }
        boolean alive = ranks.get(victim).process.isAlive();
        ranks.get(victim).kill();
        kills += alive ? 1 : 0;
        for (CommandProcess other : ranks) {
          if (other != ranks.get(victim)) {
            other.remainingLines();
            int status = other.exitStatus();
            // It has ended in a sentence, or all was done.
            boolean sentence = status == 1 && other.err().lines().count() == 1;
            assertTrue(status == 0 || sentence, seed + ", " + status + ": " + other.err());
          }
        }
      } finally {
        close(ranks);
      }
    }
    System.out.printf("killed %d times in %d rounds, seed %d%n", kills, rounds, seed);
    if (Files.exists(out.resolve("settings.json"))) {
      train(3, resume(out));
    } else {
      Folders.delete(out);
      train(3, stage("pretrain", out, options));
    }
    assertArrayEquals(expected, StageCommands.weights(out), "seed " + seed + ", kills " + kills);
  }

  /**
   * The loss of any 20 updates in a row, since that of one depends on its few texts; on a corpus
   * that is not learnt by heart, which magnifies the difference. {@code -Dminimind.updates=200}
   * compares so many.
   */
  @Test
  @Timeout(3_600)
  void roundedOnTheWayTheyLearnTheSame() throws Exception {
    int updates = Integer.getInteger("minimind.updates", 60);
    Path one = folder.resolve("one");
    Path out = folder.resolve("rounded");
    String data = "--data=" + Commands.DATA.resolve("pretrain.csv");
    String[] options = {data, "--epochs=3", "--max-updates=" + updates};
    List<String> ofOne = new ArrayList<>(List.of("--devices=cpu:2", "--threads=2"));
    ofOne.addAll(List.of(options));
    StageCommands.run(stage("pretrain", one, ofOne.toArray(String[]::new)));
    List<JsonNode> whole = losses(one);
    String[] args = stage("pretrain", out, options);
    requireDone(start(Map.of("MINIMIND_WIRE", "bfloat16"), Collections.nCopies(2, args)));
    List<JsonNode> rounded = losses(out);
    assertEquals(updates, rounded.size());
    assertNotEquals(whole, rounded);
    double worst = 0;
    for (int i = 20; i <= updates; i++) {
      double expected = mean(whole.subList(i - 20, i));
      worst = Math.max(worst, Math.abs(mean(rounded.subList(i - 20, i)) / expected - 1));
    }
    System.out.printf("losses of %d updates differ by %.3f %% at most%n", updates, 100 * worst);
    assertTrue(worst < 0.005, "worst: " + worst);
  }

  private static List<JsonNode> losses(Path out) throws IOException {
    return PretrainProcessTest.metrics(out).stream().filter(line -> line.has("loss")).toList();
  }

  private static double mean(List<JsonNode> losses) {
    return losses.stream().mapToDouble(line -> line.get("loss").asDouble()).average().orElseThrow();
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
        start(Map.of(), List.of(stage("pretrain", out), stage("pretrain", out, "--warmup=9"))),
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
            List.of(
                stage("pretrain", folder.resolve("out")),
                stage("pretrain", folder.resolve("out"), "--data=" + data))),
        "Rank 1 (",
        "other.csv now has 3 usable rows");
  }

  @Test
  void aCommandThatCannotBeginEndsTheOtherToo() throws Exception {
    requireSentences(
        start(
            Map.of(),
            List.of(
                stage("pretrain", folder.resolve("out")),
                stage("pretrain", folder.resolve("out"), "--data=" + folder.resolve("none.csv")))),
        "Rank 1 (",
        "none.csv");
  }

  /**
   * Gives a process a session of its own. Where a process of a shell's job is stopped when the
   * shell ends, the kernel hangs up all of the job: Maven and this test would end too.
   */
  private static List<String> apart() {
    return OS.LINUX.isCurrentOs() ? List.of("setsid") : List.of();
  }

  /** It hangs, and gives no sign of life; when it comes round, it is told that it is too late. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  @DisabledOnOs(OS.WINDOWS)
  void aFrozenProcessEndsTheOtherAndTheyGoOn(int frozen) throws Exception {
    Path out = folder.resolve("out");
    String[] args = stage("pretrain", out, LONG);
    List<CommandProcess> ranks =
        start(apart(), Map.of("MINIMIND_SILENCE_TIMEOUT", "5"), Collections.nCopies(2, args));
    try {
      ranks.get(0).awaitLines("Epoch", 2);
      ranks.get(frozen).signal("STOP");
      CommandProcess other = ranks.get(1 - frozen);
      String sentence = "has given no sign of life for 5 seconds";
      assertEquals(1, other.exitStatus(), other.err());
      assertTrue(other.err().startsWith("Rank " + frozen + " ("), other.err());
      assertTrue(other.err().contains(sentence), other.err());
      ranks.get(frozen).signal("CONT");
      ranks.get(0).remainingLines();
      assertEquals(1, ranks.get(frozen).exitStatus(), ranks.get(frozen).err());
      assertEquals(1, ranks.get(frozen).err().lines().count(), ranks.get(frozen).err());
    } finally {
      close(ranks);
    }
    train(2, resume(out));
    assertArrayEquals(byOneProcess(2, LONG), StageCommands.weights(out));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void anInterruptionOfOneSavesAndStopsAll() throws Exception {
    Path out = folder.resolve("out");
    List<CommandProcess> ranks = start(2, stage("pretrain", out, LONG));
    try {
      ranks.get(0).awaitLines("Epoch", 2);
      ranks.get(1).signal("TERM"); // INT is ignored by what a script runs in the background
      List<String> lines = ranks.get(0).remainingLines();
      assertTrue(lines.stream().anyMatch(line -> line.startsWith("Go on with:")), "" + lines);
      assertEquals(0, ranks.get(0).exitStatus(), ranks.get(0).err());
      assertEquals(143, ranks.get(1).exitStatus(), ranks.get(1).err());
    } finally {
      close(ranks);
    }
    train(2, resume(out));
    assertArrayEquals(byOneProcess(2, LONG), StageCommands.weights(out));
  }

  @Test
  void oneThatNeverComesIsNamedByTheOther() throws Exception {
    for (int rank = 0; rank < 2; rank++) {
      Map<String, String> environment = environment(rank, 2, freePort());
      environment.put("MINIMIND_JOIN_TIMEOUT", "2");
      try (CommandProcess alone =
          CommandProcess.start(folder, environment, stage("pretrain", folder.resolve("out")))) {
        alone.remainingLines();
        assertEquals(1, alone.exitStatus(), alone.err());
        String sentence =
            rank == 0
                ? "Of 2 processes, 1 did not come within 2 seconds: rank 1."
                : "Rank 0 was not found at localhost, port ";
        assertTrue(alone.err().startsWith(sentence), alone.err());
        assertEquals(1, alone.err().lines().count(), alone.err());
      }
    }
  }

  /** The second comes when the first has waited for some time. */
  @Test
  void oneThatComesLateIsWaitedFor() throws Exception {
    Path out = folder.resolve("out");
    int port = freePort();
    String[] args = stage("pretrain", out);
    CommandProcess first = CommandProcess.start(folder, environment(0, 2, port), args);
    while (first.process.isAlive() && !listens(port)) {
      Thread.sleep(50);
    }
    Thread.sleep(2_000);
    requireDone(List.of(first, CommandProcess.start(folder, environment(1, 2, port), args)));
    assertArrayEquals(StageCommands.weights(commands.pretrained), StageCommands.weights(out));
  }

  private static boolean listens(int port) {
    try (Socket stranger = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return stranger.isConnected();
    } catch (IOException e) {
      return false;
    }
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
    train(2, resume(out));
    assertArrayEquals(StageCommands.weights(commands.pretrained), StageCommands.weights(out));
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
    assertArrayEquals(StageCommands.weights(commands.pretrained), StageCommands.weights(out));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void launchSavesAndSaysHowToGoOn() throws Exception {
    Path out = folder.resolve("out");
    List<String> args = new ArrayList<>(List.of("launch", "--nproc", "2"));
    args.addAll(Arrays.asList(stage("pretrain", out, LONG)));
    List<String> lines;
    try (CommandProcess launched = CommandProcess.start(folder, args.toArray(String[]::new))) {
      launched.awaitLines("Epoch:", 3);
      List<ProcessHandle> both = launched.process.children().toList();
      assertEquals(2, both.size());
      launched.signal("TERM"); // INT is ignored by what a script runs in the background
      lines = launched.remainingLines();
      assertEquals(143, launched.exitStatus(), launched.err());
      assertEquals("\nSaving, one moment …\n", launched.err());
      assertTrue(both.stream().noneMatch(ProcessHandle::isAlive), "a process is left");
    }
    String command = "Go on with: ./minimind launch --nproc 2 pretrain --resume --out=" + out;
    assertTrue(lines.get(lines.size() - 1).startsWith(command), lines.toString());

    List<String> goOn = new ArrayList<>(List.of("launch", "--nproc", "2"));
    goOn.addAll(Arrays.asList(resume(out)));
    try (CommandProcess launched = CommandProcess.start(folder, goOn.toArray(String[]::new))) {
      launched.remainingLines();
      assertEquals(0, launched.exitStatus(), launched.err());
    }
    assertArrayEquals(byOneProcess(2, LONG), StageCommands.weights(out));
  }

  @Test
  void launchEndsAllIfOneCannotBegin() throws Exception {
    try (CommandProcess launched =
        CommandProcess.start(
            folder,
            "launch",
            "--nproc=2",
            "pretrain",
            "--data=none.csv",
            "--tokenizer=" + Commands.TOKENIZER,
            "--out=" + folder.resolve("out"))) {
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
