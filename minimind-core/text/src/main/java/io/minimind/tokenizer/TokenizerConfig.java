package io.minimind.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.JsonErrors;
import io.minimind.files.JsonTree;
import io.minimind.files.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** {@code tokenizer_config.json}: special tokens, and the chat template of a new tokenizer. */
final class TokenizerConfig {

  static final String NAME = ModelFiles.TOKENIZER_CONFIG;

  /** The fields that name a token, or several. */
  private static final List<String> TOKEN_FIELDS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token",
          "additional_special_tokens",
          "extra_special_tokens");

  private TokenizerConfig() {}

  /**
   * The tokens that the configuration beside a tokenizer declares, in the order in which
   * transformers adds those that the tokenizer lacks: objects as in {@code added_tokens}, without
   * an id where the file gives none.
   *
   * @param tokenizer its file
   * @throws IOException if the configuration is malformed
   */
  static List<JsonNode> addedBeside(Path tokenizer) throws IOException {
    Path file = tokenizer.resolveSibling(NAME);
    JsonNode config = read(file);
    Map<Integer, JsonNode> declared = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : config.path("added_tokens_decoder").properties()) {
      if (!entry.getKey().matches("\\d{1,9}") || !entry.getValue().path("content").isTextual()) {
        throw new IOException(
            "%s: added_tokens_decoder has an entry \"%s\" that is no id with a token."
                .formatted(file, entry.getKey()));
      }
      int id = Integer.parseInt(entry.getKey());
      declared.put(id, token(entry.getValue()).put("id", id));
    }
    List<JsonNode> tokens = new ArrayList<>(declared.values());
    for (String field : TOKEN_FIELDS) {
      JsonNode value = config.path(field);
      for (JsonNode named : value.isArray() ? value : List.of(value)) {
        if (named.isTextual()) {
          tokens.add(
              token(
                  JsonNodeFactory.instance
                      .objectNode()
                      .put("content", named.asText())
                      .put("special", true)));
        } else if (named.path("content").isTextual()) {
          tokens.add(token(named).put("special", true));
        }
      }
    }
    return tokens;
  }

  /**
   * The configuration; nothing if there is no such file.
   *
   * @throws IOException if it is malformed
   */
  static JsonNode read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return MissingNode.getInstance();
    }
    try {
      return JsonTree.readFirst(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IOException(
          "%s is not valid JSON%s: %s.".formatted(file, JsonErrors.place(e), JsonErrors.reason(e)),
          e);
    }
  }

  /** With all flags, of which transformers knows what they are where they are missing. */
  private static ObjectNode token(JsonNode given) {
    boolean special = given.path("special").asBoolean(false);
    ObjectNode token = JsonNodeFactory.instance.objectNode();
    token.put("content", given.path("content").asText());
    token.put("special", special);
    token.put("normalized", given.path("normalized").asBoolean(!special));
    for (String flag : List.of("lstrip", "rstrip", "single_word")) {
      token.put(flag, given.path(flag).asBoolean(false));
    }
    return token;
  }

  /**
   * Writes the file.
   *
   * @param folder created if it does not exist
   * @param tokenizerClass the class that transformers is to load the tokenizer with
   * @throws IOException if it cannot be written; the message is a sentence that names it
   */
  static void save(Path folder, String tokenizerClass, DeclaredTokens tokens) throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new IOException(
          "Cannot make the folder %s: %s.".formatted(folder, AtomicFile.reason(e)), e);
    }
    AtomicFile.replace(
        folder.resolve(NAME), IndentedJson.object(json -> write(json, tokenizerClass, tokens)));
  }

  private static void write(JsonGenerator json, String tokenizerClass, DeclaredTokens tokens)
      throws IOException {
    json.writeStringField("tokenizer_class", tokenizerClass);
    for (String field : List.of("add_bos_token", "add_eos_token", "add_prefix_space")) {
      json.writeBooleanField(field, false);
    }
    json.writeObjectFieldStart("added_tokens_decoder");
    List<String> all = tokens.all();
    for (int id = 0; id < all.size(); id++) {
      json.writeObjectFieldStart(String.valueOf(id));
      json.writeStringField("content", all.get(id));
      for (String field : List.of("lstrip", "normalized", "rstrip", "single_word")) {
        json.writeBooleanField(field, false);
      }
      json.writeBooleanField("special", id < tokens.special().size());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeStringField("bos_token", tokens.begin());
    json.writeStringField("eos_token", tokens.end());
    json.writeStringField("unk_token", tokens.unknown());
    json.writeStringField("pad_token", tokens.padding().orElse(null));
    List<String> others = new ArrayList<>(tokens.special());
    others.removeAll(List.of(tokens.begin(), tokens.end(), tokens.unknown()));
    tokens.padding().ifPresent(others::remove);
    if (!others.isEmpty()) {
      json.writeArrayFieldStart("additional_special_tokens");
      for (String other : others) {
        json.writeString(other);
      }
      json.writeEndArray();
    }
    json.writeBooleanField("clean_up_tokenization_spaces", false);
    json.writeStringField("chat_template", tokens.chatTemplate());
  }
}
