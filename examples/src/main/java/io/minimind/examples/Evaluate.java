package io.minimind.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Groups the evaluations, one for each stage of training. */
@Command(
    name = "eval",
    description = "Shows what a model has learnt.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {EvaluatePretrained.class, CommandLine.HelpCommand.class})
public final class Evaluate {}
