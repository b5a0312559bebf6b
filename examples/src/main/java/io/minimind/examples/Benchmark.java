package io.minimind.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Groups the benchmarks. */
@Command(
    name = "bench",
    description = "Measures speed and memory on this machine.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      BenchmarkTraining.class,
      BenchmarkDecoding.class,
      BenchmarkServing.class,
      BenchmarkConstraints.class,
      BenchmarkRollouts.class,
      CommandLine.HelpCommand.class
    })
public final class Benchmark {}
