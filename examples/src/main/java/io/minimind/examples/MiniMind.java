package io.minimind.examples;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.minimind.files.ArgumentException;
import io.minimind.files.AtomicFile;
import io.minimind.files.CutFiles;
import io.minimind.files.Mistake;
import io.minimind.runtime.OnnxRuntimeException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code minimind} command: a name for each example main. */
@Command(
    name = "minimind",
    description = "Trains a small language model from nothing, and lets it speak.",
    mixinStandardHelpOptions = true,
    version = "minimind " + MiniMind.VERSION,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Each command has its own help: minimind COMMAND --help.",
      "The first thing to try is in the README."
    })
public final class MiniMind {

  /** Of this project, as its Maven artifacts have it. */
  static final String VERSION = "0.1.0";

  /** In the order of the help. */
  private static final List<Class<?>> COMMANDS =
      List.of(
          Quickstart.class,
          Pretrain.class,
          FineTune.class,
          PreferenceTune.class,
          KahnemanTverskyTune.class,
          RewardModelTune.class,
          Distill.class,
          Answer.class,
          GroupPolicyTune.class,
          ProximalPolicyTune.class,
          AgentTune.class,
          Launch.class,
          Evaluate.class,
          ChatCommand.class,
          Serve.class,
          TokenizerCommand.class,
          DataCommand.class,
          Import.class,
          Export.class,
          Publish.class,
          Verify.class,
          Benchmark.class,
          Bundle.class);

  private static final StandardOutput OUT = new StandardOutput();

  MiniMind() {}

  public static void main(String[] args) {
    run(new MiniMind(), args);
  }

  /**
   * Runs a command as a process: exit status 0, 1 for a failure, 2 for options that cannot be, in
   * themselves or together.
   */
  static void run(Object command, String... args) {
    useUtf8();
    try {
      int status = commandLine(command, args).execute(args);
      System.exit(status == 0 && lostOutput() ? 1 : status);
    } catch (OutOfMemoryError e) {
      System.err.println(
          "There is not enough memory ("
              + e.getMessage()
              + "): a smaller batch or length may help, or MINIMIND_JAVA_OPTIONS=-Xmx8g.");
      System.exit(1);
    } catch (InternalError e) {
      if (!CutFiles.isCut(e)) {
        throw e;
      }
      System.err.println(
          "A file was cut while it was being read: leave the files that a command uses alone until"
              + " it has ended.");
      System.exit(1);
    }
  }

  /**
   * What runs a command.
   *
   * @param given what it is to run, as far as it is known: of the commands of {@link MiniMind},
   *     none but the one that is asked for is then read, which halves the time to start
   */
  static CommandLine commandLine(Object command, String... given) {
    CommandLine line = new CommandLine(command);
    if (command instanceof MiniMind) {
      asked(given).forEach(line::addSubcommand);
      line.addSubcommand(new CommandLine.HelpCommand());
    }
    // What follows the name of a command that is launched is its own.
    (command instanceof Launch
            ? Optional.of(line)
            : Optional.ofNullable(line.getSubcommands().get("launch")))
        .ifPresent(launch -> launch.setStopAtPositional(true));
    return line.setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setExpandAtFiles(false) // A text may begin with @.
        .setParameterExceptionHandler(
            (e, args) -> refuse(e.getCommandLine(), WrongUsage.sentence(e, args)))
        .setExecutionExceptionHandler(
            (e, failed, result) -> {
              String sentence = message(e).orElseThrow(() -> e);
              if (e instanceof ArgumentException) {
                return refuse(failed, sentence);
              }
              failed.getErr().println(sentence);
              return 1;
            });
  }

  /** What was asked for cannot be, whatever the files are; the help says what can. */
  private static int refuse(CommandLine command, String sentence) {
    command.getErr().println(sentence);
    command.getErr().printf("Try '%s --help'.%n", command.getCommandSpec().qualifiedName());
    return 2;
  }

  private static List<Class<?>> asked(String... given) {
    return COMMANDS.stream()
        .filter(type -> given.length > 0 && given[0].equals(name(type)))
        .findFirst()
        .<List<Class<?>>>map(List::of)
        .orElse(COMMANDS);
  }

  private static String name(Class<?> type) {
    return type.getAnnotation(Command.class).name();
  }

  /** One sentence for what a person did or a machine could not do; a defect shows where it is. */
  static Optional<String> message(Exception e) {
    if (e instanceof Mistake mistake) {
      return Optional.of(withOptions(mistake.getMessage()));
    }
    if (e instanceof NoSuchFileException missing) {
      return Optional.of("There is no file " + missing.getFile() + ".");
    }
    if (e instanceof FileSystemException file) {
      return Optional.of("Cannot use " + file.getFile() + ": " + reason(file) + ".");
    }
    if (e instanceof UncheckedIOException unchecked) {
      return message(unchecked.getCause());
    }
    if (e instanceof JsonProcessingException) {
      return Optional.empty(); // Whoever reads JSON says in which file it is wrong.
    }
    if (e instanceof IOException) {
      return Optional.ofNullable(e.getMessage()).map(MiniMind::withOptions);
    }
    if (e instanceof OnnxRuntimeException) {
      return Optional.of("ONNX Runtime failed: " + e.getMessage());
    }
    return Optional.empty();
  }

  /** A library knows folders and settings, where a command has options for them. */
  private static String withOptions(String sentence) {
    return sentence
        .replace("choose another folder for them", "choose another --cache")
        .replace("choose another folder", "choose another --out")
        .replace("choose another port", "choose another --port")
        .replace("give the setting ", "give --set ");
  }

  private static String reason(FileSystemException e) {
    if (e instanceof FileAlreadyExistsException && e.getReason() == null) {
      return "it is a file where a folder is needed";
    }
    return AtomicFile.reason(e);
  }

  /** Whether not all that was printed arrived; if so, it says why. */
  private static boolean lostOutput() {
    boolean lost = System.out.checkError();
    // Who reads no further, as head does, knows that something is missing.
    if (lost && !OUT.failure().contains("Broken pipe")) {
      System.err.println("Standard output cannot be written: " + OUT.failure() + ".");
    }
    return lost;
  }

  /** Chinese reaches the terminal whatever the platform's default encoding is. */
  private static void useUtf8() {
    System.setOut(new PrintStream(OUT, true, StandardCharsets.UTF_8));
    System.setErr(
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
  }

  /**
   * Standard output, which remembers why it failed; a {@link PrintStream} tells only that it did.
   */
  private static final class StandardOutput extends FileOutputStream {
    private volatile String failure = "it is closed";

    StandardOutput() {
      super(FileDescriptor.out);
    }

    String failure() {
      return failure;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        super.write(bytes, offset, length);
      } catch (IOException e) {
        failure = String.valueOf(e.getMessage());
        throw e;
      }
    }
  }
}
