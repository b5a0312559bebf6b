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
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Starts a training command in several processes of this machine. */
@Command(
    name = "launch",
    mixinStandardHelpOptions = true,
    description = {
      "Trains in several processes of this machine, as torchrun and others start them on several"
          + " machines: each has replicas of its own, and all learn the same."
    },
    footer = {
      "",
      "Example:",
      "  minimind launch --nproc 2 pretrain --data corpus.csv --tokenizer tokenizer"
    })
public final class Launch implements Callable<Integer> {

  /** For those that another one's failure ends, to say so. */
  private static final int SECONDS_TO_END = 20;

  @Option(
      names = "--nproc",
      paramLabel = "N",
      required = true,
      description = "Number of processes, each with the devices of --devices.")
  private int count;

  @Parameters(
      arity = "1..*",
      paramLabel = "COMMAND",
      description = "A training command with its options.")
  private List<String> command;

  @Spec private CommandSpec spec;

  Launch() {}

  public static void main(String[] args) {
    MiniMind.run(new Launch(), args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (count < 1) {
      throw refused("--nproc must be at least 1, but is " + count + ".");
    }
    requireKnown();
    List<Process> processes = new ArrayList<>();
    Thread end = new Thread(() -> end(processes), "launcher");
    Runtime.getRuntime().addShutdownHook(end);
    try {
      int port = freePort();
      for (int rank = 0; rank < count; rank++) {
        processes.add(start(rank, port));
      }
      return await(processes);
    } finally {
      end(processes);
      remove(end);
    }
  }

  private void requireKnown() {
    CommandLine known = MiniMind.commandLine(new MiniMind());
    for (int i = 0; known != null && !joins(known.getCommandSpec().userObject()); i++) {
      known = i < command.size() ? known.getSubcommands().get(command.get(i)) : null;
    }
    if (known == null) {
      throw refused(
          "'%s' is no training command, which alone can be launched."
              .formatted(String.join(" ", command)));
    }
  }

  private static boolean joins(Object command) {
    return command instanceof TrainingCommand || command instanceof BenchmarkTraining;
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
  private static int await(List<Process> processes) throws InterruptedException {
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
        if (!process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS)) {
          process.destroy();
        }
      }
    }
    for (Process process : processes) {
      process.waitFor();
    }
    return Objects.requireNonNullElse(failure.getNow(null), 0);
  }

  private static void end(List<Process> processes) {
    processes.forEach(Process::destroy);
    try {
      for (Process process : processes) {
        process.waitFor(); // They save.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private ParameterException refused(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }
}
