package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Network namespaces that stand for machines, each with a cable into one switch and nothing else.
 */
final class Machines {

  private static final String NAME = "mm" + ProcessHandle.current().pid() % 100_000;
  private static final String SWITCH = NAME + "switch";

  private final int count;

  private Machines(int count) {
    this.count = count;
  }

  /** Skips the test where such machines cannot be made. */
  static Machines connected(int count) throws Exception {
    assumeTrue(
        succeeds("ip", "netns", "add", SWITCH),
        "Only root can make network namespaces, and only with the command ip.");
    Machines machines = new Machines(count);
    try {
      onSwitch("ip", "link", "add", "bridge", "type", "bridge");
      onSwitch("ip", "link", "set", "bridge", "up");
      for (int i = 0; i < count; i++) {
        machines.connect(i);
      }
      return machines;
    } catch (Exception | AssertionError e) {
      machines.remove();
      throw e;
    }
  }

  private void connect(int machine) throws Exception {
    String plug = NAME + "p" + machine;
    run("ip", "netns", "add", name(machine));
    run("ip", "link", "add", cable(machine), "type", "veth", "peer", "name", plug);
    run("ip", "link", "set", cable(machine), "netns", name(machine));
    run("ip", "link", "set", plug, "netns", SWITCH);
    onSwitch("ip", "link", "set", plug, "master", "bridge");
    onSwitch("ip", "link", "set", plug, "up");
    on(machine, "ip", "address", "add", address(machine) + "/24", "dev", cable(machine));
    on(machine, "ip", "link", "set", "lo", "up");
    plugIn(machine);
  }

  private static String name(int machine) {
    return NAME + "m" + machine;
  }

  private static String cable(int machine) {
    return NAME + "c" + machine;
  }

  static String address(int machine) {
    return "10.213.77." + (machine + 1);
  }

  /** What a command begins with that is to run on a machine. */
  static List<String> starter(int machine) {
    return List.of("ip", "netns", "exec", name(machine));
  }

  void pull(int machine) throws Exception {
    on(machine, "ip", "link", "set", cable(machine), "down");
  }

  void plugIn(int machine) throws Exception {
    on(machine, "ip", "link", "set", cable(machine), "up");
  }

  /**
   * Limits what a machine sends.
   *
   * @param rate as {@code tc} takes it
   */
  void limit(int machine, String rate) throws Exception {
    String[] limit = {"root", "tbf", "rate", rate, "burst", "32kbit", "latency", "400ms"};
    List<String> command = new ArrayList<>(List.of("tc", "qdisc", "add", "dev", cable(machine)));
    command.addAll(Arrays.asList(limit));
    assumeTrue(
        succeeds(concat(starter(machine), command)), "This kernel cannot limit rates by tbf.");
  }

  void unlimit(int machine) throws Exception {
    on(machine, "tc", "qdisc", "delete", "dev", cable(machine), "root");
  }

  /** Bytes that a machine has sent. */
  long sent(int machine) throws Exception {
    String file = "/sys/class/net/" + cable(machine) + "/statistics/tx_bytes";
    Process cat = new ProcessBuilder(concat(starter(machine), List.of("cat", file))).start();
    String text = new String(cat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertEquals(0, cat.waitFor());
    return Long.parseLong(text.strip());
  }

  private static void on(int machine, String... command) throws Exception {
    run(concat(starter(machine), Arrays.asList(command)));
  }

  private static void onSwitch(String... command) throws Exception {
    run(concat(List.of("ip", "netns", "exec", SWITCH), Arrays.asList(command)));
  }

  private static String[] concat(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all.toArray(String[]::new);
  }

  private static void run(String... command) throws Exception {
    assertTrue(succeeds(command), () -> Arrays.toString(command));
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

  void remove() throws Exception {
    for (int i = 0; i < count; i++) {
      succeeds("ip", "netns", "delete", name(i));
    }
    succeeds("ip", "netns", "delete", SWITCH);
  }
}
