package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Two network namespaces stand for two machines; they have a cable between them, and no more. */
@Timeout(300)
@EnabledOnOs(OS.LINUX)
class SeveralMachinesTest {

  private static final String NAME = "minimind" + ProcessHandle.current().pid() % 100_000;
  private static final String FIRST = "10.213.77.1";

  @TempDir static Path shared;
  @TempDir Path folder;

  @BeforeAll
  static void layTheCable() throws Exception {
    assumeTrue(
        succeeds("ip", "netns", "add", machine(0)),
        "Only root can make network namespaces, and only with the command ip.");
    run("ip", "netns", "add", machine(1));
    run("ip", "link", "add", cable(0), "type", "veth", "peer", "name", cable(1));
    for (int i = 0; i < 2; i++) {
      run("ip", "link", "set", cable(i), "netns", machine(i));
      String address = i == 0 ? FIRST : "10.213.77.2";
      on(i, "ip", "address", "add", address + "/24", "dev", cable(i));
      on(i, "ip", "link", "set", "lo", "up");
      on(i, "ip", "link", "set", cable(i), "up");
    }
  }

  @AfterAll
  static void tidyUp() throws Exception {
    for (int i = 0; i < 2; i++) {
      succeeds("ip", "netns", "delete", machine(i));
    }
  }

  private static String machine(int rank) {
    return NAME + "m" + rank;
  }

  private static String cable(int rank) {
    return "mm" + NAME.substring("minimind".length()) + "c" + rank;
  }

  private static boolean succeeds(String... command) throws Exception {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static void run(String... command) throws Exception {
    assertTrue(succeeds(command), () -> Arrays.toString(command));
  }

  private static List<String> starter(int rank) {
    return List.of("ip", "netns", "exec", machine(rank));
  }

  private static void on(int rank, String... command) throws Exception {
    List<String> whole = new ArrayList<>(starter(rank));
    whole.addAll(Arrays.asList(command));
    run(whole.toArray(String[]::new));
  }

  /** They share nothing but the network and the corpus. */
  private List<CommandProcess> start(String... args) throws IOException {
    List<CommandProcess> ranks = new ArrayList<>();
    for (int rank = 0; rank < 2; rank++) {
      Map<String, String> environment = new TreeMap<>();
      environment.put("MASTER_ADDR", FIRST);
      environment.put("MASTER_PORT", "29500");
      environment.put("RANK", Integer.toString(rank));
      environment.put("WORLD_SIZE", "2");
      environment.put("MINIMIND_JOIN_TIMEOUT", "90");
      environment.put("MINIMIND_SILENCE_TIMEOUT", "10");
      Path disk = folder.resolve("disk" + rank);
      List<String> own = new ArrayList<>(Arrays.asList(args));
      own.addAll(List.of("--out=" + disk.resolve("out"), "--cache=" + disk.resolve("cache")));
      ranks.add(
          CommandProcess.startBy(starter(rank), folder, environment, own.toArray(String[]::new)));
    }
    return ranks;
  }

  private static String[] command(String... more) {
    List<String> args = new ArrayList<>(List.of("pretrain", "--resume-or-begin"));
    args.addAll(List.of("--data=" + Commands.CORPUS, "--tokenizer=" + Commands.TOKENIZER));
    args.addAll(List.of("--hidden-size=64", "--layers=2", "--heads=2", "--key-value-heads=1"));
    args.addAll(List.of("--max-length=64", "--batch-size=8", "--learning-rate=0.01"));
    args.addAll(List.of("--save-every=5", "--log-every=1", "--epochs=6"));
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  private byte[] expected() throws IOException {
    Path one = shared.resolve("one");
    String[] args =
        command("--devices=cpu:2", "--threads=2", "--out=" + one, "--cache=" + shared.resolve("c"));
    assertEquals(new Commands.Result(0, ""), Commands.run(args));
    return weights(one);
  }

  private static byte[] weights(Path out) throws IOException {
    return Files.readAllBytes(out.resolve("model.safetensors"));
  }

  private void requireDone(List<CommandProcess> ranks) throws Exception {
    for (CommandProcess rank : ranks) {
      rank.remainingLines();
      assertEquals(0, rank.exitStatus(), rank.err());
      rank.close();
    }
    assertTrue(Files.notExists(folder.resolve("disk1").resolve("out")), "the first alone writes");
  }

  /** The same command again and again, until it is done: as whoever restarts it does. */
  @Test
  void aCableThatIsPulledEndsBothAndTheyGoOn() throws Exception {
    byte[] expected = expected();
    List<CommandProcess> ranks = start(command("--threads=1"));
    ranks.get(0).awaitLines("Epoch", 12);
    on(0, "ip", "link", "set", cable(0), "down");
    for (CommandProcess rank : ranks) {
      rank.remainingLines();
      assertEquals(1, rank.exitStatus(), rank.err());
      assertEquals(1, rank.err().lines().count(), rank.err());
      boolean lost =
          rank.err().contains("has given no sign of life for 10 seconds")
              || rank.err().contains(" is lost: ");
      assertTrue(lost, rank.err());
      rank.close();
    }
    on(0, "ip", "link", "set", cable(0), "up");
    requireDone(start(command("--threads=1")));
    assertArrayEquals(expected, weights(folder.resolve("disk0").resolve("out")));
  }
}
