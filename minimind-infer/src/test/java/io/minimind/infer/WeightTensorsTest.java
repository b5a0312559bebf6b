package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtEnvironment;
import io.minimind.infer.graph.DecoderGraph;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of weights that are read in several pieces. */
class WeightTensorsTest {
  private static final int COUNT = 15;

  /** No multiple of what memory is aligned to. */
  private static final int LENGTH = (9 << 20) + 3;

  private static final int START = 100;

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("weights");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      for (int i = 0; i < COUNT; i++) {
        sparse.seek(START + (long) i * LENGTH);
        sparse.write(i + 1);
        sparse.seek(START + (i + 1L) * LENGTH - 1);
        sparse.write(100 + i);
      }
    }
  }

  private List<DecoderGraph.Weight> weights() {
    List<DecoderGraph.Weight> weights = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      weights.add(
          new DecoderGraph.Weight(
              "w" + i, false, List.of((long) LENGTH), START + (long) i * LENGTH, LENGTH));
    }
    return weights;
  }

  @Test
  void eachWeightHasItsOwnBytes() throws Exception {
    OrtEnvironment environment = RuntimeEnvironment.start();
    try (WeightTensors read = WeightTensors.read(environment, file, weights())) {
      assertEquals(COUNT, read.tensors().size());
      assertTrue(read.memory().size() > 1, "one piece of " + COUNT * LENGTH + " bytes");
      for (int i = 0; i < COUNT; i++) {
        ByteBuffer bytes = (ByteBuffer) read.tensors().get("w" + i).getBufferRef().orElseThrow();
        assertEquals(LENGTH, bytes.remaining());
        assertEquals(0, bytes.alignmentOffset(0, 64), "no vector lies across two lines of a cache");
        assertEquals(i + 1, bytes.get(0));
        assertEquals(100 + i, bytes.get(LENGTH - 1));
        assertEquals(0, bytes.get(1) | bytes.get(LENGTH - 2));
      }
    }
  }

  @Test
  void aFileThatWasCutIsASentenceAndKeepsNoMemory() throws Exception {
    assumeTrue(Runtime.version().feature() < 24, "this Java frees such memory when it collects");
    OrtEnvironment environment = RuntimeEnvironment.start();
    List<DecoderGraph.Weight> weights = weights();
    try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
      cut.setLength(cut.length() - LENGTH / 2);
    }
    long before = used();
    IOException refused =
        assertThrows(IOException.class, () -> WeightTensors.read(environment, file, weights));
    assertEquals(
        file + " ended while it was read; load the model again when the file is complete.",
        refused.getMessage());
    assertTrue(used() < before + LENGTH, "kept");
  }

  private static long used() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
