package io.minimind.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The {@code model} of a {@code tokenizer.json}: a vocabulary and its merges. */
final class BpeModelJson {

  private final TokenizerNode node;
  private final Map<String, Integer> ids = new HashMap<>();

  /**
   * Reads the vocabulary. The unknown token, its options and byte_fallback play no part: {@link
   * #bytes} and {@link #characters} make sure of all bytes.
   */
  BpeModelJson(TokenizerNode node) throws IOException {
    this.node = node;
    if (!node.json().isObject()) {
      throw node.refusal("model is missing");
    }
    if (!node.at("type").isAbsent()) {
      node.requireType("BPE");
    }
    for (String field : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!node.at(field).isAbsent() && !node.json().path(field).asText("?").isEmpty()) {
        throw node.refusal(
            "model.%s is set, which is not supported; expected null".formatted(field));
      }
    }
    if (node.json().path("dropout").asDouble() != 0) {
      throw node.refusal("model.dropout is set, which makes ids random; expected null");
    }
    TokenizerNode vocabulary = node.at("vocab");
    if (!vocabulary.json().isObject() || vocabulary.json().isEmpty()) {
      throw node.refusal(
          "model.vocab is missing or empty; expected an object of tokens and their ids");
    }
    for (Map.Entry<String, JsonNode> entry : vocabulary.json().properties()) {
      String token = entry.getKey();
      TokenizerNode id = new TokenizerNode(node.file(), vocabulary.place(), entry.getValue());
      ids.put(token, id.id("model.vocab gives the token \"" + token + "\""));
    }
  }

  /** Of all tokens; those that are added later come to it. */
  Map<String, Integer> ids() {
    return ids;
  }

  /** Single bytes: all that occur in UTF-8 must have a token, so that any text encodes. */
  Alphabet bytes() throws IOException {
    int[] byteIds = new int[256];
    for (int b = 0; b < 256; b++) {
      String token = String.valueOf(ByteAlphabet.character(b));
      boolean occurs = b != 0xC0 && b != 0xC1 && b < 0xF5;
      if (occurs && !ids.containsKey(token)) {
        throw node.refusal(
            "model.vocab has no token \"%s\" for the byte 0x%02X; expected one for every byte"
                .formatted(token, b));
      }
      byteIds[b] = ids.getOrDefault(token, -1);
    }
    return Alphabet.bytes(byteIds);
  }

  /** Characters where the vocabulary has them, else bytes: each of these must have a token. */
  Alphabet characters() throws IOException {
    if (!node.flag("byte_fallback", false)) {
      throw node.refusal(
          "model.byte_fallback is false, which is not supported without a decoder of type"
              + " ByteLevel; expected true");
    }
    int[] byteIds = new int[256];
    for (int b = 0; b < 256; b++) {
      String token = "<0x%02X>".formatted(b);
      if (!ids.containsKey(token)) {
        throw node.refusal(
            "model.vocab has no token \"%s\"; expected one for every byte".formatted(token));
      }
      byteIds[b] = ids.get(token);
    }
    Map<Integer, Integer> characters = new HashMap<>();
    ids.forEach(
        (token, id) -> {
          if (!token.isEmpty() && token.codePointCount(0, token.length()) == 1) {
            characters.put(token.codePointAt(0), id);
          }
        });
    return Alphabet.characters(characters, Alphabet.bytes(byteIds));
  }

  MergeTable merges() throws IOException {
    TokenizerNode merges = node.at("merges");
    if (!merges.json().isArray()) {
      throw node.refusal("model.merges is missing; expected an array");
    }
    MergeTable table = new MergeTable(merges.json().size());
    for (int rank = 0; rank < merges.json().size(); rank++) {
      JsonNode merge = merges.json().get(rank);
      String place = "model.merges[" + rank + "]";
      if (merge.asText().startsWith("#version")) {
        continue;
      }
      String[] pair = merge.asText().split(" ", -1);
      if (merge.isArray()) {
        pair = new String[] {merge.path(0).asText(), merge.path(1).asText()};
      }
      if (pair.length != 2 || merge.isArray() && merge.size() != 2) {
        throw node.refusal("%s is %s; expected two tokens".formatted(place, merge));
      }
      table.put(id(pair[0], place), id(pair[1], place), rank, id(pair[0] + pair[1], place));
    }
    return table;
  }

  private int id(String token, String place) throws IOException {
    Integer id = ids.get(token);
    if (id == null) {
      throw node.refusal(
          "%s needs the token \"%s\", which is not in model.vocab".formatted(place, token));
    }
    return id;
  }

  /** Words that are a token whatever the merges say, by their texts. */
  Map<String, Integer> wholeWords(boolean characters) throws IOException {
    if (!node.flag("ignore_merges", false)) {
      return Map.of();
    }
    if (characters) {
      return Map.copyOf(ids);
    }
    Map<String, Integer> words = new HashMap<>();
    ids.forEach(
        (token, id) ->
            ByteAlphabet.bytes(token)
                .ifPresent(
                    bytes -> {
                      String word = new String(bytes, StandardCharsets.UTF_8);
                      if (Arrays.equals(word.getBytes(StandardCharsets.UTF_8), bytes)) {
                        words.put(word, id);
                      }
                    }));
    return words;
  }
}
