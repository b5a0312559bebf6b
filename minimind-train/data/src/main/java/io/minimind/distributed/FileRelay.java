package io.minimind.distributed;

import io.minimind.files.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Files that the first process gives to all others, each of which passes them on to the next. Of
 * each comes the length of its name as int32, the name, its own length as int64, and so many bytes;
 * an empty name is the end.
 */
record FileRelay(ProcessGroup group) {

  private static final int PIECE = 1 << 20;

  /** As {@link ProcessGroup#send}. */
  void send(Path folder, List<Path> files) throws IOException {
    if (group.size() == 1) {
      return;
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
    for (Path file : files) {
      try (FileChannel channel = FileChannel.open(folder.resolve(file), StandardOpenOption.READ)) {
        putHeading(buffer, file.toString().replace('\\', '/'), channel.size());
        while (channel.read(buffer) >= 0 || buffer.position() > 0) {
          group.sendToNext(buffer.flip());
          buffer.clear();
        }
      }
    }
    putHeading(buffer, "", 0);
    group.sendToNext(buffer.flip());
  }

  private static void putHeading(ByteBuffer buffer, String name, long length) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    buffer.putInt(bytes.length).put(bytes).putLong(length);
  }

  /** As {@link ProcessGroup#receive}. */
  void receive(Path target) throws IOException {
    Path folder = target.normalize();
    ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
    while (true) {
      group.receiveFromPrevious(buffer.limit(Integer.BYTES));
      byte[] name = new byte[Math.min(buffer.getInt(0), PIECE / 2)];
      group.receiveFromPrevious(buffer.limit(Integer.BYTES + name.length + Long.BYTES));
      buffer.get(Integer.BYTES, name);
      long length = buffer.getLong(Integer.BYTES + name.length);
      passOn(buffer);
      if (name.length == 0) {
        return;
      }
      Path file = folder.resolve(new String(name, StandardCharsets.UTF_8)).normalize();
      if (!file.startsWith(folder)) {
        throw new InputException("The first process sends a file that lies outside of its folder.");
      }
      Files.createDirectories(file.getParent());
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        for (long left = length; left > 0; ) {
          group.receiveFromPrevious(buffer.limit((int) Math.min(PIECE, left)));
          left -= buffer.position();
          for (ByteBuffer read = buffer.duplicate().flip(); read.hasRemaining(); ) {
            channel.write(read);
          }
          passOn(buffer);
        }
      }
    }
  }

  private void passOn(ByteBuffer full) {
    if (!group.isLast()) {
      group.sendToNext(full.flip());
    }
    full.clear();
  }
}
