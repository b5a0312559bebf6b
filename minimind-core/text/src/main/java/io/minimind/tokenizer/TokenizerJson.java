package io.minimind.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.JsonErrors;
import io.minimind.files.JsonTree;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads and checks a {@code tokenizer.json}; whatever cannot be done exactly is refused. Each part
 * of the file has a class of its own, and here they come together.
 */
final class TokenizerJson {

  private static final byte[] NO_BYTES = {};

  /** How a vocabulary of characters spells a byte. */
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

  private TokenizerJson() {}

  static BpeTokenizer read(Path file) throws IOException {
    return tokenizer(new TokenizerNode(file, "", json(file)), TokenizerConfig.addedBeside(file));
  }

  private static JsonNode json(Path file) throws IOException {
    try {
      return JsonTree.read(Files.readAllBytes(file));
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
  }

  private static BpeTokenizer tokenizer(TokenizerNode root, List<JsonNode> addedBeside)
      throws IOException {
    requireSupported(root);
    Optional<TextNormalizer> normalizer = NormalizerJson.read(root.at("normalizer"));
    TokenizerNode decoder = root.at("decoder");
    List<TokenizerNode> decoders = decoder.at("decoders").elements();
    boolean characters = decoder.type().equals("Sequence") && decoders.size() > 1;
    PreTokenizerJson words;
    if (characters) {
      words = PreTokenizerJson.metaspace(root.at("pre_tokenizer"));
    } else {
      words = PreTokenizerJson.byteLevel(root.at("pre_tokenizer"));
      decoder.requireType("ByteLevel");
    }

    BpeModelJson model = new BpeModelJson(root.at("model"));
    Alphabet alphabet = characters ? model.characters() : model.bytes();
    MergeTable merges = model.merges();
    Map<String, Integer> wholeWords = model.wholeWords(characters);
    Map<String, Integer> ids = model.ids();
    AddedTokensJson added = new AddedTokensJson(ids, normalizer);
    added.read(root.at("added_tokens"));
    for (JsonNode token : addedBeside) {
      added.readBeside(root, token);
    }
    PostProcessorJson ends = PostProcessorJson.read(root.at("post_processor"), ids);
    TextEncoder encoder =
        new TextEncoder(
            alphabet,
            merges,
            wholeWords,
            added.verbatim(),
            added.normalized(),
            normalizer,
            words.patterns(),
            words.pieceStart(),
            ends.trimming());

    String[] tokens = tokens(root, ids);
    String[] spellings = new String[tokens.length];
    Arrays.setAll(spellings, id -> tokens[id] == null ? "" : added.spelling(id, tokens[id]));
    byte[][] bytes = new byte[tokens.length][];
    BpeTokenizer.Vocabulary vocabulary =
        new BpeTokenizer.Vocabulary(
            ids, tokens, bytes, added.special(), ends.prefix(), ends.suffix());
    if (!characters) {
      Arrays.setAll(bytes, id -> tokens[id] == null ? NO_BYTES : byteLevelBytes(spellings[id]));
      return new ByteLevelBpeTokenizer(vocabulary, encoder);
    }
    int strippedSpaces = strippedSpaces(decoder, decoders);
    BitSet single = new BitSet();
    for (int id = 0; id < tokens.length; id++) {
      single.set(id, BYTE.matcher(spellings[id]).matches());
      bytes[id] = characterBytes(spellings[id], single.get(id));
    }
    return new CharacterBpeTokenizer(vocabulary, encoder, single, strippedSpaces);
  }

  private static void requireSupported(TokenizerNode root) throws IOException {
    if (!root.json().isObject()) {
      throw root.refusal("the file must hold one JSON object");
    }
    JsonNode version = root.json().path("version");
    if (!version.asText("1.0").equals("1.0")) {
      throw root.refusal("version is %s; expected \"1.0\"".formatted(version));
    }
    for (String field : List.of("truncation", "padding")) {
      if (!root.at(field).isAbsent()) {
        throw root.refusal(field + " is set, which is not supported; expected null");
      }
    }
  }

  private static byte[] byteLevelBytes(String spelling) {
    return ByteAlphabet.bytes(spelling).orElseGet(() -> spelling.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] characterBytes(String spelling, boolean single) {
    return single
        ? new byte[] {(byte) Integer.parseInt(spelling.substring(3, 5), 16)}
        : spelling.replace(CharacterBpeTokenizer.SPACE, ' ').getBytes(StandardCharsets.UTF_8);
  }

  /** How many spaces the decoder takes from the start of a text. */
  private static int strippedSpaces(TokenizerNode decoder, List<TokenizerNode> decoders)
      throws IOException {
    boolean known =
        decoders.size() >= 3
            && decoders.size() <= 4
            && decoders.get(0).type().equals("Replace")
            && decoders.get(0).at("pattern").string("String").equals("▁")
            && decoders.get(0).string("content").equals(" ")
            && decoders.get(1).type().equals("ByteFallback")
            && decoders.get(2).type().equals("Fuse");
    if (known && decoders.size() == 3) {
      return 0;
    }
    if (known) {
      TokenizerNode strip = decoders.get(3);
      JsonNode start = strip.json().path("start");
      if (strip.type().equals("Strip")
          && strip.string("content").equals(" ")
          && strip.json().path("stop").asInt(-1) == 0
          && start.canConvertToInt()) {
        return start.asInt();
      }
    }
    throw decoder.refusal(
        "decoder is a Sequence that is not supported; expected Replace of \"▁\", ByteFallback,"
            + " Fuse and perhaps Strip");
  }

  /** How each id is spelt. */
  private static String[] tokens(TokenizerNode root, Map<String, Integer> ids) throws IOException {
    // Few ids may be unused: one mistyped id must not ask for memory for billions of tokens.
    int limit = 2 * ids.size() + 1024;
    Map<Integer, String> tokens = new HashMap<>();
    int size = 0;
    for (Map.Entry<String, Integer> entry : ids.entrySet()) {
      String token = entry.getKey();
      int id = entry.getValue();
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(token)) {
        throw root.refusal("the token with the id " + id + " holds an unpaired surrogate");
      }
      String other = tokens.put(id, token);
      if (other != null) {
        throw root.refusal(
            "the tokens \"%s\" and \"%s\" have the same id %d".formatted(other, token, id));
      }
      if (id >= limit) {
        throw root.refusal(
            "the token \"%s\" has the id %d; expected less than %d for %d tokens"
                .formatted(token, id, limit, ids.size()));
      }
      size = Math.max(size, id + 1);
    }
    String[] spelt = new String[size];
    tokens.forEach((id, token) -> spelt[id] = token);
    return spelt;
  }
}
