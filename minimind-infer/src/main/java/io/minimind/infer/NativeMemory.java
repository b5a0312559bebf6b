package io.minimind.infer;

import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Memory outside of the Java heap that holds pieces of files and is freed when it is of no use. */
final class NativeMemory {

  private static final int LONGEST_READ = 1 << 24;

  /** The first version of Java that warns an application of what frees a direct buffer. */
  private static final int WARNS = 24;

  /** Frees a direct buffer; null where this Java has nothing that does so without a warning. */
  private static final MethodHandle FREE = Runtime.version().feature() < WARNS ? free() : null;

  private NativeMemory() {}

  /**
   * Reads a piece of a file.
   *
   * @throws IOException if the file ends before, or there is no memory for it; the message says so
   */
  static ByteBuffer read(FileChannel channel, long from, long length, Path file)
      throws IOException {
    ByteBuffer bytes = allocate(length, file);
    try {
      fill(bytes, channel, from, file);
    } catch (IOException | RuntimeException | Error e) {
      free(bytes);
      throw e;
    }
    return bytes.flip();
  }

  /**
   * Fills memory from a file.
   *
   * @throws IOException if the file ends before; the message says so
   */
  static void fill(ByteBuffer bytes, FileChannel channel, long from, Path file) throws IOException {
    long at = from;
    while (bytes.hasRemaining()) {
      int count = Math.min(bytes.remaining(), LONGEST_READ);
      int read = channel.read(bytes.slice(bytes.position(), count), at);
      if (read < 0) {
        throw new EOFException(
            "%s ended while it was read; load the model again when the file is complete."
                .formatted(file));
      }
      bytes.position(bytes.position() + read);
      at += read;
    }
  }

  /**
   * @param file what it is for
   * @throws IOException if there is no memory; the message says so
   */
  static ByteBuffer allocate(long length, Path file) throws IOException {
    // The runtime's number of bytes, of which the heap knows nothing.
    if (length > Integer.MAX_VALUE) {
      throw new IOException(
          "%s holds %d bytes in one piece, but 2 GiB is the most.".formatted(file, length));
    }
    try {
      return KeyValueCache.direct((int) length, 1);
    } catch (IllegalStateException e) {
      throw new IOException(
          "There is no room for %s in memory outside of the Java heap (Java says: %s); start Java with a larger -XX:MaxDirectMemorySize, which is otherwise that of the heap, or load the model with mapped weights."
              .formatted(file, e.getCause().getMessage()),
          e);
    }
  }

  /**
   * Gives back at once what Java would give back when its heap is next short of memory, which in a
   * process that works in native code may be never.
   *
   * @param bytes of {@link #read} or {@link #allocate}, which nothing uses any more
   */
  static void free(ByteBuffer bytes) {
    if (FREE == null) {
      return;
    }
    try {
      FREE.invoke(bytes);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Java has no name for it before version 22; this one has been there since version 9. */
  private static MethodHandle free() {
    try {
      Class<?> unsafe = Class.forName("sun.misc.Unsafe");
      Field instance = unsafe.getDeclaredField("theUnsafe");
      instance.setAccessible(true);
      return MethodHandles.lookup()
          .findVirtual(unsafe, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
          .bindTo(instance.get(null));
    } catch (ReflectiveOperationException | RuntimeException e) {
      return null; // The garbage collector frees it.
    }
  }
}
