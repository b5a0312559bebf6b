package io.minimind.examples.tutorial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
   * documentation, and the classes that are under test.
   */
  static void clone(Path folder, String classpath) throws IOException {
    Files.copy(HOME.resolve("minimind"), folder.resolve("minimind"));
    folder.resolve("minimind").toFile().setExecutable(true);
    Files.copy(HOME.resolve("README.md"), folder.resolve("README.md"));
    Files.createSymbolicLink(folder.resolve("docs"), HOME.resolve("docs"));
    Path examples = folder.resolve("examples");
    Files.createDirectories(examples.resolve("src/main"));
    Files.createDirectories(examples.resolve("target"));
    Files.createSymbolicLink(examples.resolve("data"), HOME.resolve("examples/data"));
    Files.copy(HOME.resolve("pom.xml"), folder.resolve("pom.xml"));
    Files.copy(HOME.resolve("examples/pom.xml"), examples.resolve("pom.xml"));
    // The launcher builds when a source is newer than this file.
    Files.writeString(examples.resolve("target/classpath"), classpath);
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
