package io.minimind.examples.tutorial;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Follows a tutorial in a folder, block by block:
 *
 * <ul>
 *   <li>{@code sh}: run by Bash. {@code ./minimind} is the project's own launcher.
 *   <li>{@code java} that declares a type is saved as the file of that type, and must compile.
 *   <li>Any other {@code java} is statements. Those between two other commands are the main method
 *       of one program, so what a block declares, the next ones may use; imports hold to the end.
 *   <li>{@code output}: what the block before it printed, as {@link ExpectedOutput} compares it.
 *       Lines that begin with {@code > } are what is typed, and not printed.
 *   <li>{@code xml} with a dependency must name a module and the version of this project.
 *   <li>Anything else is for the reader alone.
 * </ul>
 *
 * A {@link Note} before a block says what is done otherwise.
 */
final class Walkthrough {

  private static final Pattern TYPE =
      Pattern.compile("(?m)^(?:public |final )*(?:class|record|interface|enum) (\\w+)");
  private static final Pattern ARTIFACT = Pattern.compile("<artifactId>(.*)</artifactId>");
  private static final Pattern VERSION = Pattern.compile("<version>(.*)</version>");
  private static final String CLASSPATH = System.getProperty("java.class.path");

  /** Before what is typed into a terminal, which a pipe does not show. */
  private static final String TYPED = "> ";

  /** Printed before each block of statements, to tell which of them printed what. */
  private static final char MARK = '\u0001';

  private record Output(String out, String err, int status) {}

  private final Tutorial tutorial;
  private final Path folder;
  private final StringBuilder imports = new StringBuilder();
  private final List<Block> statements = new ArrayList<>();

  private Walkthrough(Tutorial tutorial, Path folder) {
    this.tutorial = tutorial;
    this.folder = folder;
  }

  /**
   * @param folder an empty one, which becomes a clone of the project that has been built
   * @throws AssertionError naming the line of the tutorial that is not true
   */
  static void of(Tutorial tutorial, Path folder) throws IOException, InterruptedException {
    Walkthrough walkthrough = new Walkthrough(tutorial, folder);
    Project.clone(folder, CLASSPATH);
    for (Block block : tutorial.blocks()) {
      walkthrough.follow(block);
    }
    walkthrough.runStatements();
  }

  private void follow(Block block) throws IOException, InterruptedException {
    boolean skipped = block.note().map(Note::skipped).orElse(false);
    switch (block.language()) {
      case "sh" -> {
        runStatements();
        if (!skipped) {
          run(block);
        }
      }
      case "java" -> {
        Matcher type = TYPE.matcher(block.text());
        if (type.find()) {
          save(block, type.group(1));
        } else {
          statements.add(block);
        }
      }
      case "xml" -> checkDependencies(block);
      default -> {}
    }
  }

  // Commands

  private void run(Block block) throws IOException, InterruptedException {
    String text = block.note().map(note -> note.applied(block)).orElse(block.text());
    Optional<Block> expected = outputOf(block);
    String typed =
        expected.stream()
            .flatMap(output -> output.text().lines())
            .filter(line -> line.startsWith(TYPED))
            .map(line -> line.substring(TYPED.length()) + "\n")
            .collect(Collectors.joining());
    Output output = execute(typed, "bash", "-euo", "pipefail", "-c", text);
    boolean fails = block.note().map(Note::fails).orElse(false);
    if (fails != (output.status != 0)) {
      throw failure(block, "ended with the status " + output.status, output);
    }
    compare(block, expected, fails ? output.err : output.out, output);
  }

  private Output execute(String typed, String... command) throws IOException, InterruptedException {
    Path hidden = folder.resolve("examples/target");
    Path in = Files.writeString(hidden.resolve("in"), typed);
    Path out = hidden.resolve("out");
    Path err = hidden.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    String home = System.getProperty("java.home");
    builder.environment().put("JAVA_HOME", home);
    builder
        .environment()
        .merge("PATH", home + "/bin", (path, bin) -> bin + File.pathSeparator + path);
    builder.environment().put("MINIMIND_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1");
    int status = builder.start().waitFor();
    return new Output(Files.readString(out), Files.readString(err), status);
  }

