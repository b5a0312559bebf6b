package io.minimind.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Whole files that a person gave, or a sentence that names the file and says what it is. */
public final class InputFile {

  private InputFile() {}

  /** Makes a tree of bytes, as {@link JsonTree} and Jackson's mappers do. */
  @FunctionalInterface
  public interface Parser {
    JsonNode parse(byte[] json) throws IOException;
  }

  /**
   * All that is in a file.
   *
   * @throws NoSuchFileException if there is none
   * @throws InputException if it is a folder, or cannot be read
   */
  public static byte[] bytes(Path file) throws IOException {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw e;
    } catch (IOException e) {
      throw new InputException("Cannot read " + file + ": " + AtomicFile.reason(e) + ".", e);
    }
  }

  /**
   * A file to read piece by piece.
   *
   * @throws NoSuchFileException if there is none
   * @throws InputException if it is a folder
   */
  public static InputStream open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new InputException("Cannot read " + file + ": it is a folder.");
    }
    return Files.newInputStream(file);
  }

  /**
   * The text of a file.
   *
   * @throws IOException as for {@link #bytes}, and if it is not UTF-8
   */
  public static String text(Path file) throws IOException {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(bytes(file));
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new InputException(file + " is not valid UTF-8: save it as UTF-8.", e);
    }
  }

  /**
   * The JSON that a file holds.
   *
   * @param parser how it is read
   * @return a missing node if the file is empty
   * @throws IOException as for {@link #bytes}, and if it is no JSON
   */
  public static JsonNode json(Path file, Parser parser) throws IOException {
    byte[] bytes = bytes(file);
    try {
      return parser.parse(bytes);
    } catch (JsonProcessingException e) {
      throw new InputException(
          "%s is not valid JSON%s: %s.".formatted(file, JsonErrors.place(e), JsonErrors.reason(e)),
          e);
    } catch (CharConversionException e) {
      throw new InputException(file + " is not valid JSON: it is no text in UTF-8.", e);
    }
  }
}
