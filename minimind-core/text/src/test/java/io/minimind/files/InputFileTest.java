package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class InputFileTest {
  private static final ObjectMapper JSON = StrictJson.mapper();

  @TempDir private Path folder;

  private Path file(byte... contents) throws IOException {
    return Files.write(folder.resolve("file"), contents);
  }

  private static void assertSays(String sentence, Executable reading) {
    assertEquals(sentence, assertThrows(InputException.class, reading).getMessage());
  }

  @Test
  void whatIsThereIsRead() throws IOException {
    byte[] contents = "{\"a\": \"é\"}".getBytes(StandardCharsets.UTF_8);
    Path file = file(contents);
    assertArrayEquals(contents, InputFile.bytes(file));
    assertEquals("{\"a\": \"é\"}", InputFile.text(file));
    assertEquals("é", InputFile.json(file, JSON::readTree).path("a").textValue());
    assertThrows(NoSuchFileException.class, () -> InputFile.text(folder.resolve("none")));
  }

  @Test
  void aFolderIsNamed() {
    String sentence = "Cannot read " + folder + ": it is a folder.";
    assertSays(sentence, () -> InputFile.bytes(folder));
    assertSays(sentence, () -> InputFile.text(folder));
    assertSays(sentence, () -> InputFile.json(folder, JSON::readTree));
  }

  @Test
  void whatIsNoTextIsNamed() throws IOException {
    Path file = file((byte) '"', (byte) 0xff, (byte) '"');
    assertSays(file + " is not valid UTF-8: save it as UTF-8.", () -> InputFile.text(file));
    assertSays(
        file + " is not valid JSON at line 1, column 3: it is not UTF-8 (byte 0xff).",
        () -> InputFile.json(file, JSON::readTree));
    // It begins as UTF-32 does.
    Path other = file(new byte[] {0, 0, 0, ' ', -1, -1, -1, -1});
    assertSays(
        other + " is not valid JSON: it is no text in UTF-8.",
        () -> InputFile.json(other, JSON::readTree));
  }
}
