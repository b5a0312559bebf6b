package io.minimind.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
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

/** Copies of this project's sources, and builds of them by a Maven of their own. */
final class Builds {

  private static final Pattern NETWORK_FAILURE =
      Pattern.compile(
          "from/to central .*(onnect|timed out|nknown host|name resolution|not known|nreachable"
              + "|status code: 5)");

  private static final Set<String> LEFT_OUT = Set.of("target", ".git", "out");

  private Builds() {}

  /** Every pom.xml, so that Maven finds its modules, and the sources of what is deployed. */
  static void copyProject(List<String> modules, Path to) throws IOException {
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
    for (String module : modules) {
      copy(Project.ROOT.resolve(module), to.resolve(module));
    }
  }

  static void copy(Path from, Path to) throws IOException {
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

  /** That of the build which runs this test, as Surefire tells it. */
  static Path localRepository() {
    String told = System.getProperty("localRepository");
    return told == null
        ? Path.of(System.getProperty("user.home"), ".m2", "repository")
        : Path.of(told);
  }

  static void maven(Path project, String... arguments) throws Exception {
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
  static String output(ProcessBuilder builder) throws Exception {
    Path errors = Files.createTempFile("minimind-build", ".err");
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
      Files.deleteIfExists(errors);
    }
  }

  /** A missing artifact of the project is none, even if it was looked for in Maven Central too. */
  static boolean isNetworkFailure(String output) {
    return NETWORK_FAILURE.matcher(output).find() && !output.contains("artifact io.minimind:");
  }
}
