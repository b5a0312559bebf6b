package io.minimind.weights.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.AtomicFile;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufFileTest {

  @TempDir Path folder;

  /** The numbers are those of the package gguf, 0.19.0, for random bytes. */
  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void blocksAreWhatTheirAuthorsComputeOfThem(GgufType type) throws IOException {
    JsonNode known;
    try (InputStream in = GgufFileTest.class.getResourceAsStream("/gguf-blocks.json")) {
      known = new ObjectMapper().readTree(in).path(type.name());
    }
    byte[] blocks = HexFormat.of().parseHex(known.path("bytes").asText());
    int size = known.path("values").size();
    float[] expected = new float[size];
    for (int i = 0; i < size; i++) {
      expected[i] = known.path("values").path(i).floatValue();
    }
    Path file = folder.resolve("blocks.gguf");
    new GgufWriter()
        .tensor(
            "t",
            List.of(1L, (long) size),
            type,
            channel -> AtomicFile.write(channel, ByteBuffer.wrap(blocks)))
        .write(file);
    StreamedTensor tensor = GgufFile.open(file).tensors().get("t");
    assertArrayEquals(expected, tensor.load(), 1e-6f);
    float[] some = new float[9];
    tensor.values().read(27, some, 0, 9);
    assertEquals(expected[27], some[0], 1e-6f);
    assertEquals(expected[35], some[8], 1e-6f);
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path file = folder.resolve("all.gguf");
    new GgufWriter()
        .text("text", "é")
        .integer("integer", 4_000_000_000L)
        .number("number", 0.1f)
        .flag("flag", true)
        .texts("texts", List.of("", "b"))
        .integers("integers", List.of(-1, 2))
        .numbers("numbers", List.of(0.5f))
        .float32(StreamedTensor.of("a", new float[] {1, 2, 3}, 1, 3))
        .float16(StreamedTensor.of("b", new float[] {0.5f, -65504, 1e-7f, 4}, 2, 2))
        .write(file);
    GgufFile read = GgufFile.open(file);
    assertEquals("é", read.metadata().text("text").orElseThrow());
    assertEquals(4_000_000_000L, read.metadata().integer("integer").orElseThrow());
    assertEquals(0.1f, (float) read.metadata().number("number").orElseThrow());
    assertTrue(read.metadata().flag("flag").orElseThrow());
    assertEquals(List.of("", "b"), read.metadata().list("texts", String.class).orElseThrow());
    assertEquals(List.of(-1L, 2L), read.metadata().list("integers", Long.class).orElseThrow());
    assertEquals(List.of(0.5), read.metadata().list("numbers", Double.class).orElseThrow());
    assertEquals(List.of(1L, 3L), read.tensors().get("a").shape());
    assertArrayEquals(new float[] {1, 2, 3}, read.tensors().get("a").load());
    assertArrayEquals(new float[] {0.5f, -65504, 0x1p-23f, 4}, read.tensors().get("b").load());
    IOException refusal = assertThrows(IOException.class, () -> read.metadata().integer("text"));
    assertTrue(refusal.getMessage().contains("text of"), refusal.getMessage());
  }

  @Test
  void aFileThatIsCutOrChangedAnywhereIsReadOrRefused() throws IOException {
    Path file = folder.resolve("whole.gguf");
    new GgufWriter()
        .text("general.architecture", "llama")
        .texts("tokens", List.of("a", "b"))
        .float32(StreamedTensor.of("w", new float[64], 2, 32))
        .write(file);
    byte[] whole = Files.readAllBytes(file);
    Path other = folder.resolve("other.gguf");
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = whole.clone();
      bytes[random.nextInt(200)] ^= (byte) (1 << random.nextInt(8));
      Files.write(other, i % 4 == 0 ? Arrays.copyOf(whole, i % whole.length) : bytes);
      try {
        for (StreamedTensor tensor : GgufFile.open(other).tensors().values()) {
          tensor.load();
        }
      } catch (IOException e) {
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
        assertFalse(e.getMessage().contains("java."), e.getMessage());
      }
    }
  }
}
