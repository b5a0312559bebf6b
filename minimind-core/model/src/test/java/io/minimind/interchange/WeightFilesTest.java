package io.minimind.interchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.InputException;
import io.minimind.weights.HalfFloats;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class WeightFilesTest {

  @TempDir Path folder;

  /** Reading a header, however the file lies, costs no more. */
  private static final Duration LIMIT = Duration.ofSeconds(1);

  @Test
  @DisabledOnOs(OS.WINDOWS) // where nobody can cut it
  void aFileThatIsCutWhileItIsMappedIsASentence() throws IOException {
    Path file = folder.resolve("weights.safetensors");
    NamedTensor tensor = NamedTensor.ofFloats("w", new float[1 << 20], 1 << 10, 1 << 10);
    SafetensorsFile.write(file, List.of(tensor), Map.of());
    StreamedTensor opened = WeightFiles.open(file).get("w");
    Files.write(file, new byte[0]);
    IOException cut = assertThrows(InputException.class, opened::load);
    assertEquals(file + " was cut while it was being read.", cut.getMessage());
  }

  @Test
  void whatIsOfNoFormatIsNotTakenForOne() throws IOException {
    Path notes = Files.writeString(folder.resolve("notes.txt"), "What I wanted to say.");
    IOException refused = assertThrows(IOException.class, () -> WeightFiles.open(notes));
    assertEquals(
        notes
            + " holds no weights: expected safetensors, GGUF or what PyTorch saved (.pth, .bin), or"
            + " a folder with such a file and config.json.",
        refused.getMessage());
    Path named = Files.copy(notes, folder.resolve("model.safetensors"));
    IOException damaged = assertThrows(IOException.class, () -> WeightFiles.open(named));
    assertTrue(damaged.getMessage().contains("the safetensors file " + named), damaged::getMessage);
  }

  @TestFactory
  Stream<DynamicTest> hostileFilesAreRefusedInASentence() throws IOException {
    Optional<Path> models = golden();
    Assumptions.assumeTrue(models.isPresent(), "no folder of reference models beside the checkout");
    JsonNode cases =
        new ObjectMapper().readTree(models.get().resolve("hostile/index.json").toFile());
    return StreamSupport.stream(cases.spliterator(), false)
        .filter(hostile -> !hostile.path("kind").asText().equals("folder"))
        .map(
            hostile ->
                DynamicTest.dynamicTest(
                    hostile.path("file").asText(), () -> check(models.get(), hostile)));
  }

  private static void check(Path models, JsonNode hostile) {
    Path file = models.resolve(hostile.path("file").asText());
    String must = hostile.path("must").asText();
    assertTimeoutPreemptively(
        LIMIT,
        () -> {
          try {
            for (StreamedTensor tensor : WeightFiles.open(file).values()) {
              assertTrue(tensor.load().length < 100_000, must);
            }
            assertTrue(must.contains("load"), () -> file + " must: " + must);
          } catch (IOException e) {
            assertTrue(must.contains("refuse"), e::getMessage);
            assertSentence(e.getMessage(), file);
          }
        });
    assertFalse(Files.exists(Path.of("hostile-was-executed.txt")));
  }

  private static void assertSentence(String message, Path file) {
    assertTrue(message.contains(file.getFileName().toString()), message);
    assertTrue(message.endsWith(".") && message.length() < 500, message);
    assertFalse(message.contains("Exception") || message.contains("java."), message);
  }

  @Test
  void everyNumberOfTwoBytesIsItself() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = HalfFloats.float16((short) bits);
      if (!Float.isNaN(value)) {
        assertEquals((short) bits, HalfFloats.toFloat16(value), "float16 of " + value);
        // Halfway to the next, the even one is taken.
        float next = HalfFloats.float16((short) (bits + 1));
        if (Float.isFinite(next) && Math.signum(next) == Math.signum(value)) {
          int even = bits % 2 == 0 ? bits : bits + 1;
          assertEquals((short) even, HalfFloats.toFloat16((value + next) / 2), "" + value);
        }
      }
    }
    assertEquals(1.5f, HalfFloats.bfloat16((short) 0x3FC0));
    assertEquals(Float.POSITIVE_INFINITY, HalfFloats.float16(HalfFloats.toFloat16(65520)));
    assertEquals(65504, HalfFloats.float16(HalfFloats.toFloat16(65519)));
  }

  @Test
  void shardsAreOneSource() throws IOException {
    write("model-1.safetensors", "a");
    write("model-2.safetensors", "b");
    index("{\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}");
    Map<String, StreamedTensor> tensors = WeightFiles.open(WeightFiles.in(folder).orElseThrow());
    assertEquals(List.of("a", "b"), new ArrayList<>(tensors.keySet()));
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, tensors.get("b").load());
  }

  @Test
  void anIndexThatIsWrongIsRefused() throws IOException {
    write("model-1.safetensors", "a");
    write("model-2.safetensors", "a");
    assertRefused("{\"a\": \"../model-1.safetensors\"}", "the name of a file beside it");
    assertRefused("{\"a\": \"model-3.safetensors\"}", "names model-3.safetensors, which is not");
    assertRefused("{\"c\": \"model-1.safetensors\"}", "holds c, but it does not");
    assertRefused(
        "{\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}", "hold a tensor a");
    assertRefused("[]", "no weight_map");
    assertRefused("{\"a\": 1, \"a\": 2}", "not valid JSON");
  }

  @Test
  void rowsMoveAndPiecesCoverAll() throws IOException {
    StreamedTensor tensor = StreamedTensor.of("t", new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
    assertArrayEquals(new float[] {5, 6, 3, 4, 1, 2}, tensor.reordered(row -> 2 - row).load());
    assertArrayEquals(new float[] {3, 4}, tensor.part(1).load());
    float[] part = new float[3];
    tensor.reordered(row -> 2 - row).values().read(1, part, 0, 3);
    assertArrayEquals(new float[] {6, 3, 4}, part);
    StreamedTensor long1 = StreamedTensor.of("l", new float[700_000], 700, 1000);
    long[] seen = {0};
    long1.forEachPiece((values, count) -> seen[0] += count);
    assertEquals(700_000, seen[0]);
  }

  private void assertRefused(String map, String problem) throws IOException {
    index(map);
    Path file = WeightFiles.in(folder).orElseThrow();
    IOException refusal = assertThrows(IOException.class, () -> WeightFiles.open(file));
    assertTrue(refusal.getMessage().contains(problem), refusal.getMessage());
  }

  private void index(String map) throws IOException {
    Files.writeString(
        folder.resolve("model.safetensors.index.json"), "{\"weight_map\": " + map + "}");
  }

  private void write(String file, String tensor) throws IOException {
    SafetensorsFile.write(
        folder.resolve(file),
        List.of(NamedTensor.ofFloats(tensor, new float[] {1, 2, 3, 4, 5, 6}, 3, 2)),
        Map.of());
  }

  /** The folder of reference models: where a property says, or beside the checkout. */
  private static Optional<Path> golden() {
    String given = System.getProperty("minimind.golden-models");
    if (given != null) {
      return Optional.of(Path.of(given));
    }
    return Stream.iterate(Path.of("").toAbsolutePath(), at -> at != null, Path::getParent)
        .map(at -> at.resolve("shared/golden-models"))
        .filter(Files::isDirectory)
        .findFirst();
  }
}
