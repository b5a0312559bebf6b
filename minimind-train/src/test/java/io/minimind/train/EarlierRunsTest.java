package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of versions without sources of batches. */
class EarlierRunsTest {

  @TempDir Path folder;

  @Test
  void aCheckpointWithoutWhatASourceKeepsIsGoneOnWith() throws IOException {
    byte[] state;
    try (InputStream in = EarlierRunsTest.class.getResourceAsStream("earlier/state.json")) {
      state = in.readAllBytes();
    }
    byte[] checkpoint = {1, 2, 3};
    CRC32C checksum = new CRC32C();
    checksum.update(checkpoint);
    checksum.update(state);
    Files.write(folder.resolve("checkpoint"), checkpoint);
    Files.write(folder.resolve("state.json"), state);
    Files.writeString(folder.resolve("crc32c"), "%08x".formatted(checksum.getValue()));
    TrainingState expected =
        new TrainingState(
            0,
            6,
            3,
            504,
            0.29800354900000003,
            OptionalDouble.of(7.562387847627131),
            OptionalDouble.of(7.562387847627131),
            Optional.empty());
    assertEquals(expected, CheckpointStore.verify(folder));
    assertEquals(0, CheckpointStore.batches(folder).length);
  }
}
