package io.minimind.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An application does not have this project's {@code dependencyManagement}: of two versions of a
 * library it gets the nearer one, which may be older than what our tests ran with.
 */
@Timeout(300)
class ApplicationDependenciesTest {

  private static final Pattern LOST =
      Pattern.compile("\\(\\S+:jar:([^:]+):\\w+ - omitted for conflict with (\\S+)\\)");

  private static final String APPLICATION =
      """
      <project xmlns="http://maven.apache.org/POM/4.0.0">
        <modelVersion>4.0.0</modelVersion>
        <groupId>com.example</groupId>
        <artifactId>application</artifactId>
        <version>1</version>
        <dependencies>
          <dependency>
            <groupId>io.minimind</groupId>
            <artifactId>%s</artifactId>
            <version>0.1.0</version>
          </dependency>
        </dependencies>
      </project>
      """;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"minimind-post-training", "minimind-server"})
  void noLibraryIsOlderThanWhatSomethingNeeds(String artifact) throws Exception {
    Path repository = folder.resolve("repository");
    deployDescriptions(repository);
    Path application = Files.createDirectory(folder.resolve("application"));
    Files.writeString(application.resolve("pom.xml"), APPLICATION.formatted(artifact));
    Path settings =
        Files.writeString(
            folder.resolve("settings.xml"), StandaloneApplicationTest.settings(repository));
    Builds.maven(
        application,
        "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:tree",
        "--settings=" + settings,
        "-Dmaven.repo.local=" + folder.resolve("local"),
        "-Dverbose",
        "-DoutputFile=tree.txt");
    String tree = Files.readString(application.resolve("tree.txt"));
    assertTrue(tree.contains("io.minimind:minimind-text:jar"), tree);
    List<String> older = new ArrayList<>();
    for (MatchResult lost : LOST.matcher(tree).results().toList()) {
      if (Version.parse(lost.group(2)).compareTo(Version.parse(lost.group(1))) < 0) {
        older.add(lost.group());
      }
    }
    assertEquals(List.of(), older);
  }

  /**
   * What a release has beside its jars: all that is read to find out which libraries are needed.
   */
  private static void deployDescriptions(Path repository) throws IOException {
    Pattern name = Pattern.compile("(?s)</parent>.*?<artifactId>([^<]+)</artifactId>");
    try (Stream<Path> poms = Files.find(Project.ROOT, 4, (file, is) -> file.endsWith("pom.xml"))) {
      for (Path pom : poms.filter(pom -> !pom.toString().contains("target")).toList()) {
        String artifact =
            pom.getParent().equals(Project.ROOT)
                ? "minimind"
                : name.matcher(Files.readString(pom))
                    .results()
                    .map(m -> m.group(1))
                    .findFirst()
                    .orElse("");
        Path place = repository.resolve("io/minimind").resolve(artifact).resolve("0.1.0");
        if (artifact.startsWith("minimind") && Files.notExists(place)) {
          Files.createDirectories(place);
          Files.copy(pom, place.resolve(artifact + "-0.1.0.pom"));
        }
      }
    }
  }
}
