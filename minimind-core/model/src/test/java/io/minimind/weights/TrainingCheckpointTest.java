package io.minimind.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.flatbuffers.FlatBufferBuilder;
import io.minimind.graph.ElementType;
import io.minimind.weights.TrainingCheckpoint.OptimizerState;
import io.minimind.weights.TrainingCheckpoint.Properties;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingCheckpointTest {

  @TempDir Path folder;

  @Provide
  Arbitrary<List<NamedTensor>> tensors() {
    return Tensors.lists(Tensors.texts());
  }

  @Provide
  Arbitrary<Properties> properties() {
    return Combinators.combine(
            Arbitraries.maps(Tensors.texts(), Arbitraries.longs()).ofMaxSize(2),
            Arbitraries.maps(Tensors.texts(), Arbitraries.floats()).ofMaxSize(2),
            Arbitraries.maps(Tensors.texts(), Tensors.texts()).ofMaxSize(2))
        .as(Properties::new);
  }

  @Property(tries = 200)
  void givesBackWhatWasWritten(
      @ForAll("tensors") List<NamedTensor> tensors,
      @ForAll("properties") Properties properties,
      @ForAll boolean optimizer,
      @ForAll long step,
      @ForAll float rate)
      throws IOException {
    List<NamedTensor> trainable = tensors.subList(0, tensors.size() / 2);
    List<NamedTensor> frozen = tensors.subList(tensors.size() / 2, tensors.size());
    TrainingCheckpoint written =
        new TrainingCheckpoint(
            trainable,
            frozen,
            optimizer ? Optional.of(optimizer(step, rate, trainable)) : Optional.empty(),
            properties);
    Path path = Files.createTempFile("round-trip", "");
    try {
      written.write(path);
      assertEquals(written, TrainingCheckpoint.read(path));
    } finally {
      Files.delete(path);
    }
  }

  @Test
  void orderOfNamesAndEqualBytes() throws IOException {
    NamedTensor a = Tensors.random("a", ElementType.FLOAT32, 1, 5);
    NamedTensor b = Tensors.random("b", ElementType.FLOAT32, 2, 3);
    TrainingCheckpoint checkpoint = TrainingCheckpoint.of(List.of(b, a));
    assertEquals(List.of(a, b), checkpoint.trainable());

    checkpoint.write(folder.resolve("one"));
    TrainingCheckpoint.of(List.of(a, b)).write(folder.resolve("two"));
    assertEquals(-1, Files.mismatch(folder.resolve("one"), folder.resolve("two")));
    TrainingCheckpoint.read(folder.resolve("one")).write(folder.resolve("two"));
    assertEquals(-1, Files.mismatch(folder.resolve("one"), folder.resolve("two")));
  }

  @Test
  void valuesLieAlignedInTheFile() throws IOException {
    TrainingCheckpoint checkpoint =
        TrainingCheckpoint.of(
            List.of(
                Tensors.random("odd", ElementType.BOOL, 1, 3),
                new NamedTensor(
                    "zlong",
                    ElementType.INT64,
                    new long[] {1},
                    ByteBuffer.wrap("FINDTHIS".getBytes(StandardCharsets.US_ASCII)))));
    checkpoint.write(folder.resolve("checkpoint"));
    String bytes =
        new String(Files.readAllBytes(folder.resolve("checkpoint")), StandardCharsets.ISO_8859_1);
    assertEquals(0, bytes.indexOf("FINDTHIS") % 8);
  }

  @Test
  void refusesContradictions() {
    NamedTensor a = Tensors.random("a", ElementType.FLOAT32, 1, 5);
    NamedTensor b = Tensors.random("b", ElementType.FLOAT32, 1, 5);
    NamedTensor other = Tensors.random("a", ElementType.FLOAT32, 1, 5, 1);
    assertContradiction("a is there twice", List.of(a, a), List.of(), Optional.empty());
    assertContradiction("a is there twice", List.of(a), List.of(a), Optional.empty());
    for (List<NamedTensor> moments : List.of(List.of(b), List.of(other), List.of(a, b))) {
      List<NamedTensor> right = List.of(a);
      assertContradiction(
          "moment", right, List.of(), Optional.of(new OptimizerState(1, 0, moments, right)));
      assertContradiction(
          "moment", right, List.of(), Optional.of(new OptimizerState(1, 0, right, moments)));
    }
  }

  private static void assertContradiction(
      String reason,
      List<NamedTensor> trainable,
      List<NamedTensor> frozen,
      Optional<OptimizerState> optimizer) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new TrainingCheckpoint(trainable, frozen, optimizer, Properties.NONE))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    byte[] bytes = sample();
    for (int length = 0; length < bytes.length; length++) {
      assertRefused(Arrays.copyOf(bytes, length), "");
    }
  }

  @Test
  void everyFlippedBitIsRefusedOrHarmless() throws IOException {
    byte[] bytes = sample();
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertRefusedOrReadable(flipped);
    }
  }

  @Test
  void everyOffsetThatPointsElsewhereIsRefusedOrHarmless() throws IOException {
    byte[] bytes = sample();
    for (int at = 0; at + Integer.BYTES <= bytes.length; at += Integer.BYTES) {
      for (int offset : new int[] {0, -1, 4, -at, bytes.length - at, Integer.MAX_VALUE}) {
        assertRefusedOrReadable(littleEndian(bytes).putInt(at, offset).array());
      }
      for (int offset : new int[] {0, -1, 4}) {
        assertRefusedOrReadable(littleEndian(bytes).putShort(at, (short) offset).array());
        assertRefusedOrReadable(littleEndian(bytes).putShort(at + 2, (short) offset).array());
      }
    }
  }

  /** In a large file a wrong length may lie within the file and still be no length to allocate. */
  @Test
  void wrongLengthsDoNotTakeAllMemory() throws IOException {
    byte[] bytes = sample();
    Path large = folder.resolve("large");
    try (RandomAccessFile sparse = new RandomAccessFile(large.toFile(), "rw")) {
      sparse.setLength(Integer.MAX_VALUE - 8L);
      for (int at = 0; at + Integer.BYTES <= bytes.length; at += Integer.BYTES) {
        for (int length : new int[] {1 << 30, 1 << 28, 1 << 27}) {
          sparse.seek(0);
          sparse.write(littleEndian(bytes).putInt(at, length).array());
          try {
            TrainingCheckpoint.read(large);
          } catch (IOException e) {
            assertTrue(e.getMessage().contains(large.toString()), e.getMessage());
          }
        }
      }
    }
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    assertRefused(new byte[0], "the mark ODTC is missing");
    assertRefused(
        "PK\3\4 something else entirely".getBytes(StandardCharsets.US_ASCII),
        "the mark ODTC is missing");
    assertRefused(checkpoint(1, false, false), "version 1 where 2");
    assertRefused(checkpoint(3, false, false), "version 3 where 2");
    assertRefused(checkpoint(2, true, false), "without their values");
    assertRefused(checkpoint(2, false, true), "second file");
    Path right = Files.write(folder.resolve("right"), checkpoint(2, false, false));
    assertEquals(TrainingCheckpoint.of(List.of()), TrainingCheckpoint.read(right));

    Path large = folder.resolve("large");
    try (RandomAccessFile sparse = new RandomAccessFile(large.toFile(), "rw")) {
      sparse.setLength(1L << 31);
    }
    assertRefused(large, "larger than 2 GB");
    assertRefused(folder.resolve("missing"), "no such file");
  }

  @Test
  void tooLargeForTheFormatIsSaidBeforeAnythingIsWritten() throws IOException {
    Path gigabyte = folder.resolve("gigabyte");
    try (RandomAccessFile sparse = new RandomAccessFile(gigabyte.toFile(), "rw")) {
      sparse.setLength(1L << 30);
      ByteBuffer zeros = sparse.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, sparse.length());
      long[] shape = {1L << 28};
      TrainingCheckpoint checkpoint =
          TrainingCheckpoint.of(
              List.of(
                  new NamedTensor("a", ElementType.FLOAT32, shape, zeros),
                  new NamedTensor("b", ElementType.FLOAT32, shape, zeros)));
      Path path = folder.resolve("checkpoint");
      String message = assertThrows(IOException.class, () -> checkpoint.write(path)).getMessage();
      assertTrue(message.startsWith("Cannot write " + path + ": "), message);
      assertFalse(Files.exists(path));
    }
  }

  /** A checkpoint without parameters. */
  private static byte[] checkpoint(int version, boolean nominal, boolean external) {
    FlatBufferBuilder builder = new FlatBufferBuilder();
    int none = builder.createVectorOfTables(new int[0]);
    builder.startTable(4);
    builder.addOffset(0, none, 0);
    builder.addOffset(1, none, 0);
    builder.addBoolean(2, nominal, false);
    builder.addBoolean(3, external, false);
    int module = builder.endTable();
    builder.startTable(4);
    builder.addInt(0, version, 0);
    builder.addOffset(1, module, 0);
    builder.finish(builder.endTable(), "ODTC");
    return builder.sizedByteArray();
  }

  private static OptimizerState optimizer(long step, float rate, List<NamedTensor> parameters) {
    return new OptimizerState(
        step, rate, Tensors.alike(parameters, step), Tensors.alike(parameters, ~step));
  }

  /** Bytes in which every table of the format occurs. */
  private byte[] sample() throws IOException {
    Path path = folder.resolve("sample");
    sampleCheckpoint().write(path);
    return Files.readAllBytes(path);
  }

  static TrainingCheckpoint sampleCheckpoint() {
    List<NamedTensor> trainable =
        List.of(
            Tensors.random("w", ElementType.FLOAT32, 1, 2, 3),
            Tensors.random("norm", ElementType.FLOAT32, 2));
    return new TrainingCheckpoint(
        trainable,
        List.of(Tensors.random("f", ElementType.FLOAT64, 3, 3)),
        Optional.of(optimizer(7, 1e-3f, trainable)),
        new Properties(Map.of("epoch", 3L), Map.of("loss", 1.5f), Map.of("corpus", "诗")));
  }

  private void assertRefusedOrReadable(byte[] bytes) throws IOException {
    Path path = Files.write(folder.resolve("case"), bytes);
    try {
      TrainingCheckpoint read = TrainingCheckpoint.read(path);
      read.trainable().forEach(Tensors::readAll);
      read.frozen().forEach(Tensors::readAll);
      read.optimizer().ifPresent(state -> state.firstMoments().forEach(Tensors::readAll));
      read.optimizer().ifPresent(state -> state.secondMoments().forEach(Tensors::readAll));
    } catch (IOException e) {
      assertTrue(e.getMessage().contains(path.toString()), e.getMessage());
    }
    Files.delete(path);
  }

  private void assertRefused(byte[] bytes, String reason) throws IOException {
    Path path = Files.write(folder.resolve("case"), bytes);
    assertRefused(path, reason);
    Files.delete(path);
  }

  private static void assertRefused(Path path, String reason) {
    String message =
        assertThrows(IOException.class, () -> TrainingCheckpoint.read(path)).getMessage();
    assertTrue(message.startsWith("Cannot use the training checkpoint " + path + ": "), message);
    assertTrue(message.contains(reason) && message.endsWith("."), message);
  }
}