  // Java

  private void save(Block block, String type) throws IOException {
    Path file = Files.writeString(folder.resolve(type + ".java"), block.text() + "\n");
    compile(block, file);
  }

  private void compile(Block block, Path file) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    List<String> options =
        List.of(
            "-Xlint:all,-processing,-classfile,-path",
            "-Werror",
            "-classpath",
            CLASSPATH,
            "-sourcepath",
            folder.toString(),
            "-d",
            Files.createDirectories(folder.resolve("compiled")).toString());
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      if (!compiler
          .getTask(messages, files, null, options, null, files.getJavaFileObjects(file))
          .call()) {
        throw failure(block, "does not compile", new Output("", messages.toString(), 1));
      }
    }
  }

  /** Runs the statements that have come since the last command as one program. */
  private void runStatements() throws IOException, InterruptedException {
    if (statements.isEmpty()) {
      return;
    }
    StringBuilder body = new StringBuilder();
    for (Block block : statements) {
      body.append("System.out.println('\\u0001');\n");
      for (String line : block.text().lines().toList()) {
        (line.startsWith("import ") ? imports : body).append(line).append('\n');
      }
    }
    String program =
        "%sclass Statements {\npublic static void main(String[] args) throws Exception {\n%s}\n}\n"
            .formatted(imports, body);
    Path file = Files.writeString(folder.resolve("Statements.java"), program);
    compile(statements.get(0), file);
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classpath = folder.resolve("compiled") + File.pathSeparator + CLASSPATH;
    String cache = "-Dminimind.cache=" + folder.resolve("cache");
    Output output =
        execute("", java, "-XX:TieredStopAtLevel=1", cache, "-cp", classpath, "Statements");
    String[] printed = output.out.split(MARK + "\n?", -1);
    for (int i = 0; i < statements.size() && i + 1 < printed.length; i++) {
      compare(statements.get(i), outputOf(statements.get(i)), printed[i + 1], output);
    }
    if (output.status != 0) {
      Block last = statements.get(Math.max(0, printed.length - 2));
      throw failure(last, "ended with the status " + output.status, output);
    }
    statements.clear();
  }

  // What must be true

  /** The block of expected output that stands right behind another. */
  private Optional<Block> outputOf(Block block) {
    int next = tutorial.blocks().indexOf(block) + 1;
    return tutorial.blocks().stream()
        .skip(next)
        .limit(1)
        .filter(following -> following.language().equals("output"))
        .findFirst();
  }

  private void compare(Block block, Optional<Block> expected, String printed, Output output) {
    if (expected.isPresent()) {
      boolean numbersDiffer = block.note().map(Note::numbersDiffer).orElse(false);
      Optional<String> difference =
          new ExpectedOutput(printedOf(expected.get()), numbersDiffer).difference(printed);
      if (difference.isPresent()) {
        throw failure(expected.get(), "is not what was printed: " + difference.get(), output);
      }
    }
  }

  private static String printedOf(Block expected) {
    return expected
        .text()
        .lines()
        .filter(line -> !line.startsWith(TYPED))
        .collect(Collectors.joining("\n"));
  }

  private void checkDependencies(Block block) throws IOException {
    Matcher artifact = ARTIFACT.matcher(block.text());
    Matcher version = VERSION.matcher(block.text());
    while (artifact.find() && version.find()) {
      if (!Project.version(artifact.group(1)).equals(Optional.of(version.group(1)))) {
        throw failure(
            block,
            "names %s in the version %s, which is none of the project's modules"
                .formatted(artifact.group(1), version.group(1)),
            new Output("", "", 0));
      }
    }
  }

  private AssertionError failure(Block block, String what, Output output) {
    return new AssertionError(
        "%s:%d: the block%n%s%n%s%n---- standard output%n%s---- standard error%n%s"
            .formatted(tutorial.file(), block.line(), block.text(), what, output.out, output.err));
  }
}
