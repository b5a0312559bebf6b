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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Processes in network namespaces, which stand for machines: they share the corpus and a network.
 * {@code -Dminimind.machines=all} runs every stage in two and in four, {@code
 * -Dminimind.torchrun=FILE} has torchrun start them.
 */
@Timeout(600)
@EnabledOnOs(OS.LINUX)
class SeveralMachinesTest {

  private static final int UPDATES = 50;

  @TempDir static Path shared;
  private static Machines machines;
  private static StageCommands commands;

  @TempDir Path folder;

  @BeforeAll
  static void connect() throws Exception {
    machines = Machines.connected(4);
    commands = new StageCommands(shared);
    commands.pretrain("--max-updates=4");
  }

  @AfterAll
  static void disconnect() throws Exception {
    if (machines != null) {
      machines.remove();
    }
  }

  private Path out(int machine) {
    return folder.resolve("disk" + machine).resolve("out");
  }

  private Path cache(int machine) {
    return folder.resolve("disk" + machine).resolve("cache");
  }

  private static Map<String, String> environment(int rank, int size) {
    Map<String, String> environment = new TreeMap<>();
    environment.put("MASTER_ADDR", Machines.address(0));
    environment.put("MASTER_PORT", "29500");
    environment.put("RANK", Integer.toString(rank));
    environment.put("WORLD_SIZE", Integer.toString(size));
    environment.put("MINIMIND_JOIN_TIMEOUT", "90");
    environment.put("MINIMIND_SILENCE_TIMEOUT", "10");
    return environment;
  }

  /** One process on each of so many machines, each with a disk of its own. */
  private List<CommandProcess> start(int size, String stage, String... more) throws IOException {
    List<CommandProcess> ranks = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      String[] args = commands.of(stage, out(rank), cache(rank), more);
      ranks.add(
          CommandProcess.startBy(Machines.starter(rank), folder, environment(rank, size), args));
    }
    return ranks;
  }

  private void requireDone(List<CommandProcess> ranks) throws Exception {
    for (int rank = 0; rank < ranks.size(); rank++) {
      CommandProcess process = ranks.get(rank);
      process.remainingLines();
      assertEquals(0, process.exitStatus(), process.err());
      process.close();
      assertEquals(rank == 0, Files.exists(out(rank)), "the first alone writes");
    }
  }

  private static Stream<Arguments> stages() {
    boolean all = System.getProperty("minimind.machines", "").equals("all");
    return Stream.of("pretrain", "sft", "dpo", "lora")
        .flatMap(stage -> Stream.of(Arguments.of(stage, 2), Arguments.of(stage, 4)))
        .filter(one -> all || one.get()[0].equals("pretrain") == one.get()[1].equals(4));
  }

  /** Before each checkpoint, all compare hashes of their weights. */
  @ParameterizedTest
  @MethodSource("stages")
  void theyHaveTheWeightsOfOneProcessAfterEveryUpdate(String stage, int size) throws Exception {
    List<String> options = new ArrayList<>(List.of("--epochs=100", "--max-updates=" + UPDATES));
    options.addAll(List.of("--batch-size=2", "--save-every=1", "--keep=100"));
    List<String> ofOne = new ArrayList<>(options);
    ofOne.addAll(List.of("--devices=cpu:" + size, "--threads=" + size));
    Path one = folder.resolve("one");
    StageCommands.run(commands.of(stage, one, commands.cache(), ofOne.toArray(String[]::new)));
    options.add("--threads=1");
    requireDone(start(size, stage, options.toArray(String[]::new)));
    List<byte[]> expected = StageCommands.checkpoints(one);
    List<byte[]> found = StageCommands.checkpoints(out(0));
    assertEquals(UPDATES + 1, found.size());
    for (int update = 0; update <= UPDATES; update++) {
      assertArrayEquals(expected.get(update), found.get(update), "update " + update);
    }
    assertEquals(PretrainProcessTest.metrics(one), PretrainProcessTest.metrics(out(0)));
  }

  private static String[] run(String... more) {
    List<String> args = new ArrayList<>(List.of("--resume-or-begin", "--hidden-size=64"));
    args.addAll(List.of("--save-every=5", "--epochs=3"));
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  private byte[] expected() throws IOException {
    Path one = folder.resolve("one");
    String[] options = run("--devices=cpu:2", "--threads=2");
    StageCommands.run(commands.of("pretrain", one, commands.cache(), options));
    return StageCommands.weights(one);
  }

  /**
   * At such a rate gradients travel for most of the time; when the cable is pulled, a part of them
   * has been sent since the last update. Whoever starts them again does it with the same command.
   */
  @Test
  void aCableThatIsPulledInTheMiddleOfAnAverageEndsBothAndTheyGoOn() throws Exception {
    byte[] expected = expected();
    for (int machine = 0; machine < 2; machine++) {
      machines.limit(machine, "20mbit");
    }
    List<CommandProcess> ranks = start(2, "pretrain", run("--threads=1"));
    ranks.get(0).awaitLines("Epoch", 7);
    long sent = machines.sent(0);
    while (ranks.get(0).process.isAlive() && machines.sent(0) < sent + 200_000) {
      Thread.onSpinWait();
    }
    machines.pull(0);
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
    for (int machine = 0; machine < 2; machine++) {
      machines.unlimit(machine);
    }
    machines.plugIn(0);
    requireDone(start(2, "pretrain", run("--threads=1")));
    assertArrayEquals(expected, StageCommands.weights(out(0)));
  }

  /** An agent on each of two machines; when the process of the second is killed, all begin anew. */
  @Test
  void torchrunRestartsThemAndTheyFinish() throws Exception {
    String torchrun = System.getProperty("minimind.torchrun", "");
    assumeTrue(!torchrun.isEmpty(), "Where torchrun is, -Dminimind.torchrun=FILE says.");
    byte[] expected = expected();
    List<CommandProcess> agents = new ArrayList<>();
    for (int machine = 0; machine < 2; machine++) {
      List<String> starter = new ArrayList<>(Machines.starter(machine));
      starter.addAll(List.of(torchrun, "--nnodes=2", "--nproc-per-node=1", "--max-restarts=3"));
      starter.addAll(List.of("--rdzv-backend=c10d", "--no-python"));
      starter.add("--rdzv-endpoint=" + Machines.address(0) + ":29400");
      starter.add("--rdzv-conf=is_host=" + (machine == 0));
      starter.add("--local-addr=" + Machines.address(machine));
      agents.add(
          CommandProcess.startBy(
              starter,
              folder,
              Map.of("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1"),
              commands.of("pretrain", out(machine), cache(machine), run("--threads=1"))));
    }
    agents.get(0).awaitLines("Epoch", 7);
    List<ProcessHandle> workers = agents.get(1).process.descendants().toList();
    assertEquals(1, workers.size());
    workers.get(0).destroyForcibly();
    for (CommandProcess agent : agents) {
      agent.remainingLines();
      assertEquals(0, agent.exitStatus(), agent.err());
    }
    assertTrue(agents.get(0).err().contains("stopped") || agents.get(0).err().contains("ended"));
    assertArrayEquals(expected, StageCommands.weights(out(0)));
    for (CommandProcess agent : agents) {
      agent.close();
    }
  }
}
