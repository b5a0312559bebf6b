package io.minimind.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Groups what a person does with a tokenizer. */
@Command(
    name = "tokenizer",
    description = "Trains a tokenizer, and shows what one does with a text.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TrainTokenizer.class,
      EncodeText.class,
      DecodeIds.class,
      TokenizerStatistics.class,
      CommandLine.HelpCommand.class
    })
public final class TokenizerCommand {}
