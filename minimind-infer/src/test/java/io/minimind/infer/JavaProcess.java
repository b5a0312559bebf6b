package io.minimind.infer;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program of the tests in a process of its own. */
final class JavaProcess {

  /**
   * How it ended.
   *
   * @param output of both streams
   */
  record Result(int status, String output) {}

  private final Path log;
  private final List<String> before;
  private final List<String> options;
  private final Map<String, String> environment;

  private JavaProcess(
      Path log, List<String> before, List<String> options, Map<String, String> environment) {
    this.log = log;
    this.before = before;
    this.options = options;
    this.environment = environment;
  }

  /**
   * @param folder where it keeps its output
   */
  static JavaProcess in(Path folder) {
    return new JavaProcess(folder.resolve("process.log"), List.of(), List.of(), Map.of());
  }

  /** What starts Java, such as a tracer. */
  JavaProcess startedBy(String... command) {
    return new JavaProcess(log, List.of(command), options, environment);
  }

  JavaProcess with(String... javaOptions) {
    return new JavaProcess(log, before, List.of(javaOptions), environment);
  }

  JavaProcess where(Map<String, String> variables) {
    return new JavaProcess(log, before, options, variables);
  }

  /** Runs the class path of the tests; what takes more than two minutes is killed. */
  Result run(Class<?> main, String... arguments) throws IOException, InterruptedException {
    return run(System.getProperty("java.class.path"), main, arguments);
  }

  Result run(String classPath, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8"));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    if (!process.waitFor(2, TimeUnit.MINUTES)) {
      process.destroyForcibly().waitFor();
    }
    return new Result(process.exitValue(), Files.readString(log, StandardCharsets.UTF_8));
  }

  static String with(String classPath, Path more) {
    return more + File.pathSeparator + classPath;
  }
}
