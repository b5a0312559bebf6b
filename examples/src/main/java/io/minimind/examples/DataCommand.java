package io.minimind.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Groups what a person does with training data before training. */
@Command(
    name = "data",
    description = "Downloads, inspects, prepares and draws training data.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DownloadData.class,
      InspectData.class,
      PrepareData.class,
      DataTasks.class,
      CommandLine.HelpCommand.class
    })
public final class DataCommand {}
