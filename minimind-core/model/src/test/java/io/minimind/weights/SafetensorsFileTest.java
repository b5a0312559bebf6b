package io.minimind.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.graph.ElementType;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {

  @TempDir Path folder;

  @Provide
  Arbitrary<List<NamedTensor>> tensors() {
    return Tensors.lists(Tensors.texts().filter(name -> !name.equals("__metadata__")));
  }

  @Provide
  Arbitrary<Map<String, String>> metadata() {
    return Arbitraries.maps(Tensors.texts(), Tensors.texts()).ofMaxSize(3);
  }

  @Property(tries = 200)
  void givesBackWhatWasWritten(
      @ForAll("tensors") List<NamedTensor> tensors,
      @ForAll("metadata") Map<String, String> metadata)
      throws IOException {
    Path path = Files.createTempFile("round-trip", ".safetensors");
    try {
      SafetensorsFile.write(path, tensors, metadata);
      SafetensorsFile file = SafetensorsFile.open(path);

      assertEquals(metadata, file.metadata());
      assertEquals(tensors.size(), file.names().size());
      byte[] bytes = Files.readAllBytes(path);
      for (NamedTensor tensor : tensors) {
        assertEquals(Optional.of(tensor), file.tensor(tensor.name()));
        int offset = (int) file.dataOffset(tensor.name());
        assertEquals(
            tensor.data(), ByteBuffer.wrap(bytes, offset, tensor.data().remaining()).slice());
      }
    } finally {
      Files.delete(path);
    }
  }

  @Test
  void keepsTheGivenOrder() throws IOException {
    Path path = folder.resolve("model.safetensors");
    List<NamedTensor> tensors =
        List.of(
            Tensors.random("z", ElementType.BOOL, 1, 3),
            Tensors.random("a", ElementType.FLOAT64, 2, 2),
            Tensors.random("m", ElementType.FLOAT32, 3));
    SafetensorsFile.write(path, tensors, Map.of());

    assertEquals(tensors, SafetensorsFile.open(path).tensors());
    assertEquals(List.of("z", "a", "m"), SafetensorsFile.open(path).names());
  }

  @Test
  void writesTheFormatByteForByte() throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "pt");
    metadata.put("about", "\"说\"");
    Path path = folder.resolve("model.safetensors");
    SafetensorsFile.write(
        path, List.of(NamedTensor.ofFloats("w", new float[] {1, 2}, 2, 1)), metadata);

    String header =
        "{\"__metadata__\":{\"about\":\"\\\"说\\\"\",\"format\":\"pt\"},"
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";
    byte[] utf8 = header.getBytes(StandardCharsets.UTF_8);
    byte[] padded = Arrays.copyOf(utf8, (utf8.length + 7) / 8 * 8);
    Arrays.fill(padded, utf8.length, padded.length, (byte) ' ');
    ByteBuffer expected = ByteBuffer.allocate(16 + padded.length).order(ByteOrder.LITTLE_ENDIAN);
    expected.putLong(padded.length).put(padded).putFloat(1).putFloat(2);
    assertArrayEquals(expected.array(), Files.readAllBytes(path));
  }

  /** The resource was written by the safetensors library for Python. */
  @Test
  void readsAndWritesAsTheReferenceImplementation() throws IOException {
    Path path = folder.resolve("reference.safetensors");
    try (InputStream resource = getClass().getResourceAsStream("every-type.safetensors")) {
      Files.copy(resource, path);
    }
    SafetensorsFile file = SafetensorsFile.open(path);

    assertEquals(Map.of("format", "np"), file.metadata());
    assertEquals(
        Optional.of(NamedTensor.ofFloats("matrix", new float[] {0, .5f, 1, -1.5f, 2, -2.5f}, 2, 3)),
        file.tensor("matrix"));
    assertEquals(0.1, file.tensor("scalar").orElseThrow().data().getDouble());
    assertEquals(
        "empty float32[2, 0, 3]", file.tensor("empty").map(NamedTensor::toString).orElseThrow());
    assertEquals(1L << 62, file.tensor("longs").orElseThrow().data().getLong(8));
    assertEquals(-7, file.tensor("ints").orElseThrow().data().getInt(4));
    assertEquals(ByteBuffer.wrap(new byte[] {1, 0, 1}), file.tensor("对错").orElseThrow().data());
    assertWrittenAlike(path);
  }

  @Test
  void readsAndWritesTheGoldenFiles() throws IOException {
    Optional<Path> golden =
        Stream.iterate(Path.of("").toAbsolutePath(), parent -> parent != null, Path::getParent)
            .map(parent -> parent.resolve("shared/golden"))
            .filter(Files::isDirectory)
            .findFirst();
    Assumptions.assumeTrue(golden.isPresent(), "no folder shared/golden beside the checkout");
    List<Path> files;
    try (Stream<Path> all = Files.list(golden.get())) {
      files = all.filter(path -> path.toString().endsWith(".safetensors")).toList();
    }
    assertFalse(files.isEmpty());
    for (Path path : files) {
      assertWrittenAlike(path);
    }
  }

  private void assertWrittenAlike(Path path) throws IOException {
    SafetensorsFile file = SafetensorsFile.open(path);
    Path copy = folder.resolve("copy.safetensors");
    SafetensorsFile.write(copy, file.tensors(), file.metadata());
    assertEquals(-1, Files.mismatch(path, copy), path.toString());
  }

  @Test
  void mapsFilesLargerThanTwoGigabytes() throws IOException {
    long gigabyte = 1L << 30;
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i < 3; i++) {
      header.append(
          "%s\"t%d\":{\"dtype\":\"I32\",\"shape\":[%d],\"data_offsets\":[%d,%d]}"
              .formatted(i == 0 ? "" : ",", i, gigabyte / 4, i * gigabyte, (i + 1) * gigabyte));
    }
    Path path = file(header.append("}").toString(), 0);
    long dataStart = Files.size(path);
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.setLength(dataStart + 3 * gigabyte);
      sparse.seek(dataStart + 3 * gigabyte - 1);
      sparse.write(0x7f);
    }
    SafetensorsFile file = SafetensorsFile.open(path);

    assertEquals(dataStart + 2 * gigabyte, file.dataOffset("t2"));
    assertEquals(0x7f00_0000, file.tensor("t2").orElseThrow().data().getInt((int) gigabyte - 4));
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    byte[] bytes = Files.readAllBytes(small());
    for (int length = 0; length < bytes.length; length++) {
      assertRefused("ends within its header|bytes but", Arrays.copyOf(bytes, length));
    }
    assertRefused("but 9 follow", Arrays.copyOf(bytes, bytes.length + 1));
  }

  @Test
  void everyFlippedBitOfTheHeaderIsRefusedOrHarmless() throws IOException {
    byte[] bytes = Files.readAllBytes(small());
    for (int bit = 0; bit < (bytes.length - 8) * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      Path path = file(flipped);
      try {
        SafetensorsFile.open(path).tensors().forEach(Tensors::readAll);
      } catch (IOException e) {
        assertTrue(e.getMessage().contains(path.toString()), e.getMessage());
      }
      Files.delete(path);
    }
  }

  @Test
  void sentencesSayWhatIsWrong() throws IOException {
    String tensor = "{\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}";
    assertRefused(
        "tensor w has dtype F8_E4M3", file(tensor.formatted("w", "F8_E4M3", "[8]", "[0,8]"), 8));
    assertRefused("w has dtype missing", file("{\"w\":{}}", 0));
    assertRefused(
        "w float32.3. needs 12 bytes", file(tensor.formatted("w", "F32", "[3]", "[0,8]"), 8));
    assertRefused("w has a shape that", file(tensor.formatted("w", "F32", "[-1]", "[0,8]"), 8));
    assertRefused("w has a shape that", file(tensor.formatted("w", "F32", "[2.0]", "[0,8]"), 8));
    assertRefused("w has a shape that", file(tensor.formatted("w", "F32", "{}", "[0,8]"), 8));
    assertRefused(
        "w has a shape that",
        file(tensor.formatted("w", "F32", "[9223372036854775808]", "[0,8]"), 8));
    assertRefused(
        "larger than any", file(tensor.formatted("w", "F32", "[4611686018427387904]", "[0,8]"), 8));
    assertRefused("not two data_offsets", file(tensor.formatted("w", "F32", "[2]", "[0]"), 8));
    assertRefused(
        "w lies at 8 to 0 where 0", file(tensor.formatted("w", "F32", "[2]", "[8,0]"), 8));
    assertRefused(
        "w lies at 4 to 12 where 0", file(tensor.formatted("w", "F32", "[2]", "[4,12]"), 12));
    assertRefused(
        "need 8 bytes but 12 follow", file(tensor.formatted("w", "F32", "[2]", "[0,8]"), 12));
    assertRefused(
        "b lies at 4 to 8 where 8",
        file(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            8));
    assertRefused("Duplicate", file("{\"w\":{},\"w\":{}}", 0));
    assertRefused(
        "one tensor may have",
        file(tensor.formatted("w", "BOOL", "[3000000000]", "[0,3000000000]"), 0));
    assertRefused("__metadata__ is not", file("{\"__metadata__\":[]}", 0));
    assertRefused("not a string: k", file("{\"__metadata__\":{\"k\":1}}", 0));
    assertRefused("not a JSON object", file("[]", 0));
    assertRefused("broken JSON", file("{} x", 0));
    assertRefused("broken JSON", file("{\"a\":".repeat(5000), 0));
    assertRefused("not UTF-8", new byte[] {1, 0, 0, 0, 0, 0, 0, 0, -1});
    assertRefused("not the size of a header", new byte[] {0, 0, 0, 0, 0, 0, 0, -128});
    assertRefused("not the size of a header", "a text file".getBytes(StandardCharsets.UTF_8));
    assertRefused("no such file", folder.resolve("missing.safetensors"));
  }

  @Test
  void refusesNamesThatTheFormatCannotHold() {
    NamedTensor w = NamedTensor.ofFloats("w", new float[1], 1);
    NamedTensor reserved = NamedTensor.ofFloats("__metadata__", new float[1], 1);
    for (List<NamedTensor> tensors : List.of(List.of(w, w), List.of(reserved))) {
      Path path = folder.resolve("model.safetensors");
      assertThrows(
          IllegalArgumentException.class, () -> SafetensorsFile.write(path, tensors, Map.of()));
      assertFalse(Files.exists(path));
    }
  }

  @Test
  void aFileThatCannotBeWrittenIsNamedAndNothingIsLeft() throws IOException {
    Path occupied = Files.createDirectories(folder.resolve("model.safetensors/inner")).getParent();
    for (Path path : List.of(occupied, folder.resolve("missing/model.safetensors"))) {
      String message =
          assertThrows(
                  IOException.class,
                  () -> SafetensorsFile.write(path, List.<NamedTensor>of(), Map.of()))
              .getMessage();
      assertTrue(message.startsWith("Cannot write " + path + ": "), message);
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(occupied), left.toList());
    }
  }

  @Test
  void anUnknownTensorIsNamed() throws IOException {
    SafetensorsFile file = SafetensorsFile.open(small());
    assertEquals(Optional.empty(), file.tensor("v"));
    String message =
        assertThrows(IllegalArgumentException.class, () -> file.dataOffset("v")).getMessage();
    assertTrue(message.contains(file.path() + " has no tensor v"), message);
  }

  /** A file whose last eight bytes are its data. */
  private Path small() throws IOException {
    Path path = folder.resolve("small.safetensors");
    SafetensorsFile.write(
        path, List.of(NamedTensor.ofFloats("w", new float[] {1, 2}, 2)), Map.of("k", "v"));
    return path;
  }

  private Path file(String header, int dataBytes) throws IOException {
    byte[] utf8 = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + utf8.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    return file(bytes.putLong(utf8.length).put(utf8).array());
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(Files.createTempFile(folder, "case", ".safetensors"), bytes);
  }

  private void assertRefused(String pattern, byte[] bytes) throws IOException {
    assertRefused(pattern, file(bytes));
  }

  private static void assertRefused(String pattern, Path path) {
    String message = assertThrows(IOException.class, () -> SafetensorsFile.open(path)).getMessage();
    assertTrue(message.startsWith("Cannot read the safetensors file " + path + ": "), message);
    assertTrue(message.matches(".*(" + pattern + ").*\\."), message);
  }
}
