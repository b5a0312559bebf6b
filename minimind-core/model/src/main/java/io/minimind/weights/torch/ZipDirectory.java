package io.minimind.weights.torch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the entries of a zip archive lie, so that they can be mapped. Entries must be stored as
 * they are, which is how PyTorch writes them: then no entry can be larger than the file.
 */
final class ZipDirectory {

  /** Where the bytes of an entry are. */
  record Entry(long begin, long size) {}

  private static final int END = 0x06054b50;
  private static final int END_64_LOCATOR = 0x07064b50;
  private static final int END_64 = 0x06064b50;
  private static final int HEADER = 0x02014b50;
  private static final int LOCAL = 0x04034b50;

  private static final int END_SIZE = 22;
  private static final int HEADER_SIZE = 46;
  private static final int LOCAL_SIZE = 30;
  private static final int LARGEST_COMMENT = 0xFFFF;

  /** Far beyond what a model has tensors. */
  private static final int LARGEST_DIRECTORY = 1 << 26;

  private final FileChannel channel;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private ZipDirectory(FileChannel channel) {
    this.channel = channel;
  }

  /** The entries by their names. */
  static Map<String, Entry> read(FileChannel channel) throws IOException {
    ZipDirectory directory = new ZipDirectory(channel);
    directory.read();
    return directory.entries;
  }

  private void read() throws IOException {
    int tail = (int) Math.min(channel.size(), END_SIZE + LARGEST_COMMENT);
    ByteBuffer end = bytes(channel.size() - tail, tail);
    int at = tail - END_SIZE;
    while (at >= 0 && end.getInt(at) != END) {
      at--;
    }
    if (at < 0) {
      throw new IOException("its zip archive is cut short: download or copy it again");
    }
    long size = unsigned(end.getInt(at + 12));
    long begin = unsigned(end.getInt(at + 16));
    int locator = at - 20;
    if (locator >= 0 && end.getInt(locator) == END_64_LOCATOR) {
      ByteBuffer end64 = bytes(end.getLong(locator + 8), 56);
      if (end64.getInt(0) != END_64) {
        throw damaged();
      }
      size = end64.getLong(40);
      begin = end64.getLong(48);
    }
    if (size > LARGEST_DIRECTORY) {
      throw damaged();
    }
    ByteBuffer headers = bytes(begin, (int) size);
    while (headers.remaining() >= HEADER_SIZE) {
      entry(headers);
    }
    if (headers.hasRemaining()) {
      throw damaged();
    }
  }

  private void entry(ByteBuffer headers) throws IOException {
    int start = headers.position();
    if (headers.getInt(start) != HEADER) {
      throw damaged();
    }
    int method = headers.getShort(start + 10);
    long packed = unsigned(headers.getInt(start + 20));
    long size = unsigned(headers.getInt(start + 24));
    int nameLength = headers.getShort(start + 28) & 0xFFFF;
    int extraLength = headers.getShort(start + 30) & 0xFFFF;
    int commentLength = headers.getShort(start + 32) & 0xFFFF;
    long place = unsigned(headers.getInt(start + 42));
    if (headers.remaining() < HEADER_SIZE + nameLength + extraLength + commentLength) {
      throw damaged();
    }
    byte[] name = new byte[nameLength];
    headers.get(start + HEADER_SIZE, name);
    String text = new String(name, StandardCharsets.UTF_8);
    ByteBuffer extra =
        headers.slice(start + HEADER_SIZE + nameLength, extraLength).order(ByteOrder.LITTLE_ENDIAN);
    while (extra.remaining() >= 4) {
      int id = extra.getShort() & 0xFFFF;
      int length = extra.getShort() & 0xFFFF;
      if (length > extra.remaining()) {
        throw damaged();
      }
      int next = extra.position() + length;
      if (id == 1) {
        // Only what does not fit above is here, in this order.
        ByteBuffer wide = extra.slice(extra.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        size = wide(size, wide);
        packed = wide(packed, wide);
        place = wide(place, wide);
      }
      extra.position(next);
    }
    if (method != 0 || packed != size) {
      throw new IOException(
          "its entry " + Names.quoted(text) + " is compressed, which PyTorch does not do");
    }
    ByteBuffer local = bytes(place, LOCAL_SIZE);
    if (local.getInt(0) != LOCAL) {
      throw damaged();
    }
    long begin = place + LOCAL_SIZE + (local.getShort(26) & 0xFFFF) + (local.getShort(28) & 0xFFFF);
    if (size < 0 || begin > channel.size() - size) {
      throw new IOException("its entry " + Names.quoted(text) + " is cut short");
    }
    if (entries.put(text, new Entry(begin, size)) != null) {
      throw new IOException("it has two entries " + Names.quoted(text));
    }
    headers.position(start + HEADER_SIZE + nameLength + extraLength + commentLength);
  }

  private static long wide(long narrow, ByteBuffer wide) throws IOException {
    if (narrow != 0xFFFFFFFFL) {
      return narrow;
    }
    if (wide.remaining() < Long.BYTES) {
      throw damaged();
    }
    return wide.getLong();
  }

  private ByteBuffer bytes(long begin, int size) throws IOException {
    if (begin < 0 || begin > channel.size() - size) {
      throw damaged();
    }
    ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, begin + bytes.position()) < 0) {
        throw damaged();
      }
    }
    return bytes.flip();
  }

  private static long unsigned(int value) {
    return value & 0xFFFFFFFFL;
  }

  private static IOException damaged() {
    return new IOException("its zip archive is damaged");
  }
}
