package io.minimind.infer;

import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.minimind.files.Sha256;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphSessionTest {
  private static final GenerationOptions OPTIONS = GenerationOptions.greedy().withMaxNewTokens(30);

  @TempDir private Path folder;

  @BeforeEach
  void write() throws IOException {
    ExportedModel.write(folder);
  }

  /** As a deployment does that copies a new model over the one that is being served. */
  @Test
  void aModelGoesOnWhenItsFilesAreCopiedOver() throws IOException {
    try (LanguageModel model = LanguageModel.load(folder)) {
      String before = model.generate("law", OPTIONS).text();
      System.gc(); // Nothing of what was read may be needed still.
      for (Path file : files()) {
        Files.write(file, new byte[0], TRUNCATE_EXISTING);
      }
      assertEquals(before, model.generate("law", OPTIONS).text());
      byte[] noise = new byte[1 << 20];
      new Random(1).nextBytes(noise);
      for (Path file : files()) {
        Files.write(file, noise);
      }
      assertEquals(before, model.generate("law", OPTIONS).text());
    }
  }

  /**
   * Not by the garbage collector, which may never run where all work is done in native code. The
   * embedding is read where it lies, until the model is closed.
   */
  @Test
  void whatWasReadIsGivenBackAtOnce() throws IOException {
    LanguageModel.load(folder).close(); // Whatever is made once is made.
    long before = nativeBytes();
    long more;
    try (Decoder model = Decoder.load(folder, 1)) {
      more = nativeBytes() - before;
      assertTrue(more > model.vocabularySize(), "the embedding is in memory of its own");
      assertTrue(more < Files.size(folder.resolve("model.safetensors")) / 2, "kept " + more);
    }
    assertTrue(nativeBytes() - before < more / 2, "a model that is closed needs no embedding");
  }

  private static long nativeBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void mappedWeightsGiveTheSameAnswers() throws IOException {
    LoadOptions mapped = LoadOptions.defaults().withMappedWeights(true);
    try (LanguageModel read = LanguageModel.load(folder);
        LanguageModel other = LanguageModel.load(folder, mapped)) {
      assertEquals(read.generate("law", OPTIONS).text(), other.generate("law", OPTIONS).text());
    }
  }

  /** The runtime has copies of what was mapped, and maps it no more. */
  @Test
  void weightsAreMappedOnlyWhileTheyAreLoaded() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    assumeTrue(Files.exists(maps), "this system does not tell what is mapped");
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "others may make no copies");
    LoadOptions mapped = LoadOptions.defaults().withMappedWeights(true);
    List<String> before = Files.readAllLines(maps); // Whoever wrote the folder mapped it, too.
    try (LanguageModel model = LanguageModel.load(folder, mapped)) {
      for (String line : Files.readAllLines(maps)) {
        assertTrue(!line.contains(folder.toString()) || before.contains(line), line);
      }
      String answer = model.generate("law", OPTIONS).text();
      Files.write(folder.resolve("model.safetensors"), new byte[0], TRUNCATE_EXISTING);
      assertEquals(answer, model.generate("law", OPTIONS).text());
    }
  }

  @Test
  void aGraphThatIsNotOursIsTakenOnlyIfAllowed() throws IOException {
    Path model = folder.resolve("model.onnx");
    byte[] bytes = Files.readAllBytes(model);
    // A field that ONNX does not have, which ONNX Runtime passes over.
    byte[] more = Arrays.copyOf(bytes, bytes.length + 4);
    more[bytes.length] = (byte) 0xa0;
    more[bytes.length + 1] = (byte) 0xf7;
    more[bytes.length + 2] = 0x36;
    more[bytes.length + 3] = 1;
    Files.write(model, more);
    assertThrows(IOException.class, () -> LanguageModel.load(folder));
    LoadOptions foreign = LoadOptions.defaults().withForeignGraphs(true);
    try (LanguageModel loaded = LanguageModel.load(folder, foreign)) {
      assertEquals(30, loaded.generate("law", OPTIONS).tokenIds().length);
    }
  }

  @Test
  void filesAreComparedWithTheIndexOfChecksums() throws IOException {
    StringBuilder index = new StringBuilder();
    for (Path file : files()) {
      index.append(Sha256.of(file)).append("  ").append(file.getFileName()).append('\n');
    }
    Path sums = Files.writeString(folder.resolve("SHA256SUMS"), index);
    LanguageModel.load(folder).close();
    Path weights = folder.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 2] ^= 1;
    Files.write(weights, bytes);
    assertRefused(weights + " is damaged or was changed");
    LoadOptions unchecked = LoadOptions.defaults().withChecksums(false);
    LanguageModel.load(folder, unchecked).close();
    assertThrows(IOException.class, () -> Decoder.load(folder, 1));
    Files.delete(weights);
    assertRefused(sums + " names the file model.safetensors, which is missing");
    Files.writeString(sums, "../../etc/passwd\0" + "x".repeat(100_000));
    assertRefused("../../etc/passwd\\u0000xxx");
  }

  private void assertRefused(String part) {
    String message = assertThrows(IOException.class, () -> LanguageModel.load(folder)).getMessage();
    assertTrue(message.contains(part), message);
    assertTrue(message.length() < 1000 && message.endsWith("."), message);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
