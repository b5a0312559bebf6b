package io.minimind.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.minimind.data.Sample;
import io.minimind.data.Samples;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReferenceLogProbabilitiesTest {

  private static final int SAMPLES = 5_000;

  @TempDir Path folder;

  private static Samples samples() {
    return Samples.of(Collections.nCopies(SAMPLES, Sample.of(new int[] {1, 2})));
  }

  private static byte[] contents() {
    ByteBuffer values = ByteBuffer.allocate((SAMPLES + 1) * Float.BYTES);
    values.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < SAMPLES; i++) {
      values.putFloat(-i);
    }
    CRC32C checksum = new CRC32C();
    checksum.update(values.array(), 0, values.position());
    return values.putInt((int) checksum.getValue()).array();
  }

  @Test
  void aFileThatIsCutWhenItIsOpenChangesNothing() throws IOException {
    Path file = Files.write(folder.resolve("reference"), contents());
    Samples samples = ReferenceLogProbabilities.open(file, samples()).orElseThrow();
    Files.write(file, new byte[0]);
    float[] value = new float[1];
    samples.readColumn(SAMPLES - 1, 0, value);
    assertArrayEquals(new float[] {1 - SAMPLES}, value);
  }

  @Test
  void aFileThatIsDamagedIsComputedAgain() throws IOException {
    byte[] whole = contents();
    Path file = folder.resolve("reference");
    assertEquals(Optional.empty(), ReferenceLogProbabilities.open(file, samples()));
    for (int at : new int[] {0, 1_000, whole.length - 1}) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 4;
      Files.write(file, damaged);
      assertEquals(Optional.empty(), ReferenceLogProbabilities.open(file, samples()), "byte " + at);
    }
    Files.write(file, Arrays.copyOf(whole, whole.length - 1));
    assertEquals(Optional.empty(), ReferenceLogProbabilities.open(file, samples()));
  }
}
