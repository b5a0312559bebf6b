package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.minimind.files.JavaProcess;
import io.minimind.files.Sha256;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackagedModelTest {
  @TempDir private Path folder;
  private Path model;
  private Path cache;

  @BeforeEach
  void writeModel() throws IOException {
    model = ExportedModel.write(folder.resolve("model"));
    cache = folder.resolve("cache");
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private URLClassLoader packaged(String name, String moreIndex) throws Exception {
    Path jar = Files.createTempFile(folder, "model", ".jar");
    StringBuilder index = new StringBuilder();
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (Path file : list(model)) {
        byte[] bytes = Files.readAllBytes(file);
        String line = "  " + file.getFileName() + "\n";
        if (!moreIndex.contains(line)) {
          index.append(Sha256.of(bytes)).append(line);
        }
        out.putNextEntry(new ZipEntry("minimind/models/" + name + "/" + file.getFileName()));
        out.write(bytes);
      }
      out.putNextEntry(new ZipEntry("minimind/models/" + name + "/SHA256SUMS"));
      out.write((index + moreIndex).getBytes());
    }
    return new URLClassLoader(new URL[] {jar.toUri().toURL()}, null);
  }

  @Test
  void theFolderIsUnpackedOnce() throws Exception {
    try (URLClassLoader jar = packaged("tiny", "")) {
      Path unpacked = PackagedModel.unpack(jar, "tiny", cache);
      assertEquals(List.of(unpacked), list(cache));
      for (Path file : list(model)) {
        assertEquals(-1, Files.mismatch(file, unpacked.resolve(file.getFileName())));
      }
      byte[] other = new byte[(int) Files.size(unpacked.resolve("config.json"))];
      Files.write(unpacked.resolve("config.json"), other);
      assertEquals(unpacked, PackagedModel.unpack(jar, "tiny", cache));
      assertArrayEquals(other, Files.readAllBytes(unpacked.resolve("config.json")));

      Files.writeString(model.resolve("generation_config.json"), "{}");
      try (URLClassLoader next = packaged("tiny", "")) {
        assertNotEquals(unpacked, PackagedModel.unpack(next, "tiny", cache));
      }
    }
  }

  @Test
  void whatIsMissingOrCutOffIsUnpackedAgain() throws Exception {
    try (URLClassLoader jar = packaged("tiny", "")) {
      Path unpacked = PackagedModel.unpack(jar, "tiny", cache);
      Files.delete(unpacked.resolve("config.json"));
      Files.write(unpacked.resolve("model.safetensors"), new byte[10]);
      assertEquals(unpacked, PackagedModel.unpack(jar, "tiny", cache));
      assertEquals(List.of(unpacked), list(cache));
      for (Path file : list(model)) {
        assertEquals(-1, Files.mismatch(file, unpacked.resolve(file.getFileName())));
      }
    }
  }

  @Test
  void leftoversOfKilledProcessesAreRemoved() throws Exception {
    Path old = Files.createDirectories(cache.resolve(".unfinished-1"));
    Files.writeString(old.resolve("model.safetensors"), "half");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
    Path running = Files.createDirectories(cache.resolve(".unfinished-2"));
    try (URLClassLoader jar = packaged("tiny", "")) {
      Path unpacked = PackagedModel.unpack(jar, "tiny", cache);
      assertEquals(List.of(running, unpacked), list(cache));
    }
  }

  @Test
  void aCacheThatIsAFileIsASentence() throws Exception {
    Files.writeString(cache, "");
    try (URLClassLoader jar = packaged("tiny", "")) {
      String message =
          assertThrows(IOException.class, () -> PackagedModel.unpack(jar, "tiny", cache))
              .getMessage();
      assertEquals(
          "The packaged model tiny cannot be unpacked into "
              + cache
              + ": that is a file; make room there, or name another folder in the system property"
              + " minimind.cache.",
          message);
    }
  }

  /** A limit of the shell on the size of files stands for a disk that is full. */
  @Test
  void aFullDiskIsASentence() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "this system has no shell with limits");
    try (URLClassLoader jar = packaged("tiny", "")) {
      JavaProcess.Result result =
          JavaProcess.of(LoadOnce.class, "classpath:tiny")
              .onFirst(Path.of(jar.getURLs()[0].toURI()))
              .startedBy("/bin/sh", "-c", "ulimit -f 4; exec \"$@\"", "sh")
              .with("-XX:-UsePerfData", "-Dminimind.cache=" + cache)
              .run();
      String message = result.output().strip();
      assertTrue(
          message.startsWith("The packaged model tiny cannot be unpacked into " + cache), message);
      assertTrue(message.endsWith("in the system property minimind.cache."), message);
      assertEquals(1, message.lines().count(), message);
      assertEquals(List.of(), list(cache));
    }
  }

  @Test
  void theModelSpeaks() throws Exception {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    System.setProperty("minimind.cache", cache.toString());
    try (URLClassLoader jar = packaged("tiny", "")) {
      Thread.currentThread().setContextClassLoader(jar);
      try (LanguageModel packaged = LanguageModel.fromClasspath("tiny");
          LanguageModel loaded = LanguageModel.load(model)) {
        GenerationOptions greedy = GenerationOptions.greedy().withMaxNewTokens(20);
        assertEquals(
            loaded.generate("law", greedy).text(), packaged.generate("law", greedy).text());
      }
      Path unpacked = PackagedModel.unpack(jar, "tiny", cache);
      Files.write(
          unpacked.resolve("config.json"),
          new byte[(int) Files.size(unpacked.resolve("config.json"))]);
      String message =
          assertThrows(IOException.class, () -> LanguageModel.fromClasspath("tiny")).getMessage();
      assertTrue(message.endsWith(unpacked + "; delete that folder to have it unpacked again."));
    } finally {
      System.clearProperty("minimind.cache");
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  @Test
  void whatIsMissingOrDamagedIsNamedAndLeavesNothing() throws Exception {
    String zeros = "0".repeat(64);
    assertRefused("", "other", "There is no model other on the class path");
    assertRefused(zeros + "  missing.txt\n", "tiny", "missing.txt is missing");
    assertRefused(zeros + "  config.json\n", "tiny", "config.json of the packaged model tiny is");
    assertRefused((zeros + "  config.json\n").repeat(2), "tiny", "none may stand there twice");
    assertRefused(zeros + "  ../up\n", "tiny", "has the line \"" + zeros + "  ../up\"");
    assertThrows(
        IllegalArgumentException.class,
        () -> PackagedModel.unpack(getClass().getClassLoader(), "../up", cache));
  }

  private void assertRefused(String moreIndex, String name, String part) throws Exception {
    try (URLClassLoader jar = packaged("tiny", moreIndex)) {
      String message =
          assertThrows(IOException.class, () -> PackagedModel.unpack(jar, name, cache))
              .getMessage();
      assertTrue(message.contains(part), message);
      assertTrue(!Files.exists(cache) || list(cache).isEmpty());
    }
  }
}
