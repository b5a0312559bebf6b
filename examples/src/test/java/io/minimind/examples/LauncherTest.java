package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script {@code minimind}, in a copy of the checkout that is built already. */
class LauncherTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  @TempDir Path folder;

  @BeforeEach
  void copy() throws IOException {
    assumeTrue(File.separatorChar == '/', "the launcher is a script for a Unix shell");
    for (String file : List.of("pom.xml", "a/pom.xml", "a/b/pom.xml", "a/src/main/x")) {
      write(file, "");
    }
    write("a/b/src/main/x", "");
    Path classPath = write("examples/target/classpath", System.getProperty("java.class.path"));
    Files.setLastModifiedTime(classPath, FileTime.from(Instant.now().plusSeconds(60)));
    Files.copy(CHECKOUT.resolve("minimind"), folder.resolve("minimind"));
    assertTrue(folder.resolve("minimind").toFile().setExecutable(true));
  }

  /** A locale that the machine does not have, as it comes over ssh, is to Java that of C. */
  @ParameterizedTest
  @ValueSource(strings = {"xx_YY.UTF-8", "C", "", "C.UTF-8"})
  void chineseArgumentsArriveWhateverTheLocaleIs(String locale) throws Exception {
    Path tokenizer = CHECKOUT.resolve("examples/data/tokenizer");
    String text = "龙井茶";
    String ids =
        run(
            Map.of("LC_ALL", locale, "LANG", locale),
            folder.resolve("out"),
            "tokenizer",
            "encode",
            "--tokenizer=" + tokenizer,
            text);
    assertTrue(ids.contains("572\t茶"), ids);
  }

  @Test
  void outputThatCannotBeWrittenIsAFailure() throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "this system has no device that is always full");
    ProcessBuilder help = command("--help").redirectOutput(full.toFile());
    Path errors = folder.resolve("errors");
    Process process = help.redirectError(errors.toFile()).start();
    assertEquals(1, process.waitFor());
    assertEquals(
        "Standard output cannot be written: No space left on device.",
        Files.readString(errors).strip());
  }

  @Test
  void ofTwoCommandsOneBuilds() throws Exception {
    buildsWhen("while [ ! -e go ]; do sleep 0.05; done");
    Process first = start("--help", "first");
    await(folder.resolve("builds"), "built");
    Process second = start("--help", "second");
    await(folder.resolve("second"), "Waiting for another command to build");
    write("go", "");
    assertEquals(0, first.waitFor());
    assertEquals(0, second.waitFor());
    assertEquals(List.of("built"), Files.readAllLines(folder.resolve("builds")));
  }

  @Test
  void aBuildThatWasKilledKeepsNobodyWaiting() throws Exception {
    buildsWhen("true");
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    Files.createSymbolicLink(
        folder.resolve("examples/target/building"), Path.of(Long.toString(ended.pid())));
    assertEquals(0, start("--help", "errors").waitFor());
    assertEquals(List.of("built"), Files.readAllLines(folder.resolve("builds")));
  }

  @Test
  void whatLacksALibraryIsBuiltAgain() throws Exception {
    buildsWhen("true");
    write("examples/target/classpath", folder.resolve("kept") + ":/nowhere/library.jar");
    assertEquals(0, start("--help", "errors").waitFor());
    assertEquals(List.of("built"), Files.readAllLines(folder.resolve("builds")));
  }

  @Test
  void anOlderJavaIsNamed() throws Exception {
    Path home = folder.resolve("old java");
    assertTrue(write("old java/bin/java", "").toFile().setExecutable(true));
    for (String version : List.of("1.8.0_392", "9.0.4", "11.0.2", "16")) {
      write("old java/release", "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
      ProcessBuilder command = command("--help").redirectErrorStream(true);
      command.environment().put("JAVA_HOME", home.toString());
      Process process = command.redirectOutput(folder.resolve("said").toFile()).start();
      assertEquals(1, process.waitFor());
      String said = Files.readString(folder.resolve("said"));
      assertTrue(said.startsWith("minimind needs Java 17 or later, and " + home), said);
    }
  }

  @Test
  void aJavaHomeWithoutJavaIsNamed() throws Exception {
    Path home = folder.resolve("no java");
    ProcessBuilder command = command("--help").redirectErrorStream(true);
    command.environment().put("JAVA_HOME", home.toString());
    Process process = command.redirectOutput(folder.resolve("said").toFile()).start();
    assertEquals(1, process.waitFor());
    String said = Files.readString(folder.resolve("said"));
    assertTrue(said.startsWith("JAVA_HOME is " + home + ", where there is no bin/java: "), said);
  }

  /** Makes the copy one that is not built, whose build waits and then notes that it ran. */
  private void buildsWhen(String wait) throws IOException {
    Path classPath = folder.resolve("examples/target/classpath");
    Files.move(classPath, folder.resolve("kept"));
    String build = "echo built >> builds; " + wait + "; cp kept examples/target/classpath\n";
    assertTrue(write("mvnw", "#!/bin/sh\n" + build).toFile().setExecutable(true));
  }

  private Process start(String argument, String errors) throws IOException {
    return command(argument)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(folder.resolve(errors).toFile())
        .start();
  }

  private static void await(Path file, String words) throws Exception {
    while (!Files.exists(file) || !Files.readString(file).contains(words)) {
      Thread.sleep(20);
    }
  }

  @Test
  void wordsThatAShellWouldTakeApartAreQuoted() {
    assertEquals("out/mine", GivenCommand.quoted("out/mine"));
    assertEquals("'out/my model'", GivenCommand.quoted("out/my model"));
    assertEquals("'it'\\''s'", GivenCommand.quoted("it's"));
  }

  private String run(Map<String, String> variables, Path output, String... arguments)
      throws Exception {
    ProcessBuilder builder = command(arguments);
    builder.environment().remove("LC_CTYPE");
    builder.environment().putAll(variables);
    Path errors = folder.resolve("errors");
    Process process =
        builder.redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
    assertEquals(0, process.waitFor(), Files.readString(errors));
    return Files.readString(output, StandardCharsets.UTF_8);
  }

  private ProcessBuilder command(String... arguments) {
    ProcessBuilder builder = new ProcessBuilder(folder.resolve("minimind").toString());
    builder.command().addAll(List.of(arguments));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    return builder;
  }

  private Path write(String file, String contents) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    return Files.writeString(path, contents);
  }
}
