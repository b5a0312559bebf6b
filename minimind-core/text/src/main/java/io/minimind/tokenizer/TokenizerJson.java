package io.minimind.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.minimind.files.JsonErrors;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads and checks a {@code tokenizer.json}; whatever cannot be done exactly is refused. */
final class TokenizerJson {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final byte[] NO_BYTES = {};

  /** How a vocabulary of characters spells a byte. */
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

  private final Path file;
  private final Map<String, Integer> ids = new HashMap<>();
  private final List<AddedTokens.Token> verbatimTokens = new ArrayList<>();
  private final List<AddedTokens.Token> normalizedTokens = new ArrayList<>();
  private final Set<String> added = new HashSet<>();
  private final Set<String> writtenNormalized = new HashSet<>();

  /** How the id of an added token is spelt where that is not how it is looked for. */
  private final Map<Integer, String> normalizedSpellings = new HashMap<>();

  private final Map<String, Integer> specials = new HashMap<>();
  private Optional<TextNormalizer> normalizer = Optional.empty();
  private final List<WordPattern> patterns = new ArrayList<>();
  private TextNormalizer pieceStart = TextNormalizer.none();
  private TextEncoder.OffsetTrimming trimming = TextEncoder.OffsetTrimming.NONE;
  private final List<Integer> prefix = new ArrayList<>();
  private final List<Integer> suffix = new ArrayList<>();

  private TokenizerJson(Path file) {
    this.file = file;
  }

  static BpeTokenizer read(Path file) throws IOException {
    return new TokenizerJson(file).tokenizer(json(file), TokenizerConfig.addedBeside(file));
  }

