package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeMemoryTest {

  private static final int LENGTH = 1 << 26;

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("weights");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(LENGTH);
    }
  }

  private static long used() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void whatCannotBeReadToItsEndKeepsNoMemory() throws IOException {
    assumeTrue(Runtime.version().feature() < 24, "this Java frees such memory when it collects");
    long before = used();
    FileChannel channel = FileChannel.open(file);
    assertThrows(EOFException.class, () -> NativeMemory.read(channel, 1, LENGTH, file));
    assertTrue(used() < before + LENGTH / 2, "kept where the file ended");
    channel.close();
    assertThrows(ClosedChannelException.class, () -> NativeMemory.read(channel, 0, LENGTH, file));
    assertTrue(used() < before + LENGTH / 2, "kept where reading failed");
  }
}
