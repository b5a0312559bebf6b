package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SealedJsonTest {
  private static final Path FILE = Path.of("settings.json");
  private static final String SETTINGS =
      "{\"seed\":42,\"learning_rate\":5.0E-4,\"small\":1.2345679E-5,\"model\":{\"rope_theta\":10000.0}}";

  @Test
  void whatIsSealedIsOpened() throws IOException {
    byte[] sealed = SealedJson.seal(bytes(SETTINGS));
    String opened = new String(SealedJson.open(sealed, FILE), StandardCharsets.UTF_8);
    assertEquals(SETTINGS, opened.replaceAll("\\s+", ""));
    assertArrayEquals(sealed, SealedJson.seal(bytes(opened)));
  }

  /** Every digit of every number, and white space, which says nothing. */
  @Test
  void aChangedDigitIsTold() throws IOException {
    String sealed = new String(SealedJson.seal(bytes(SETTINGS)), StandardCharsets.UTF_8);
    int end = sealed.indexOf("checksum");
    int tried = 0;
    for (int i = 0; i < end; i++) {
      if (Character.isDigit(sealed.charAt(i))) {
        char other = sealed.charAt(i) == '7' ? '8' : '7';
        byte[] changed = bytes(sealed.substring(0, i) + other + sealed.substring(i + 1));
        String message =
            assertThrows(IOException.class, () -> SealedJson.open(changed, FILE)).getMessage();
        assertTrue(message.startsWith("settings.json was changed or is damaged"), message);
        tried++;
      }
    }
    assertTrue(tried > 10);
    SealedJson.open(bytes(sealed.replaceAll("\\s+", " ")), FILE);
  }

  @Test
  void oneWithoutAChecksumIsTakenAsItIs() throws IOException {
    assertArrayEquals(bytes(SETTINGS), SealedJson.open(bytes(SETTINGS), FILE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"seed\":1,\"seed\":2}", "{\"seed\":1} {}", "{\"seed\":1}x", "{"})
  void whatSaysTwoThingsIsRefused(String json) {
    assertThrows(JsonProcessingException.class, () -> SealedJson.open(bytes(json), FILE));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
