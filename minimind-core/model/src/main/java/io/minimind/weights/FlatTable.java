package io.minimind.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A table of a flatbuffer. Fields are named by an enum in the order of the schema. The classes of
 * the flatbuffers library trust their bytes; here every position is checked before it is used, as
 * the library's C++ verifier does, so that a damaged file is an {@link IOException} whatever the
 * damage.
 */
final class FlatTable {

  private static final int OFFSET = Integer.BYTES;

  /** Texts and shapes are copied, and a wrong length must not ask for all memory there is. */
  private static final int LARGEST_COPY = 1 << 24;

  private final ByteBuffer bytes;
  private final int position;
  private final int vtable;
  private final int vtableBytes;

  private FlatTable(ByteBuffer bytes, long position) throws IOException {
    this.bytes = bytes;
    this.position = checked(position, OFFSET, OFFSET);
    this.vtable = checked(position - bytes.getInt(this.position), 2 * Short.BYTES, Short.BYTES);
    this.vtableBytes = Short.toUnsignedInt(bytes.getShort(vtable));
    checked(vtable, vtableBytes, Short.BYTES);
    if (vtableBytes < 2 * Short.BYTES || vtableBytes % Short.BYTES != 0) {
      throw damaged(vtable);
    }
  }

  /**
   * The root table of a flatbuffer.
   *
   * @param bytes the whole flatbuffer
   * @param identifier the four characters that its kind starts with
   */
  static FlatTable root(ByteBuffer bytes, String identifier) throws IOException {
    ByteBuffer flatbuffer = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer expected = StandardCharsets.US_ASCII.encode(identifier);
    int start = OFFSET + expected.limit();
    if (flatbuffer.limit() < start
        || !flatbuffer.slice(OFFSET, expected.limit()).equals(expected)) {
      throw new IOException("it is not such a file: the mark " + identifier + " is missing");
    }
    return new FlatTable(flatbuffer, Integer.toUnsignedLong(flatbuffer.getInt(0)));
  }

  boolean has(Enum<?> field) {
    int entry = entry(field);
    return entry + Short.BYTES <= vtableBytes && bytes.getShort(vtable + entry) != 0;
  }

  boolean bool(Enum<?> field) throws IOException {
    return has(field) && bytes.get(at(field, Byte.BYTES)) != 0;
  }

  int int32(Enum<?> field, int absent) throws IOException {
    return has(field) ? bytes.getInt(at(field, Integer.BYTES)) : absent;
  }

  long int64(Enum<?> field, long absent) throws IOException {
    return has(field) ? bytes.getLong(at(field, Long.BYTES)) : absent;
  }

  float float32(Enum<?> field, float absent) throws IOException {
    return has(field) ? bytes.getFloat(at(field, Float.BYTES)) : absent;
  }

  FlatTable table(Enum<?> field) throws IOException {
    return new FlatTable(bytes, target(at(field, OFFSET)));
  }

  /** A vector of tables. */
  List<FlatTable> tables(Enum<?> field) throws IOException {
    ByteBuffer offsets = vector(field, OFFSET);
    int start = vectorStart(field);
    List<FlatTable> tables = new ArrayList<>();
    for (int at = start; at < start + offsets.limit(); at += OFFSET) {
      tables.add(new FlatTable(bytes, target(at)));
    }
    return tables;
  }

  String string(Enum<?> field) throws IOException {
    ByteBuffer characters = copied(field, Byte.BYTES);
    int end = checked((long) vectorStart(field) + characters.limit(), Byte.BYTES, Byte.BYTES);
    if (bytes.get(end) != 0) {
      throw damaged(end);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(characters).toString();
    } catch (CharacterCodingException e) {
      throw new IOException("the text at byte " + vectorStart(field) + " is not UTF-8", e);
    }
  }

  long[] int64s(Enum<?> field) throws IOException {
    ByteBuffer vector = copied(field, Long.BYTES);
    long[] values = new long[vector.limit() / Long.BYTES];
    vector.asLongBuffer().get(values);
    return values;
  }

  /** A vector of bytes, as a view. */
  ByteBuffer bytes(Enum<?> field) throws IOException {
    return vector(field, Byte.BYTES);
  }

  private ByteBuffer copied(Enum<?> field, int elementBytes) throws IOException {
    ByteBuffer vector = vector(field, elementBytes);
    if (vector.limit() > LARGEST_COPY) {
      throw damaged(vectorStart(field));
    }
    return vector;
  }

  private ByteBuffer vector(Enum<?> field, int elementBytes) throws IOException {
    int start = vectorStart(field);
    long size = Integer.toUnsignedLong(bytes.getInt(start - OFFSET)) * elementBytes;
    checked(start, size, Byte.BYTES);
    return bytes.slice(start, (int) size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private int vectorStart(Enum<?> field) throws IOException {
    return checked(target(at(field, OFFSET)), OFFSET, OFFSET) + OFFSET;
  }

  /** Follows the offset stored at a checked position. */
  private long target(int at) throws IOException {
    long distance = Integer.toUnsignedLong(bytes.getInt(at));
    if (distance == 0) {
      throw damaged(at);
    }
    return at + distance;
  }

  private int at(Enum<?> field, int size) throws IOException {
    if (!has(field)) {
      throw new IOException(
          "the %s at byte %d lacks its %s"
              .formatted(field.getDeclaringClass().getSimpleName(), position, field));
    }
    int offset = Short.toUnsignedInt(bytes.getShort(vtable + entry(field)));
    return checked((long) position + offset, size, size);
  }

  /** Where the vtable has a field's place: after its own size and the table's. */
  private static int entry(Enum<?> field) {
    return (2 + field.ordinal()) * Short.BYTES;
  }

  private int checked(long at, long size, int alignment) throws IOException {
    if (at < 0 || at % alignment != 0 || size > bytes.limit() - at) {
      throw damaged(at);
    }
    return (int) at;
  }

  private static IOException damaged(long at) {
    return new IOException("what should be at byte " + at + " is not there");
  }
}
