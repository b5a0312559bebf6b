package io.minimind.examples;

import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
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
    Numbers.atLeast(1, "--nproc", count);
    String[] words = command.toArray(String[]::new);
    CommandLine commands = MiniMind.commandLine(new MiniMind(), words);
    CommandLine known = known(commands);
    // What is wrong with its options is said once, and not by each process.
    if (CommandLine.printHelpIfRequested(
        commands.setErr(spec.commandLine().getErr()).parseArgs(words))) {
      return 0;
    }
    try {
      known.<Launchable>getCommand().check();
    } catch (ArgumentException e) { // The help of that command says what can be.
      throw new ParameterException(known, MiniMind.message(e).orElseThrow(() -> e), e);
    }
    return LocalProcesses.run(count, command);
  }

  private CommandLine known(CommandLine commands) {
    CommandLine known = commands;
    for (int i = 0; known != null && !(known.getCommand() instanceof Launchable); i++) {
      known = i < command.size() ? known.getSubcommands().get(command.get(i)) : null;
    }
    if (known == null) {
      throw new ArgumentException(
          "'%s' is no training command, which alone can be launched."
              .formatted(String.join(" ", command)));
    }
    return known;
  }
}
