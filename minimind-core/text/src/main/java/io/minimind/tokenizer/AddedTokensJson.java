package io.minimind.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads the {@code added_tokens} of a {@code tokenizer.json}, and those declared beside it. */
final class AddedTokensJson {

  private final Map<String, Integer> ids;
  private final Optional<TextNormalizer> normalizer;
  private final List<AddedTokens.Token> verbatim = new ArrayList<>();
  private final List<AddedTokens.Token> normalized = new ArrayList<>();
  private final Set<String> added = new HashSet<>();
  private final Set<String> writtenNormalized = new HashSet<>();
  private final Map<Integer, String> normalizedSpellings = new HashMap<>();
  private final Map<String, Integer> special = new HashMap<>();

  /**
   * Reads nothing yet.
   *
   * @param ids of the vocabulary; those of the tokens that are read come to it
   */
  AddedTokensJson(Map<String, Integer> ids, Optional<TextNormalizer> normalizer) {
    this.ids = ids;
    this.normalizer = normalizer;
  }

  void read(TokenizerNode tokens) throws IOException {
    // The reference ignores the id of an added token: it has that of the vocabulary or the next.
    int next = ids.size();
    if (!tokens.isAbsent() && !tokens.json().isArray()) {
      throw tokens.refusal(tokens.place() + " is not an array");
    }
    for (TokenizerNode token : tokens.elements()) {
      String content = token.string("content");
      if (content.isEmpty()) {
        throw token.refusal(token.place() + " has no content");
      }
      String giver = "%s gives \"%s\"".formatted(token.place(), content);
      if (added.contains(content)) {
        throw token.refusal(giver + " a second time");
      }
      int id = token.at("id").id(giver);
      int expected = ids.getOrDefault(content, next);
      if (id != expected) {
        throw token.refusal("%s the id %d; expected %d".formatted(giver, id, expected));
      }
      if (ids.put(content, id) == null) {
        next++;
      }
      add(token, content, id);
    }
  }

  /**
   * Adds a token that only the configuration declares: with its id in the vocabulary, or the next.
   */
  void readBeside(TokenizerNode file, JsonNode declared) throws IOException {
    String content = declared.path("content").asText();
    if (content.isEmpty() || added.contains(content)) {
      return;
    }
    String place = TokenizerConfig.NAME + " declares \"" + content + "\"";
    TokenizerNode token = new TokenizerNode(file.file(), place, declared);
    int next = ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    int id = ids.getOrDefault(content, next);
    JsonNode given = declared.path("id");
    if (!given.isMissingNode() && given.asInt(-1) != id) {
      throw token.refusal("%s with the id %s, which would be %d".formatted(place, given, id));
    }
    ids.putIfAbsent(content, id);
    add(token, content, id);
  }

  private void add(TokenizerNode token, String content, int id) throws IOException {
    boolean isSpecial = token.flag("special", false);
    if (isSpecial) {
      special.put(content, id);
    }
    added.add(content);
    boolean isNormalized = token.flag("normalized");
    String written = content;
    if (isNormalized && normalizer.isPresent()) {
      written = normalizer.get().normalize(content);
      if (written.isEmpty() || !writtenNormalized.add(written)) {
        throw token.refusal(
            "%s is \"%s\" again when it is normalized".formatted(token.place(), written));
      }
      normalizedSpellings.put(id, written);
    }
    (isNormalized ? normalized : verbatim)
        .add(
            new AddedTokens.Token(
                written,
                id,
                token.flag("lstrip"),
                token.flag("rstrip"),
                token.flag("single_word"),
                isSpecial));
  }

  /** Those that are found in a text as it is given. */
  AddedTokens verbatim() {
    return new AddedTokens(verbatim);
  }

  /** Those that are found after it is normalized. */
  AddedTokens normalized() {
    return new AddedTokens(normalized);
  }

  /** How the reference spells a token: an added one in the form in which it is looked for. */
  String spelling(int id, String token) {
    return normalizedSpellings.getOrDefault(id, token);
  }

  /** The special ones, by their ids. */
  Map<String, Integer> special() {
    Map<String, Integer> tokens = new LinkedHashMap<>();
    special.entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .forEach(entry -> tokens.put(entry.getKey(), entry.getValue()));
    return Collections.unmodifiableMap(tokens);
  }
}
