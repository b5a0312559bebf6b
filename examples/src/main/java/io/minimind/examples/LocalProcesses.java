package io.minimind.examples;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Processes of this machine that carry out one command together. */
final class LocalProcesses {

  /** For those that another one's failure ends, to say so. */
  private static final int SECONDS_TO_END = 20;

  /** Tells a process how many have been started with it. */
  private static final String COUNT = "minimind.processes";

  private final int count;
  private final List<String> command;
  private final List<Process> processes = new ArrayList<>();

  private LocalProcesses(int count, List<String> command) {
    this.count = count;
    this.command = command;
  }

  /**
   * Starts them and waits until all have ended; what ends this process ends them.
   *
   * @param command of MiniMind, with its options
   * @return the first exit status that is not 0, or 0
   */
  static int run(int count, List<String> command) throws IOException, InterruptedException {
    return new LocalProcesses(count, command).run();
  }

  /** What stands before a command in the line that started this process, if others were with it. */
  static String launcher() {
    return Optional.ofNullable(System.getProperty(COUNT))
        .map("launch --nproc %s "::formatted)
        .orElse("");
  }

  private int run() throws IOException, InterruptedException {
    Thread end = new Thread(this::end, "launcher");
    Runtime.getRuntime().addShutdownHook(end);
    try {
      int port = freePort();
      for (int rank = 0; rank < count; rank++) {
        processes.add(start(rank, port));
      }
      return await();
    } finally {
      end();
      remove(end);
    }
  }

  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // This process is ending, and the hook does what it is for.
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  private Process start(int rank, int port) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    line.add("-D" + COUNT + "=" + count);
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), MiniMind.class.getName()));
    line.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(line).inheritIO();
    builder
        .environment()
        .putAll(
            Map.of(
                "MASTER_ADDR", "localhost",
                "MASTER_PORT", Integer.toString(port),
                "RANK", Integer.toString(rank),
                "WORLD_SIZE", Integer.toString(count),
                "LOCAL_RANK", Integer.toString(rank),
                "LOCAL_WORLD_SIZE", Integer.toString(count)));
    return builder.start();
  }

  /** The first status that is not 0, or 0; what fails before it has met the others ends these. */
  private int await() throws InterruptedException {
    CompletableFuture<Integer> failure = new CompletableFuture<>();
    for (Process process : processes) {
      process
          .onExit()
          .thenAccept(
              ended -> {
                if (ended.exitValue() != 0) {
                  failure.complete(ended.exitValue());
                }
              });
    }
    CompletableFuture<?> all =
        CompletableFuture.allOf(
            processes.stream().map(Process::onExit).toArray(CompletableFuture[]::new));
    CompletableFuture.anyOf(failure, all).join();
    if (failure.isDone()) {
      for (Process process : processes) {
        if (!hasEnded(process)) {
          process.destroy();
          if (!hasEnded(process)) {
            process.destroyForcibly(); // It hangs.
          }
        }
      }
    }
    for (Process process : processes) {
      process.waitFor();
    }
    return Objects.requireNonNullElse(failure.getNow(null), 0);
  }

  private static boolean hasEnded(Process process) throws InterruptedException {
    return process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS);
  }

  private void end() {
    processes.forEach(Process::destroy);
    try {
      for (Process process : processes) {
        process.waitFor(); // They save.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
