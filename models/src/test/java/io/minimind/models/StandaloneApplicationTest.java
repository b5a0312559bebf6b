package io.minimind.models;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * SDK and model are deployed to a Maven repository, and an application with a build of its own
 * takes them from there. All of it happens in copies of the sources, apart from the build that runs
 * this test, and leaves nothing in the local repository but Maven's plugins.
 */
@Timeout(600)
class StandaloneApplicationTest {

  /**
   * What applications take, and what its tests need; the others are there with their pom.xml alone.
   */
  private static final List<String> DEPLOYED =
      List.of(
          "minimind-core",
          "minimind-core/text",
          "minimind-core/model",
          "minimind-infer",
          "models/minimind-demo");

  private static final String PLACE =
      """
      <repository>
        <id>place-%s</id>
        <url>%s</url>
        <releases><checksumPolicy>ignore</checksumPolicy></releases>
      </repository>
      """;

  @TempDir Path folder;

  @Test
  void anApplicationOfTenLinesPrintsAnAnswer() throws Exception {
    Path sources = folder.resolve("sources");
    Builds.copyProject(DEPLOYED, sources);
    Path repository = folder.resolve("repository");
    Builds.maven(
        sources,
        "deploy",
        "--projects=:minimind," + String.join(",", DEPLOYED),
        "-Dmaven.repo.local=" + Builds.localRepository(),
        "-DaltDeploymentRepository=test::" + repository.toUri(),
        "-Dmaven.test.skip",
        "-Dmaven.install.skip",
        "-Dspotless.check.skip");
    assertTrue(Files.isDirectory(repository.resolve("io/minimind/minimind-demo/0.1.0")));

    Path application = folder.resolve("application");
    Builds.copy(Project.ROOT.resolve("examples/standalone"), application);
    Path settings = Files.writeString(folder.resolve("settings.xml"), settings(repository));
    Builds.maven(
        application,
        "package",
        "--settings=" + settings,
        "-Dmaven.repo.local=" + folder.resolve("local"));
    String answer =
        Builds.output(
            new ProcessBuilder(
                java(),
                "-Dfile.encoding=UTF-8",
                "-Dstdout.encoding=UTF-8",
                "-Dminimind.cache=" + folder.resolve("cache"),
                "-jar",
                application.resolve("target/ask.jar").toString()));
    assertTrue(Pattern.compile("\\p{IsHan}").matcher(answer).find(), answer);
  }

  /**
   * The application's local repository is empty. What it needs besides SDK and model was fetched by
   * this project's build, whose local repository is asked before Maven Central.
   */
  static String settings(Path repository) {
    String places =
        Stream.of(repository, Builds.localRepository())
            .map(Path::toUri)
            .map(url -> PLACE.formatted(Integer.toHexString(url.hashCode()), url))
            .collect(Collectors.joining());
    return """
    <settings>
      <profiles>
        <profile>
          <id>places</id>
          <activation><activeByDefault>true</activeByDefault></activation>
          <repositories>%s</repositories>
          <pluginRepositories>%s</pluginRepositories>
        </profile>
      </profiles>
    </settings>
    """
        .formatted(places, places.replace("repository>", "pluginRepository>"));
  }

  @Test
  void onlyTheNetworkIsAnExcuse() {
    String failure = "Could not transfer artifact %s from/to central (https://example.org): %s";
    assertTrue(Builds.isNetworkFailure(failure.formatted("a:b:jar:1", "Connection refused")));
    assertTrue(
        Builds.isNetworkFailure(failure.formatted("a:b:jar:1", "x: Name or service not known")));
    assertFalse(
        Builds.isNetworkFailure(failure.formatted("a:b:jar:1", "checksum validation failed")));
    assertFalse(
        Builds.isNetworkFailure(failure.formatted("io.minimind:b:jar:1", "Connection refused")));
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }
}
