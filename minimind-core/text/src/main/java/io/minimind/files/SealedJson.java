package io.minimind.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * JSON objects that tell whether they were changed since they were written: their last entry is the
 * SHA-256 checksum of the others, without white space. One digit of a setting that is damaged would
 * otherwise be another setting.
 */
public final class SealedJson {

  private static final String CHECKSUM = "checksum";

  private static final ObjectMapper JSON =
      StrictJson.mapper().enable(SerializationFeature.INDENT_OUTPUT);

  private SealedJson() {}

  /** An object with its checksum. */
  public static byte[] seal(byte[] json) throws IOException {
    ObjectNode object = (ObjectNode) JSON.readTree(json);
    object.put(CHECKSUM, checksum(object));
    return JSON.writeValueAsBytes(object);
  }

  /**
   * The object without its checksum. One that has none was written by an earlier version, or by a
   * person who knows what he does.
   *
   * @param file for the message
   * @throws IOException in a sentence, if it was changed
   */
  public static byte[] open(byte[] json, Path file) throws IOException, JsonProcessingException {
    JsonNode root;
    try {
      root = JSON.readTree(json);
    } catch (CharConversionException e) {
      throw new InputException(file + " is damaged: it is no text in UTF-8.", e);
    }
    if (!(root instanceof ObjectNode object) || !object.has(CHECKSUM)) {
      return json;
    }
    String checksum = object.remove(CHECKSUM).asText();
    if (!checksum.equals(checksum(object))) {
      throw new InputException(
          "%s was changed or is damaged: its checksum is another; restore it, or, if the change is your own, delete the line \"%s\" in it."
              .formatted(file, CHECKSUM));
    }
    return JSON.writeValueAsBytes(object);
  }

  private static String checksum(ObjectNode object) {
    return Sha256.of(object.toString().getBytes(StandardCharsets.UTF_8));
  }
}
