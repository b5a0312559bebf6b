package io.minimind.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Reads and checks a {@code tokenizer.json}; whatever cannot be done exactly is refused. */
final class TokenizerJson {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final byte[] NO_BYTES = {};

  private final Path file;
  private final Map<String, Integer> ids = new HashMap<>();
  private final List<AddedTokens.Token> verbatimTokens = new ArrayList<>();
  private final List<AddedTokens.Token> normalizedTokens = new ArrayList<>();

  private TokenizerJson(Path file) {
    this.file = file;
  }

  static ByteLevelBpeTokenizer read(Path file) throws IOException {
    JsonNode root;
    try {
      root = JSON.readTree(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new IOException("Tokenizer file " + file + " does not exist.", e);
    } catch (JsonProcessingException e) {
      throw new IOException(
          "Tokenizer file %s is not valid JSON at line %d, column %d: %s."
              .formatted(
                  file,
                  e.getLocation().getLineNr(),
                  e.getLocation().getColumnNr(),
                  e.getOriginalMessage()),
          e);
    }
    return new TokenizerJson(file).tokenizer(root);
  }

  private ByteLevelBpeTokenizer tokenizer(JsonNode root) throws IOException {
    if (!root.isObject()) {
      throw refusal("the file must hold one JSON object");
    }
    if (!root.path("version").asText("1.0").equals("1.0")) {
      throw refusal("version is %s; expected \"1.0\"".formatted(root.path("version")));
    }
    for (String field : List.of("truncation", "padding", "normalizer")) {
      if (!isAbsent(root.path(field))) {
        throw refusal(field + " is set, which is not supported; expected null");
      }
    }
    JsonNode preTokenizer = root.path("pre_tokenizer");
    requireType(preTokenizer, "pre_tokenizer", "ByteLevel");
    requireType(root.path("decoder"), "decoder", "ByteLevel");
    if (!isAbsent(root.path("post_processor"))) {
      requireType(root.path("post_processor"), "post_processor", "ByteLevel");
    }
    JsonNode model = root.path("model");
    requireSupported(model);

    readVocabulary(model.path("vocab"));
    int[] byteIds = byteIds();
    MergeTable merges = readMerges(model.path("merges"));
    Map<String, Integer> wholeWords =
        flag(model, "model", "ignore_merges", false) ? wholeWords() : Map.of();
    readAddedTokens(root.path("added_tokens"));
    return new ByteLevelBpeTokenizer(
        ids,
        tokenBytes(),
        byteIds,
        merges,
        wholeWords,
        // Tokens that are exempt from normalization are found first, even where there is none.
        Stream.of(verbatimTokens, normalizedTokens)
            .filter(tokens -> !tokens.isEmpty())
            .map(AddedTokens::new)
            .toList(),
        flag(preTokenizer, "pre_tokenizer", "use_regex", true)
            ? WordPattern.gpt2()
            : WordPattern.none(),
        flag(preTokenizer, "pre_tokenizer", "add_prefix_space"));
  }

  private void requireType(JsonNode node, String place, String type) throws IOException {
    if (isAbsent(node)) {
      throw refusal("%s is missing; expected one of type %s".formatted(place, type));
    }
    if (!node.path("type").asText().equals(type)) {
      throw refusal(
          "%s is of type %s, which is not supported; expected %s"
              .formatted(place, node.path("type"), type));
    }
  }

  /** The unknown token and its options play no part: {@link #byteIds} makes sure of all bytes. */
  private void requireSupported(JsonNode model) throws IOException {
    if (!model.isObject()) {
      throw refusal("model is missing");
    }
    if (!isAbsent(model.path("type"))) {
      requireType(model, "model", "BPE");
    }
    for (String field : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!isAbsent(model.path(field)) && !model.path(field).asText("?").isEmpty()) {
        throw refusal("model.%s is set, which is not supported; expected null".formatted(field));
      }
    }
    if (model.path("dropout").asDouble() != 0) {
      throw refusal("model.dropout is set, which makes ids random; expected null");
    }
    if (flag(model, "model", "byte_fallback", false)) {
      throw refusal("model.byte_fallback is true, which is not supported; expected false");
    }
  }