  private static JsonNode json(Path file) throws IOException {
    JsonNode root;
    try {
      root = JSON.readTree(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new IOException("Tokenizer file " + file + " does not exist.", e);
    } catch (CharConversionException e) {
      throw new IOException("Tokenizer file " + file + " is not valid UTF-8.", e);
    } catch (JsonProcessingException e) {
      throw new IOException(
          "Tokenizer file %s is not valid JSON%s: %s."
              .formatted(file, JsonErrors.place(e), JsonErrors.reason(e)),
          e);
    }
    return root;
  }

  private BpeTokenizer tokenizer(JsonNode root, List<JsonNode> addedBeside) throws IOException {
    if (!root.isObject()) {
      throw refusal("the file must hold one JSON object");
    }
    if (!root.path("version").asText("1.0").equals("1.0")) {
      throw refusal("version is %s; expected \"1.0\"".formatted(root.path("version")));
    }
    for (String field : List.of("truncation", "padding")) {
      if (!isAbsent(root.path(field))) {
        throw refusal(field + " is set, which is not supported; expected null");
      }
    }
    readNormalizer(root.path("normalizer"));
    JsonNode decoder = root.path("decoder");
    boolean characters =
        decoder.path("type").asText().equals("Sequence") && decoder.path("decoders").size() > 1;
    JsonNode model = root.path("model");
    if (characters) {
      readMetaspace(root.path("pre_tokenizer"));
    } else {
      readPreTokenizer(root.path("pre_tokenizer"));
      requireType(decoder, "decoder", "ByteLevel");
    }
    requireSupported(model);

    readVocabulary(model.path("vocab"));
    Alphabet alphabet = characters ? characters(model) : Alphabet.bytes(byteIds());
    MergeTable merges = readMerges(model.path("merges"));
    Map<String, Integer> wholeWords =
        !flag(model, "model", "ignore_merges", false)
            ? Map.of()
            : characters ? Map.copyOf(ids) : wholeWords();
    readAddedTokens(root.path("added_tokens"));
    for (JsonNode token : addedBeside) {
      addTokenBeside(token);
    }
    readPostProcessor(root.path("post_processor"));
    TextEncoder encoder =
        new TextEncoder(
            alphabet,
            merges,
            wholeWords,
            new AddedTokens(verbatimTokens),
            new AddedTokens(normalizedTokens),
            normalizer,
            patterns,
            pieceStart,
            trimming);
    String[] tokens = tokens();
    if (!characters) {
      byte[][] bytes = new byte[tokens.length][];
      Arrays.setAll(
          bytes, id -> tokens[id] == null ? NO_BYTES : byteLevelBytes(spelling(id, tokens)));
      return new ByteLevelBpeTokenizer(vocabulary(tokens, bytes), encoder);
    }
    int strippedSpaces = strippedSpaces(decoder.path("decoders"));
    BitSet single = new BitSet();
    byte[][] bytes = new byte[tokens.length][];
    for (int id = 0; id < tokens.length; id++) {
      String spelling = tokens[id] == null ? "" : spelling(id, tokens);
      single.set(id, BYTE.matcher(spelling).matches());
      bytes[id] =
          single.get(id)
              ? new byte[] {(byte) Integer.parseInt(spelling.substring(3, 5), 16)}
              : spelling.replace(CharacterBpeTokenizer.SPACE, ' ').getBytes(StandardCharsets.UTF_8);
    }
    return new CharacterBpeTokenizer(vocabulary(tokens, bytes), encoder, single, strippedSpaces);
  }

  private BpeTokenizer.Vocabulary vocabulary(String[] tokens, byte[][] bytes) {
    return new BpeTokenizer.Vocabulary(
        ids,
        tokens,
        bytes,
        specialTokens(),
        prefix.stream().mapToInt(Integer::intValue).toArray(),
        suffix.stream().mapToInt(Integer::intValue).toArray());
  }

  /** The reference spells an added token in the form in which it is looked for. */
  private String spelling(int id, String[] tokens) {
    return normalizedSpellings.getOrDefault(id, tokens[id]);
  }

  private static byte[] byteLevelBytes(String spelling) {
    return ByteAlphabet.bytes(spelling).orElseGet(() -> spelling.getBytes(StandardCharsets.UTF_8));
  }

  /** Characters where the vocabulary has them, else bytes: each of these must have a token. */
  private Alphabet characters(JsonNode model) throws IOException {
    if (!flag(model, "model", "byte_fallback", false)) {
      throw refusal(
          "model.byte_fallback is false, which is not supported without a decoder of type"
              + " ByteLevel; expected true");
    }
    int[] byteIds = new int[256];
    for (int b = 0; b < 256; b++) {
      String token = "<0x%02X>".formatted(b);
      if (!ids.containsKey(token)) {
        throw refusal(
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

  /** Reads what turns spaces into ▁ before a text without words is merged. */
  private void readMetaspace(JsonNode node) throws IOException {
    patterns.add(WordPattern.none());
    if (isAbsent(node)) {
      return;
    }
    if (node.path("type").asText().equals("Split")
        && node.path("pattern").path("String").asText().equals(" ")
        && node.path("behavior").asText().equals("MergedWithPrevious")
        && !flag(node, "pre_tokenizer", "invert")) {
      patterns.set(0, WordPattern.behind(' '));
      return;
    }
    requireType(node, "pre_tokenizer", "Metaspace");
    String space = String.valueOf(CharacterBpeTokenizer.SPACE);
    if (!node.path("replacement").asText().equals(space)) {
      throw refusal("pre_tokenizer.replacement is not \"▁\"");
    }
    String scheme = node.path("prepend_scheme").asText();
    if (!List.of("first", "always", "never").contains(scheme)) {
      throw refusal("pre_tokenizer.prepend_scheme is missing; expected first, always or never");
    }
    TextNormalizer spaces = TextNormalizer.replace(TextNormalizer.WordFinder.literal(" "), space);
    TextNormalizer prefix = TextNormalizer.prepend(space);
    pieceStart =
        (text, start, end) -> {
          boolean prepends =
              start < end
                  && text.chars()[start] != ' '
                  && text.chars()[start] != CharacterBpeTokenizer.SPACE
                  && (scheme.equals("always")
                      || scheme.equals("first") && text.originalStart(start) == 0);
          return TextNormalizer.sequence(prepends ? List.of(spaces, prefix) : List.of(spaces))
              .normalize(text, start, end);
        };
    if (flag(node, "pre_tokenizer", "split", true)) {
      patterns.set(0, WordPattern.before(CharacterBpeTokenizer.SPACE));
    }
  }

  /** How many spaces the decoder takes from the start of a text. */
  private int strippedSpaces(JsonNode decoders) throws IOException {
    boolean known =
        decoders.size() <= 4
            && decoders.path(0).path("type").asText().equals("Replace")
            && decoders.path(0).path("pattern").path("String").asText().equals("▁")
            && decoders.path(0).path("content").asText().equals(" ")
            && decoders.path(1).path("type").asText().equals("ByteFallback")
            && decoders.path(2).path("type").asText().equals("Fuse");
    JsonNode strip = decoders.path(3);
    known &=
        strip.isMissingNode()
            || strip.path("type").asText().equals("Strip")
                && strip.path("content").asText().equals(" ")
                && strip.path("stop").asInt(-1) == 0
                && strip.path("start").canConvertToInt();
    if (!known) {
      throw refusal(
          "decoder is a Sequence that is not supported; expected Replace of \"▁\", ByteFallback,"
              + " Fuse and perhaps Strip");
    }
    return strip.path("start").asInt(0);
  }

  private void readNormalizer(JsonNode node) throws IOException {
    if (!isAbsent(node)) {
      normalizer = Optional.of(normalizer(node, "normalizer"));
    }
  }

  private TextNormalizer normalizer(JsonNode node, String place) throws IOException {
    String type = node.path("type").asText();
    switch (type) {
      case "Sequence" -> {
        List<TextNormalizer> parts = new ArrayList<>();
        for (JsonNode part : node.path("normalizers")) {
          parts.add(normalizer(part, place + ".normalizers[" + parts.size() + "]"));
        }
        return TextNormalizer.sequence(parts);
      }
      case "NFC", "NFD", "NFKC", "NFKD" -> {
        return UnicodeNormalizer.of(Normalizer.Form.valueOf(type));
      }
      case "Lowercase" -> {
        return TextNormalizer.lowerCase();
      }
      case "Strip" -> {
        return TextNormalizer.strip(
            flag(node, place, "strip_left"), flag(node, place, "strip_right"));
      }
      case "Prepend" -> {
        return TextNormalizer.prepend(text(node, place, "prepend"));
      }
      case "Replace" -> {
        return TextNormalizer.replace(
            finder(node.path("pattern"), place), text(node, place, "content"));
      }
      default ->
          throw refusal(
              "%s is of type %s, which is not supported; expected NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend or Replace"
                  .formatted(place, node.path("type")));
    }
  }

  private TextNormalizer.WordFinder finder(JsonNode pattern, String place) throws IOException {
    String written = pattern.path("String").asText();
    return written.isEmpty()
        ? PatternExpression.of(pattern.path("Regex").asText())
            .orElseThrow(() -> refusal(unknownPattern(pattern, place)))
        : TextNormalizer.WordFinder.literal(written);
  }

  private static String unknownPattern(JsonNode pattern, String place) {
    return "%s.pattern is %s, which is not supported; expected a regular expression of classes, alternatives and greedy quantifiers"
        .formatted(place, pattern);
  }

  private String text(JsonNode node, String place, String field) throws IOException {
    if (!node.path(field).isTextual()) {
      throw refusal("%s.%s is missing; expected a text".formatted(place, field));
    }
    return node.path(field).textValue();
  }

  private void readPreTokenizer(JsonNode node) throws IOException {
    if (!node.path("type").asText().equals("Sequence")) {
      requireType(node, "pre_tokenizer", "ByteLevel");
      readByteLevel(node, "pre_tokenizer");
      return;
    }
    JsonNode parts = node.path("pretokenizers");
    int last = parts.size() - 1;
    if (!parts.isArray() || !parts.path(last).path("type").asText().equals("ByteLevel")) {
      throw refusal("pre_tokenizer is a Sequence that does not end in one of type ByteLevel");
    }
    for (int i = 0; i < last; i++) {
      JsonNode part = parts.path(i);
      String place = "pre_tokenizer.pretokenizers[" + i + "]";
      switch (part.path("type").asText()) {
        case "Digits" ->
            patterns.add(
                WordPattern.numbers(
                    flag(part, place, "individual_digits", false) ? 1 : Integer.MAX_VALUE));
        case "Punctuation" -> {
          String behavior = part.path("behavior").asText("Isolated");
          if (!behavior.equals("Isolated")) {
            throw refusal(
                "%s.behavior is %s, which is not supported; expected \"Isolated\""
                    .formatted(place, part.path("behavior")));
          }
          patterns.add(WordPattern.punctuation());
        }
        case "Split" -> patterns.add(splitPattern(part, place));
        default ->
            throw refusal(
                "%s is of type %s, which is not supported; expected Split, Digits, Punctuation or ByteLevel"
                    .formatted(place, part.path("type")));
      }
    }
    boolean addsPrefixSpace =
        readByteLevel(parts.path(last), "pre_tokenizer.pretokenizers[" + last + "]");
    if (addsPrefixSpace && last > 0) {
      throw refusal(
          "pre_tokenizer.pretokenizers[%d].add_prefix_space is true, which is not supported after others"
              .formatted(last));
    }
  }

  /** Whether it puts a space before each piece of text that has none. */
  private boolean readByteLevel(JsonNode node, String place) throws IOException {
    if (flag(node, place, "use_regex", true)) {
      patterns.add(WordPattern.gpt2());
    } else if (patterns.isEmpty()) {
      patterns.add(WordPattern.none());
    }
    boolean adds = flag(node, place, "add_prefix_space");
    if (adds) {
      TextNormalizer space = TextNormalizer.prepend(" ");
      pieceStart =
          (text, start, end) ->
              text.chars()[start] == ' ' ? text : space.normalize(text, start, end);
    }
    return adds;
  }

  private WordPattern splitPattern(JsonNode node, String place) throws IOException {
    String regex = node.path("pattern").path("Regex").asText();
    String written = node.path("pattern").path("String").asText();
    // What is inverted is which parts are matches: isolated, both are kept, and where there is
    // nothing between matches, nothing is removed.
    boolean keepsMatches = flag(node, place, "invert") && WordPattern.matchesAll(regex);
    String behavior = node.path("behavior").asText();
    if (!behavior.equals("Isolated") && !(behavior.equals("Removed") && keepsMatches)) {
      throw refusal(
          "%s.behavior is %s, which is not supported; expected \"Isolated\""
              .formatted(place, node.path("behavior")));
    }
    return written.isEmpty()
        ? WordPattern.ofRegex(regex)
            .orElseThrow(() -> refusal(unknownPattern(node.path("pattern"), place)))
        : WordPattern.literal(written);
  }

  /** Reads what is done to offsets and which tokens are put around a text. */
  private void readPostProcessor(JsonNode node) throws IOException {
    if (isAbsent(node)) {
      return;
    }
    List<JsonNode> parts = new ArrayList<>();
    if (node.path("type").asText().equals("Sequence") && node.path("processors").isArray()) {
      node.path("processors").forEach(parts::add);
    } else {
      parts.add(node);
    }
    boolean template = false;
    for (JsonNode part : parts) {
      String type = part.path("type").asText();
      if (type.equals("TemplateProcessing") && !template) {
        readTemplate(part.path("single"), part.path("special_tokens"));
        template = true;
      } else if (type.equals("ByteLevel")) {
        if (flag(part, "post_processor", "trim_offsets", true)) {
          trimming =
              flag(part, "post_processor", "add_prefix_space", true)
                  ? TextEncoder.OffsetTrimming.KEEP_PREFIX_SPACE
                  : TextEncoder.OffsetTrimming.ALL;
        }
      } else {
        throw refusal(
            "post_processor is of type %s, which is not supported; expected ByteLevel or TemplateProcessing"
                .formatted(part.path("type")));
      }
    }
  }

  private void readTemplate(JsonNode pieces, JsonNode tokens) throws IOException {
    boolean text = false;
    for (JsonNode piece : pieces) {
      if (piece.path("Sequence").path("id").asText().equals("A") && !text) {
        text = true;
        continue;
      }
      String name = piece.path("SpecialToken").path("id").asText();
      JsonNode templateIds = tokens.path(name).path("ids");
      if (name.isEmpty() || !templateIds.isArray()) {
        throw refusal(
            "post_processor.single holds %s; expected one Sequence A and special tokens that post_processor.special_tokens gives"
                .formatted(piece));
      }
      for (JsonNode id : templateIds) {
        int value = id(id, "post_processor.special_tokens gives \"" + name + "\"");
        if (!ids.containsValue(value)) {
          throw refusal(
              "post_processor.special_tokens gives \"%s\" the id %d, which no token has"
                  .formatted(name, value));
        }
        (text ? suffix : prefix).add(value);
      }
    }
    if (!text) {
      throw refusal("post_processor.single holds no Sequence A");
    }
  }

  private Map<String, Integer> specialTokens() {
    Map<String, Integer> tokens = new LinkedHashMap<>();
    specials.entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .forEach(entry -> tokens.put(entry.getKey(), entry.getValue()));
    return Collections.unmodifiableMap(tokens);
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

  /**
   * The unknown token, its options and byte_fallback play no part: {@link #byteIds} makes sure of
   * all bytes.
   */
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
    for (int i = 0; i < tokens.size(); i++) {
      JsonNode token = tokens.get(i);
      String place = "added_tokens[" + i + "]";
      String content = token.path("content").asText();
      if (content.isEmpty()) {
        throw refusal(place + " has no content");
      }
      if (added.contains(content)) {
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
      addToken(token, place, content, id);
    }
  }

  private void addToken(JsonNode token, String place, String content, int id) throws IOException {
    boolean special = flag(token, place, "special", false);
    if (special) {
      specials.put(content, id);
    }
    added.add(content);
    boolean normalized = flag(token, place, "normalized");
    String written = content;
    if (normalized && normalizer.isPresent()) {
      written = normalizer.get().normalize(content);
      if (written.isEmpty() || !writtenNormalized.add(written)) {
        throw refusal("%s is \"%s\" again when it is normalized".formatted(place, written));
      }
      normalizedSpellings.put(id, written);
    }
    (normalized ? normalizedTokens : verbatimTokens)
        .add(
            new AddedTokens.Token(
                written,
                id,
                flag(token, place, "lstrip"),
                flag(token, place, "rstrip"),
                flag(token, place, "single_word"),
                special));
  }

  /**
   * Adds a token that only the configuration declares: with its id in the vocabulary, or the next.
   */
  private void addTokenBeside(JsonNode token) throws IOException {
    String content = token.path("content").asText();
    if (content.isEmpty() || added.contains(content)) {
      return;
    }
    String place = TokenizerConfig.NAME + " declares \"" + content + "\"";
    int next = ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    int id = ids.getOrDefault(content, next);
    if (token.has("id") && token.path("id").asInt(-1) != id) {
      throw refusal("%s with the id %s, which would be %d".formatted(place, token.path("id"), id));
    }
    ids.putIfAbsent(content, id);
    addToken(token, place, content, id);
  }

  /** How each id is spelt. */
  private String[] tokens() throws IOException {
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
    String[] spelt = new String[size];
    tokens.forEach((id, token) -> spelt[id] = token);
    return spelt;
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
