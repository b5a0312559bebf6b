package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Runs commands in this process, on the corpus that the project ships. */
final class Commands {

  static final Path DATA = projectData();
  static final Path CORPUS = DATA.resolve("pretrain_valid.csv");
  static final Path CHATS = DATA.resolve("sft_valid.csv");
  static final Path TOKENIZER = DATA.resolve("tokenizer");

  /** A model that trains in milliseconds, and eight updates an epoch. */
  private static final List<String> SMALL =
      List.of(
          "--hidden-size=32",
          "--layers=1",
          "--heads=2",
          "--key-value-heads=1",
          "--max-length=64",
          "--batch-size=8",
          "--accumulation=2",
          "--learning-rate=0.01",
          "--log-every=1",
          "--threads=2");

  /**
   * @param err everything on standard error
   */
  record Result(int status, String err) {}

  private Commands() {}

  static Result run(String... args) {
    StringWriter err = new StringWriter();
    int status =
        MiniMind.commandLine(new MiniMind(), args).setErr(new PrintWriter(err)).execute(args);
    return new Result(status, err.toString());
  }

  /** Arguments of a new run; those given last win. */
  static String[] pretrain(Path out, Path cache, String... more) {
    List<String> args = new ArrayList<>(List.of("pretrain", "--out", out.toString()));
    args.addAll(List.of("--cache", cache.toString()));
    for (String option : List.of("--data=" + CORPUS, "--tokenizer=" + TOKENIZER)) {
      addUnlessGiven(args, option, more);
    }
    for (String option : SMALL) {
      addUnlessGiven(args, option, more);
    }
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  /** A small model that has learnt from one batch of texts, in a folder of its own. */
  static Path trained(Path folder) {
    Path model = folder.resolve("model");
    String[] run = pretrain(model, folder.resolve("cache"), "--max-updates=1");
    assertEquals(new Result(0, ""), run(run));
    return model;
  }

  private static void addUnlessGiven(List<String> args, String option, String... more) {
    String name = option.substring(0, option.indexOf('='));
    if (Arrays.stream(more).noneMatch(given -> given.startsWith(name + "="))) {
      args.add(option);
    }
  }

  /** Arguments of a new run that fine-tunes a model; those given last win. */
  static String[] sft(Path from, Path out, Path cache, String... more) {
    List<String> args = new ArrayList<>(List.of("sft", "--out", out.toString()));
    args.addAll(List.of("--cache", cache.toString()));
    String[] options = {
      "--from=" + from, "--data=" + CHATS, "--batch-size=8", "--log-every=1", "--threads=2"
    };
    for (String option : options) {
      addUnlessGiven(args, option, more);
    }
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  static String[] resume(Path out, Path cache, String... more) {
    return resume("pretrain", out, cache, more);
  }

  static String[] resume(String command, Path out, Path cache, String... more) {
    List<String> args = new ArrayList<>(List.of(command, "--resume", "--out", out.toString()));
    args.addAll(List.of("--cache", cache.toString(), "--log-every=1", "--threads=2"));
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  /** Every file below a folder with its contents. */
  static Map<Path, ByteBuffer> contents(Path folder) throws IOException {
    Map<Path, ByteBuffer> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        contents.put(folder.relativize(file), ByteBuffer.wrap(Files.readAllBytes(file)));
      }
    }
    return contents;
  }

  static void copy(Path from, Path to) {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The last checkpoint of a run. */
  static Path latest(Path out) throws IOException {
    try (Stream<Path> checkpoints = Files.list(out.resolve("checkpoints"))) {
      return checkpoints.max(Path::compareTo).orElseThrow();
    }
  }

  private static Path projectData() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null) {
      for (Path data : List.of(folder.resolve("data"), folder.resolve("examples/data"))) {
        if (Files.exists(data.resolve("pretrain_valid.csv"))) {
          return data;
        }
      }
      folder = folder.getParent();
    }
    throw new IllegalStateException("The folder examples/data is missing.");
  }
}
