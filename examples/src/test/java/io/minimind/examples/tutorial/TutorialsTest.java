package io.minimind.examples.tutorial;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the tutorials say is so: each is followed, and its names and links lead somewhere. */
@Timeout(900)
class TutorialsTest {

  private static CodeNames names;

  @TempDir Path folder;

  @BeforeAll
  static void readSources() throws IOException {
    names = CodeNames.ofProject();
  }

  static List<Path> tutorials() throws IOException {
    Path docs = Project.HOME.resolve("docs");
    try (Stream<Path> files = Files.list(docs.resolve("tutorials"))) {
      return Stream.concat(files, Stream.of(docs.resolve("reading-the-code.md"))).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("tutorials")
  void whatItShowsHappens(Path file) throws IOException, InterruptedException {
    Walkthrough.of(Tutorial.read(file), folder);
  }

  @ParameterizedTest
  @MethodSource("tutorials")
  void whatItNamesExists(Path file) throws IOException {
    assertEquals(List.of(), names.unknown(Tutorial.read(file)));
  }

  static List<Path> documents() throws IOException {
    try (Stream<Path> docs = Files.walk(Project.HOME.resolve("docs"))) {
      return Stream.concat(
              docs.filter(file -> file.toString().endsWith(".md")),
              Stream.of("README.md", "models/README.md", "examples/data/README.md")
                  .map(Project.HOME::resolve))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void itsLinksLeadSomewhere(Path file) throws IOException {
    assertEquals(List.of(), CodeNames.brokenLinks(Tutorial.read(file)));
  }
}