  private void readVocabulary(JsonNode vocabulary) throws IOException {
    if (!vocabulary.isObject() || vocabulary.isEmpty()) {
      throw refusal("model.vocab is missing or empty; expected an object of tokens and their ids");
    }
    for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
      String token = entry.getKey();
      ids.put(token, id(entry.getValue(), "model.vocab gives the token \"" + token + "\""));
    }
  }

  /** The ids of single bytes: all that occur in UTF-8 must have one, so that any text encodes. */
  private int[] byteIds() throws IOException {
    int[] byteIds = new int[256];
    for (int b = 0; b < 256; b++) {
      String token = String.valueOf(ByteAlphabet.character(b));
      boolean occurs = b != 0xC0 && b != 0xC1 && b < 0xF5;
      if (occurs && !ids.containsKey(token)) {
        throw refusal(
            "model.vocab has no token \"%s\" for the byte 0x%02X; expected one for every byte"
                .formatted(token, b));
      }
      byteIds[b] = ids.getOrDefault(token, -1);
    }
    return byteIds;
  }

  private MergeTable readMerges(JsonNode merges) throws IOException {
    if (!merges.isArray()) {
      throw refusal("model.merges is missing; expected an array");
    }
    MergeTable table = new MergeTable(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      JsonNode merge = merges.get(rank);
      String place = "model.merges[" + rank + "]";
      if (merge.asText().startsWith("#version")) {
        continue;
      }
      String[] pair = merge.asText().split(" ", -1);
      if (merge.isArray()) {
        pair = new String[] {merge.path(0).asText(), merge.path(1).asText()};
      }
      if (pair.length != 2 || merge.isArray() && merge.size() != 2) {
        throw refusal("%s is %s; expected two tokens".formatted(place, merge));
      }
      table.put(
          mergeId(pair[0], place),
          mergeId(pair[1], place),
          rank,
          mergeId(pair[0] + pair[1], place));
    }
    return table;
  }

  private int mergeId(String token, String place) throws IOException {
    Integer id = ids.get(token);
    if (id == null) {
      throw refusal(
          "%s needs the token \"%s\", which is not in model.vocab".formatted(place, token));
    }
    return id;
  }

  private Map<String, Integer> wholeWords() {
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

  private void readAddedTokens(JsonNode tokens) throws IOException {
    // The reference ignores the id of an added token: it has that of the vocabulary or the next.
    int next = ids.size();
    if (!isAbsent(tokens) && !tokens.isArray()) {
      throw refusal("added_tokens is not an array");
    }
    Set<String> contents = new HashSet<>();
    for (int i = 0; i < tokens.size(); i++) {
      JsonNode token = tokens.get(i);
      String place = "added_tokens[" + i + "]";
      String content = token.path("content").asText();
      if (content.isEmpty()) {
        throw refusal(place + " has no content");
      }
      if (!contents.add(content)) {
        throw refusal("%s gives \"%s\" a second time".formatted(place, content));
      }
      int id = id(token.path("id"), place + " gives \"" + content + "\"");
      int expected = ids.getOrDefault(content, next);
      if (id != expected) {
        throw refusal(
            "%s gives \"%s\" the id %d; expected %d".formatted(place, content, id, expected));
      }
      if (ids.put(content, id) == null) {
        next++;
      }
      if (flag(token, place, "single_word")) {
        throw refusal(place + ".single_word is true, which is not supported; expected false");
      }
      boolean normalized = flag(token, place, "normalized");
      (normalized ? normalizedTokens : verbatimTokens)
          .add(
              new AddedTokens.Token(
                  content, id, flag(token, place, "lstrip"), flag(token, place, "rstrip")));
    }
  }

  private byte[][] tokenBytes() throws IOException {
    // Few ids may be unused: one mistyped id must not ask for memory for billions of tokens.
    int limit = 2 * ids.size() + 1024;
    Map<Integer, String> tokens = new HashMap<>();
    int size = 0;
    for (Map.Entry<String, Integer> entry : ids.entrySet()) {
      String token = entry.getKey();
      int id = entry.getValue();
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(token)) {
        throw refusal("the token with the id " + id + " holds an unpaired surrogate");
      }
      String other = tokens.put(id, token);
      if (other != null) {
        throw refusal(
            "the tokens \"%s\" and \"%s\" have the same id %d".formatted(other, token, id));
      }
      if (id >= limit) {
        throw refusal(
            "the token \"%s\" has the id %d; expected less than %d for %d tokens"
                .formatted(token, id, limit, ids.size()));
      }
      size = Math.max(size, id + 1);
    }
    byte[][] tokenBytes = new byte[size][];
    Arrays.fill(tokenBytes, NO_BYTES);
    ids.forEach(
        (token, id) ->
            tokenBytes[id] =
                ByteAlphabet.bytes(token).orElseGet(() -> token.getBytes(StandardCharsets.UTF_8)));
    // Added tokens are found as they are written, so they are given back as they are written.
    Stream.of(verbatimTokens, normalizedTokens)
        .flatMap(List::stream)
        .forEach(
            token -> tokenBytes[token.id()] = token.content().getBytes(StandardCharsets.UTF_8));
    return tokenBytes;
  }

  private int id(JsonNode id, String place) throws IOException {
    if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
      throw refusal("%s the id %s; expected a whole number from 0".formatted(place, id));
    }
    return id.intValue();
  }

  private boolean flag(JsonNode node, String place, String field, boolean absent)
      throws IOException {
    return isAbsent(node.path(field)) ? absent : flag(node, place, field);
  }

  private boolean flag(JsonNode node, String place, String field) throws IOException {
    if (!node.path(field).isBoolean()) {
      throw refusal("%s.%s is missing; expected true or false".formatted(place, field));
    }
    return node.path(field).booleanValue();
  }

  private static boolean isAbsent(JsonNode node) {
    return node.isMissingNode() || node.isNull();
  }

  private IOException refusal(String problem) {
    return new IOException("Tokenizer file " + file + ": " + problem + ".");
  }
}
