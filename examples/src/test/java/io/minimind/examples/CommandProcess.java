package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A command in a process of its own. */
final class CommandProcess implements AutoCloseable {

  final Process process;
  private final Path err;
  private final BufferedReader out;

  private CommandProcess(Process process, Path err) {
    this.process = process;
    this.err = err;
    this.out = process.inputReader(StandardCharsets.UTF_8);
  }

  /**
   * @param folder keeps what the command writes on standard error
   */
  static CommandProcess start(Path folder, String... args) throws IOException {
    return start(MiniMind.class, folder, args);
  }

  /** As {@link #start(Path, String...)}, with variables of the environment besides. */
  static CommandProcess start(Path folder, Map<String, String> environment, String... args)
      throws IOException {
    return start(folder, environment, command(MiniMind.class, args));
  }

  /** As {@link #start(Path, String...)}, for another main than that of the commands. */
  static CommandProcess start(Class<?> main, Path folder, String... args) throws IOException {
    return start(folder, Map.of(), command(main, args));
  }

  /** The same, started by another command, which becomes it. */
  static CommandProcess startBy(
      List<String> starter, Path folder, Map<String, String> environment, String... args)
      throws IOException {
    List<String> command = new ArrayList<>(starter);
    command.addAll(command(MiniMind.class, args));
    return start(folder, environment, command);
  }

  /**
   * As on a disk that is full.
   *
   * @param blocks beyond which no file may grow, of 512 or 1,024 bytes, as the shell has it
   */
  static CommandProcess startWithFilesUpTo(int blocks, Path folder, String... args)
      throws IOException {
    return startWithFilesUpTo(blocks, folder, Map.of(), args);
  }

  static CommandProcess startWithFilesUpTo(
      int blocks, Path folder, Map<String, String> environment, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("sh", "-c", "ulimit -f " + blocks + "; exec \"$@\"", "sh"));
    command.addAll(command(MiniMind.class, args));
    return start(folder, environment, command);
  }

  /** How a main is started. */
  static List<String> command(Class<?> main, String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
    if (Runtime.version().feature() >= 23) {
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(main.getName());
    command.addAll(Arrays.asList(args));
    return command;
  }

  private static CommandProcess start(
      Path folder, Map<String, String> environment, List<String> command) throws IOException {
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
    builder.environment().putAll(environment);
    return new CommandProcess(builder.start(), err);
  }

  /** Reads until a number of lines that start like this have come, or the end. */
  void awaitLines(String start, int count) throws IOException {
    int left = count;
    String line = "";
    while (left > 0 && line != null) {
      line = out.readLine();
      left -= line != null && line.startsWith(start) ? 1 : 0;
    }
  }

  /** Watches until a file with such a name is there, or the process ends. */
  void awaitFile(Path folder, String name) {
    while (process.isAlive() && !holds(folder, name)) {
      Thread.yield();
    }
  }

  private static boolean holds(Path folder, String name) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.anyMatch(file -> file.getFileName().toString().contains(name));
    } catch (IOException e) {
      return false;
    }
  }

  /** The process dies without a chance to do anything about it: SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  void signal(String name) throws Exception {
    String id = Long.toString(process.pid());
    assertEquals(0, new ProcessBuilder("kill", "-" + name, id).start().waitFor());
  }

  List<String> remainingLines() {
    return out.lines().toList();
  }

  int exitStatus() throws InterruptedException {
    return process.waitFor();
  }

  String err() throws IOException {
    return Files.readString(err);
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    out.close();
  }
}
