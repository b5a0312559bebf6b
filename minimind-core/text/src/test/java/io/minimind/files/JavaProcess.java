package io.minimind.files;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program of the tests in a process of its own, on their class path. */
public final class JavaProcess {

  private static final int LONGEST_SILENCE_MINUTES = 3;

  /**
   * How it ended.
   *
   * @param output of both streams
   */
  public record Result(int status, String output) {}

  private final Class<?> main;
  private final List<String> arguments;
  private final List<String> before = new ArrayList<>();
  private final List<String> options =
      new ArrayList<>(List.of("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8"));
  private String classPath = System.getProperty("java.class.path");
  private Map<String, String> environment = Map.of();

  private JavaProcess(Class<?> main, List<String> arguments) {
    this.main = main;
    this.arguments = arguments;
  }

  /**
   * @param arguments texts, paths, numbers
   */
  public static JavaProcess of(Class<?> main, Object... arguments) {
    return new JavaProcess(main, Arrays.stream(arguments).map(Object::toString).toList());
  }

  /** What starts Java, such as a tracer. */
  public JavaProcess startedBy(String... command) {
    before.addAll(List.of(command));
    return this;
  }

  /** Options of Java. */
  public JavaProcess with(String... javaOptions) {
    options.addAll(List.of(javaOptions));
    return this;
  }

  /** Variables of its environment besides those of this process. */
  public JavaProcess where(Map<String, String> variables) {
    environment = variables;
    return this;
  }

  /** Another class path than that of the tests. */
  public JavaProcess on(String otherClassPath) {
    classPath = otherClassPath;
    return this;
  }

  /** With something before everything else on its class path. */
  public JavaProcess onFirst(Path folder) {
    return on(folder + File.pathSeparator + classPath);
  }

  /** For whoever reads its output while it runs, or kills it. */
  public ProcessBuilder builder() {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    return builder;
  }

  /** Runs it to its end; it is killed when it writes nothing for three minutes. */
  public Result run() throws IOException, InterruptedException {
    Path log = Files.createTempFile("process", ".log");
    try {
      Process process = builder().redirectErrorStream(true).redirectOutput(log.toFile()).start();
      while (!process.waitFor(30, TimeUnit.SECONDS)) {
        long silent = System.currentTimeMillis() - Files.getLastModifiedTime(log).toMillis();
        if (silent > TimeUnit.MINUTES.toMillis(LONGEST_SILENCE_MINUTES)) {
          process.destroyForcibly().waitFor();
        }
      }
      return new Result(process.exitValue(), Files.readString(log, StandardCharsets.UTF_8));
    } finally {
      Files.delete(log);
    }
  }
}
