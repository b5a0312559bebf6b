package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ProtobufTest {

  /** The examples of protobuf's own description of its encoding. */
  @Test
  void examplesOfTheEncoding() throws IOException {
    ProtobufReader number = reader("089601");
    assertTrue(number.next());
    assertEquals(1, number.field());
    assertEquals(150, number.number());
    assertFalse(number.next());
    ProtobufReader text = reader("120774657374696e67");
    assertTrue(text.next());
    assertEquals("testing", text.text());
    ProtobufReader nested = reader("1a03089601");
    assertTrue(nested.next());
    assertEquals(3, nested.field());
    ProtobufReader inner = nested.message();
    assertTrue(inner.next());
    assertEquals(150, inner.number());
  }

  @Property
  void whatIsWrittenIsRead(
      @ForAll @IntRange(min = 1, max = 536870911) int field,
      @ForAll long number,
      @ForAll float value,
      @ForAll byte[] bytes)
      throws IOException {
    ProtobufWriter writer = new ProtobufWriter();
    writer.number(field, number);
    writer.float32(field, value);
    writer.message(field, inner -> inner.bytes(field, bytes));
    ProtobufReader reader = new ProtobufReader(ByteBuffer.wrap(writer.toBytes()));
    reader.next();
    assertEquals(field, reader.field());
    assertEquals(number, reader.number());
    reader.next();
    assertEquals(Float.floatToRawIntBits(value), Float.floatToRawIntBits(reader.float32()));
    reader.next();
    ProtobufReader inner = reader.message();
    inner.next();
    byte[] read = new byte[bytes.length];
    inner.bytes().get(read);
    assertArrayEquals(bytes, read);
    assertFalse(reader.next());
  }

  @Property
  void anyBytesAreReadOrRefused(@ForAll byte[] bytes) {
    ProtobufReader reader = new ProtobufReader(ByteBuffer.wrap(bytes));
    List<Integer> fields = new ArrayList<>();
    try {
      while (reader.next()) {
        fields.add(reader.field());
      }
    } catch (ProtobufReader.MalformedException e) {
      assertFalse(e.getMessage().isEmpty());
    }
    assertTrue(fields.size() <= bytes.length);
  }

  @Test
  void lengthsBeyondTheEndAndGroupsAreRefused() {
    assertThrows(ProtobufReader.MalformedException.class, () -> reader("12087465").next());
    assertThrows(
        ProtobufReader.MalformedException.class, () -> reader("12ffffffffffffffff7f").next());
    assertThrows(ProtobufReader.MalformedException.class, () -> reader("0b0c").next());
    assertThrows(
        ProtobufReader.MalformedException.class, () -> reader("08ffffffffffffffffffff01").next());
  }

  @Test
  void aTextThatIsNoUtf8IsRefusedAndOneWithTheReplacementIsNot() throws IOException {
    ProtobufReader text = reader("1203efbfbd");
    assertTrue(text.next());
    assertEquals("\ufffd", text.text());
    for (String bytes : List.of("1201ff", "120261c3", "1203eda080", "1204efbfbdff", "1202c080")) {
      ProtobufReader broken = reader(bytes);
      assertTrue(broken.next());
      assertThrows(ProtobufReader.MalformedException.class, broken::text, bytes);
    }
  }

  private static ProtobufReader reader(String hex) {
    return new ProtobufReader(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
  }
}
