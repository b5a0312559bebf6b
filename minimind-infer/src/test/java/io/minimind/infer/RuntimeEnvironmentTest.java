package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.minimind.files.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RuntimeEnvironmentTest {
  @TempDir private Path folder;

  /** Nothing is looked up, nothing is sent, and nothing is written but what Java itself writes. */
  @Test
  void loadingAndGeneratingReportsNothingToAnybody() throws Exception {
    assumeTrue(canTrace(), "this system has no strace, or does not let it trace");
    Path model = ExportedModel.write(folder.resolve("model"));
    Path home = Files.createDirectories(folder.resolve("home"));
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    Path trace = folder.resolve("trace");
    JavaProcess.Result result =
        JavaProcess.of(LoadOnce.class, model)
            .startedBy(
                "strace",
                "--follow-forks",
                "--trace=%network,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2",
                "--output=" + trace)
            .with("-Djava.io.tmpdir=" + temporary, "-XX:-UsePerfData")
            .where(
                Map.of("HOME", home.toString(), "XDG_CACHE_HOME", home.resolve("cache").toString()))
            .run();
    assertEquals("tokens 4", result.output().strip());
    List<String> calls = Files.readAllLines(trace);
    assertTrue(calls.size() > 100, "the trace has " + calls.size() + " calls");
    assertEquals(
        List.of(),
        calls.stream()
            // Java asks whether the system has sockets, by making one.
            .filter(
                call ->
                    call.contains("AF_INET") && !call.contains("socket(")
                        || call.contains("resolv.conf"))
            .toList());
    assertEquals(
        List.of(),
        calls.stream()
            .filter(call -> call.contains("O_CREAT") || call.contains("mkdir("))
            .filter(call -> !call.contains(temporary + "/onnxruntime-java"))
            // Java makes a file named after the process to see which namespace it is in.
            .filter(call -> !call.matches(".*openat\\(AT_FDCWD, \"\\d+\".*"))
            .toList());
    assertEquals(List.of(), list(home));
  }

  @ParameterizedTest
  @CsvSource({
    "1.29.0, Linux, , true",
    "1.29.0, Mac OS X, , true",
    "1.30.1, Linux, , true",
    "2.0, Linux, , true",
    "1.29.0, Linux, 1, false",
    "1.29.0, Windows 11, , false",
    "1.28.0, Linux, , false",
    "1.24.1-1.5.13, Linux, , false",
    ", Linux, , false"
  })
  void aRuntimeThatReportsIsNotStarted(
      String version, String system, String setting, boolean refused) {
    if (!refused) {
      assertDoesNotThrow(() -> RuntimeEnvironment.checkSilent(version, system, setting));
      return;
    }
    String message =
        assertThrows(
                IOException.class, () -> RuntimeEnvironment.checkSilent(version, system, setting))
            .getMessage();
    assertTrue(
        message.contains("set the environment variable ORT_DISABLE_TELEMETRY to 1"), message);
  }

  @Test
  void aFolderForTheLibraryThatIsNotThereIsASentence() throws Exception {
    Path model = ExportedModel.write(folder.resolve("model"));
    Path nowhere = folder.resolve("nowhere");
    JavaProcess.Result result =
        JavaProcess.of(LoadOnce.class, model).with("-Djava.io.tmpdir=" + nowhere).run();
    assertEquals(
        "ONNX Runtime's native library cannot be loaded: there is no such file or folder. It is"
            + " unpacked into the folder that the system property java.io.tmpdir names, "
            + nowhere
            + "; start Java with one that exists, can be written to, has some 50 MB free and may"
            + " hold programs.",
        result.output().strip());
    assertEquals(0, result.status());
  }

  private boolean canTrace() {
    try {
      Process process =
          new ProcessBuilder("strace", "-o", folder.resolve("true").toString(), "true").start();
      return process.waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
