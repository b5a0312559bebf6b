package io.minimind.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * Reads the fields of one protobuf message without a schema and without copying it. Every length is
 * checked against what is there, so a hostile file costs no more than its size.
 *
 * <pre>{@code
 * while (reader.next()) {
 *   switch (reader.field()) {
 *     case 1 -> name = reader.text();
 *     default -> {} // what is not read is skipped
 *   }
 * }
 * }</pre>
 *
 * <p>Groups, which proto3 does not have, are refused.
 */
public final class ProtobufReader {

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private static final char REPLACEMENT = '\ufffd';

  /** What a message says that is none. */
  public static final class MalformedException extends IOException {
    private static final long serialVersionUID = 1;

    MalformedException(String problem) {
      super(problem);
    }
  }

  private final ByteBuffer in;
  private int field;
  private int wireType;

  /** Where the next field begins; fields that were not read are passed over. */
  private int end;

  /** The message is what remains of a buffer, whose position does not move. */
  public ProtobufReader(ByteBuffer message) {
    in = message.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Goes to the next field.
   *
   * @return false at the end of the message
   */
  public boolean next() throws MalformedException {
    in.position(end);
    if (!in.hasRemaining()) {
      return false;
    }
    long tag = readVarint();
    field = (int) (tag >>> 3);
    wireType = (int) tag & 7;
    if (tag >>> 32 != 0 || field == 0) {
      throw new MalformedException("a field has the number " + (tag >>> 3));
    }
    int start = in.position();
    switch (wireType) {
      case VARINT -> {
        readVarint();
        end = in.position();
      }
      case FIXED64 -> end = after(Long.BYTES);
      case FIXED32 -> end = after(Integer.BYTES);
      case LENGTH_DELIMITED -> {
        long length = readVarint();
        start = in.position();
        end = after(length);
      }
      default -> throw new MalformedException("a field is of the wire type " + wireType);
    }
    in.position(start);
    return true;
  }

  /** The number of the present field. */
  public int field() {
    return field;
  }

  /** The present field as a whole number. */
  public long number() throws MalformedException {
    require(VARINT);
    return readVarint();
  }

  /** The numbers of the present field, which is one of several with a number each, or has many. */
  public void numbers(LongConsumer each) throws MalformedException {
    if (wireType == VARINT) {
      each.accept(readVarint());
      return;
    }
    ProtobufReader packed = message();
    while (packed.in.hasRemaining()) {
      each.accept(packed.readVarint());
    }
  }

  /** The present field as a truth value. */
  public boolean flag() throws MalformedException {
    return number() != 0;
  }

  /** The present field as a float. */
  public float float32() throws MalformedException {
    require(FIXED32);
    return in.getFloat();
  }

  /** The bytes of the present field, which are a view of the message. */
  public ByteBuffer bytes() throws MalformedException {
    require(LENGTH_DELIMITED);
    return in.slice(in.position(), end - in.position());
  }

  /** The present field as UTF-8. */
  public String text() throws MalformedException {
    ByteBuffer field = bytes();
    byte[] bytes = new byte[field.remaining()];
    field.get(bytes);
    String text = new String(bytes, StandardCharsets.UTF_8);
    // It stands for what could not be read, unless the text has it.
    if (text.indexOf(REPLACEMENT) >= 0
        && !Arrays.equals(bytes, text.getBytes(StandardCharsets.UTF_8))) {
      throw new MalformedException("a text is no UTF-8");
    }
    return text;
  }

  /** The present field as a message of its own. */
  public ProtobufReader message() throws MalformedException {
    return new ProtobufReader(bytes());
  }

  private void require(int expected) throws MalformedException {
    if (wireType != expected) {
      throw new MalformedException(
          "field %d is of the wire type %d, not %d".formatted(field, wireType, expected));
    }
  }

  private int after(long length) throws MalformedException {
    if (length < 0 || length > in.remaining()) {
      throw new MalformedException("it is cut short");
    }
    return in.position() + (int) length;
  }

  private long readVarint() throws MalformedException {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      if (!in.hasRemaining()) {
        throw new MalformedException("it is cut short");
      }
      byte next = in.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new MalformedException("a number is longer than 64 bits");
  }
}
