package io.minimind.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A value in a {@code tokenizer.json} that knows its place, so that what is wrong with it can be
 * said.
 *
 * @param place such as {@code normalizer.normalizers[0]}, empty for the whole file
 * @param json missing if the file does not have it
 */
record TokenizerNode(Path file, String place, JsonNode json) {

  TokenizerNode at(String field) {
    return new TokenizerNode(file, place.isEmpty() ? field : place + "." + field, json.path(field));
  }

  /** The elements of an array; none of anything else. */
  List<TokenizerNode> elements() {
    List<TokenizerNode> elements = new ArrayList<>();
    if (json.isArray()) {
      json.forEach(
          element ->
              elements.add(new TokenizerNode(file, place + "[" + elements.size() + "]", element)));
    }
    return elements;
  }

  boolean isAbsent() {
    return json.isMissingNode() || json.isNull();
  }

  /** What the field {@code type} says; empty if it says nothing. */
  String type() {
    return string("type");
  }

  /** The text of a field; empty if it holds none. */
  String string(String field) {
    return json.path(field).asText();
  }

  String requiredString(String field) throws IOException {
    if (!json.path(field).isTextual()) {
      throw refusal("%s.%s is missing; expected a text".formatted(place, field));
    }
    return json.path(field).textValue();
  }

  boolean flag(String field) throws IOException {
    if (!json.path(field).isBoolean()) {
      throw refusal("%s.%s is missing; expected true or false".formatted(place, field));
    }
    return json.path(field).booleanValue();
  }

  boolean flag(String field, boolean absent) throws IOException {
    return at(field).isAbsent() ? absent : flag(field);
  }

  /**
   * The id that this is.
   *
   * @param giver what gives it, as a sentence begins
   */
  int id(String giver) throws IOException {
    if (!json.isIntegralNumber() || !json.canConvertToInt() || json.intValue() < 0) {
      throw refusal("%s the id %s; expected a whole number from 0".formatted(giver, json));
    }
    return json.intValue();
  }

  void requireType(String type) throws IOException {
    if (isAbsent()) {
      throw refusal("%s is missing; expected one of type %s".formatted(place, type));
    }
    if (!type().equals(type)) {
      throw unsupportedType(type);
    }
  }

  IOException unsupportedType(String expected) {
    return refusal(
        "%s is of type %s, which is not supported; expected %s"
            .formatted(place, json.path("type"), expected));
  }

  IOException refusal(String problem) {
    return new IOException("Tokenizer file " + file + ": " + problem + ".");
  }
}
