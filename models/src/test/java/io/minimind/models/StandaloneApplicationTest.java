package io.minimind.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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

  private static final Pattern NETWORK_FAILURE =
      Pattern.compile(
          "from/to central .*(onnect|timed out|nknown host|name resolution|not known|nreachable"
              + "|status code: 5)");

  private static final Set<String> LEFT_OUT = Set.of("target", "test", ".git", "out", "data");

  @TempDir Path folder;

  @Test
  void anApplicationOfTenLinesPrintsAnAnswer() throws Exception {
    Path sources = folder.resolve("sources");
    copyProject(sources);
    Path repository = folder.resolve("repository");
    maven(
        sources,
        "deploy",
        "--projects=:minimind," + String.join(",", DEPLOYED),
        "-Dmaven.repo.local=" + localRepository(),
        "-DaltDeploymentRepository=test::" + repository.toUri(),
        "-Dmaven.test.skip",
        "-Dmaven.install.skip",
        "-Dspotless.check.skip");
    assertTrue(Files.isDirectory(repository.resolve("io/minimind/minimind-demo/0.1.0")));

    Path application = folder.resolve("application");
    copy(Project.ROOT.resolve("examples/standalone"), application);
    Path settings = Files.writeString(folder.resolve("settings.xml"), settings(repository));
    maven(
        application,
        "package",
        "--settings=" + settings,
        "-Dmaven.repo.local=" + folder.resolve("local"));
    String answer =
        output(
            new ProcessBuilder(
                java(),
                "-Dfile.encoding=UTF-8",
                "-Dstdout.encoding=UTF-8",
                "-Dminimind.cache=" + folder.resolve("cache"),
                "-jar",
                application.resolve("target/ask.jar").toString()));
    assertTrue(Pattern.compile("\\p{IsHan}").matcher(answer).find(), answer);
  }

  /** Every pom.xml, so that Maven finds its modules, and the sources of what is deployed. */
  private static void copyProject(Path to) throws IOException {
    Files.walkFileTree(
        Project.ROOT,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path from, BasicFileAttributes attributes) {
            return isLeftOut(from) || from.endsWith("src")
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (file.endsWith("pom.xml")) {
              copyFile(file, to.resolve(Project.ROOT.relativize(file).toString()));
            }
            return FileVisitResult.CONTINUE;
          }
        });
    for (String module : DEPLOYED) {
      copy(Project.ROOT.resolve(module), to.resolve(module));
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return isLeftOut(folder) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            copyFile(file, to.resolve(from.relativize(file).toString()));
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static boolean isLeftOut(Path folder) {
    return !folder.equals(Project.ROOT) && LEFT_OUT.contains(folder.getFileName().toString());
  }

  private static void copyFile(Path from, Path to) throws IOException {
    if (!Files.exists(to)) {
      Files.createDirectories(to.getParent());
      Files.copy(from, to);
    }
  }

  /**
   * The application's local repository is empty. What it needs besides SDK and model was fetched by
   * this project's build, whose local repository is asked before Maven Central.
   */
  private static String settings(Path repository) {
    String places =
        Stream.of(repository, localRepository())
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

  /** That of the build which runs this test, as Surefire tells it. */
  private static Path localRepository() {
    String told = System.getProperty("localRepository");
    return told == null
        ? Path.of(System.getProperty("user.home"), ".m2", "repository")
        : Path.of(told);
  }

  private void maven(Path project, String... arguments) throws Exception {
    boolean windows = System.getProperty("os.name").startsWith("Windows");
    List<String> command = new ArrayList<>();
    command.add(Project.ROOT.resolve(windows ? "mvnw.cmd" : "mvnw").toString());
    command.addAll(List.of("--batch-mode", "--no-transfer-progress", "--quiet", "--file"));
    command.add(project.resolve("pom.xml").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder maven = new ProcessBuilder(command).directory(project.toFile());
    maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
    // Compiled code pays off later than these builds end.
    maven.environment().merge("MAVEN_OPTS", "-XX:TieredStopAtLevel=1", (a, b) -> a + " " + b);
    output(maven);
  }

  /** What a process prints that ends well; the test is skipped where the network fails it. */
  private String output(ProcessBuilder builder) throws Exception {
    Path errors = folder.resolve("errors");
    Process process = builder.redirectError(errors.toFile()).start();
    try {
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      int status = process.waitFor();
      String all = output + "\n" + Files.readString(errors);
      if (status != 0 && isNetworkFailure(all)) {
        abort("Maven Central cannot be reached: " + all);
      }
      assertEquals(0, status, () -> String.join(" ", builder.command()) + "\n" + all);
      System.out.println(output);
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  /** A missing artifact of the project is none, even if it was looked for in Maven Central too. */
  private static boolean isNetworkFailure(String output) {
    return NETWORK_FAILURE.matcher(output).find() && !output.contains("artifact io.minimind:");
  }

  @Test
  void onlyTheNetworkIsAnExcuse() {
    String failure = "Could not transfer artifact %s from/to central (https://example.org): %s";
    assertTrue(isNetworkFailure(failure.formatted("a:b:jar:1", "Connection refused")));
    assertTrue(isNetworkFailure(failure.formatted("a:b:jar:1", "x: Name or service not known")));
    assertFalse(isNetworkFailure(failure.formatted("a:b:jar:1", "checksum validation failed")));
    assertFalse(isNetworkFailure(failure.formatted("io.minimind:b:jar:1", "Connection refused")));
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }
}
