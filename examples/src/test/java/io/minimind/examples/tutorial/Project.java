package io.minimind.examples.tutorial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The project that the tutorials are about. */
final class Project {

  static final Path HOME = home();

  private static final Pattern VERSION =
      Pattern.compile("<artifactId>minimind</artifactId>\\s*<version>(.*)</version>");

  private static final Pattern OUTPUT = Pattern.compile("/(?:target|out|\\.git)(?:/|$)");

  private static final int FEW_LINES = 30;

  private Project() {}

  private static Path home() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.isRegularFile(folder.resolve("minimind"))) {
      folder = folder.getParent();
    }
    return folder;
  }

  /**
   * Makes a folder look like a clone after its first build: the launcher, the data, the
   * documentation, and the classes that are under test. Besides, {@code examples/few} has the first
   * rows of each file in {@code examples/data}.
   */
  static void clone(Path folder, String classpath) throws IOException {
    for (String part :
        List.of("minimind", "README.md", "docs", "examples/data", "pom.xml", "examples/pom.xml")) {
      copy(HOME.resolve(part), folder.resolve(part));
    }
    Path examples = folder.resolve("examples");
    writeFewRows(examples.resolve("few"));
    Files.createDirectories(examples.resolve("src/main"));
    Files.createDirectories(examples.resolve("target"));
    // The launcher builds when a source is newer than this file.
    Files.writeString(examples.resolve("target/classpath"), classpath);
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }

  /** Writes the first rows of each file of the example data, for a whole course in seconds. */
  private static void writeFewRows(Path folder) throws IOException {
    Files.createDirectories(folder);
    try (Stream<Path> files = Files.list(HOME.resolve("examples/data"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        List<String> few = new ArrayList<>();
        boolean quoted = false;
        for (String line : Files.readAllLines(file)) {
          if (few.size() >= FEW_LINES && !quoted) {
            break;
          }
          few.add(line);
          // A row of CSV goes on while a quote is open.
          quoted ^=
              file.toString().endsWith(".csv")
                  && line.chars().filter(c -> c == '"').count() % 2 == 1;
        }
        Files.write(folder.resolve(file.getFileName().toString()), few);
      }
    }
  }

  /** The version of a module, if there is such a module. */
  static Optional<String> version(String module) throws IOException {
    try (Stream<Path> files = Files.walk(HOME, 3)) {
      for (Path pom : files.filter(file -> file.endsWith("pom.xml")).toList()) {
        String text = Files.readString(pom);
        Matcher version = VERSION.matcher(text);
        if (text.contains("<artifactId>" + module + "</artifactId>\n  <name>") && version.find()) {
          return Optional.of(version.group(1));
        }
      }
    }
    return Optional.empty();
  }

  /** All files and folders but what the build and Git make. */
  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(HOME)) {
      return files.filter(file -> !OUTPUT.matcher("/" + HOME.relativize(file)).find()).toList();
    }
  }
}
