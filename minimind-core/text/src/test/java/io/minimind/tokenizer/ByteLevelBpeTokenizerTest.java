package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ByteLevelBpeTokenizerTest {

  private static final Tokenizer SMALL = SmallTokenizer.load();

  @TestFactory
  Stream<DynamicTest> idsAndTextsEqualThoseOfTheReference() {
    return StreamSupport.stream(SmallTokenizer.cases().spliterator(), false)
        .map(
            variant ->
                DynamicTest.dynamicTest(
                    variant.get("name").asText(),
                    () -> {
                      ObjectNode json = SmallTokenizer.json();
                      variant
                          .get("settings")
                          .properties()
                          .forEach(setting -> set(json, setting.getKey(), setting.getValue()));
                      Tokenizer tokenizer = SmallTokenizer.load(json);
                      variant.path("encodings").forEach(c -> checkEncoding(tokenizer, c));
                      variant.path("decodings").forEach(c -> checkDecoding(tokenizer, c));
                    }));
  }

  @Test
  void idsAndTextsEqualThoseOfTheReferenceWithMiniMindsTokenizer() throws IOException {
    Path shared = sharedFolder();
    Tokenizer tokenizer = Tokenizer.load(shared.resolve("tokenizer/minimind"));
    JsonNode cases =
        new ObjectMapper().readTree(shared.resolve("golden/tokenizer_cases.json").toFile());
    assertTrue(cases.size() > 0);
    cases.forEach(c -> checkEncoding(tokenizer, c));
  }

  @Test
  void mergesMayBeGivenAsPairs() {
    ObjectNode json = SmallTokenizer.json();
    ArrayNode merges = (ArrayNode) json.at("/model/merges");
    for (int i = 0; i < merges.size(); i++) {
      ArrayNode pair = json.arrayNode();
      Stream.of(merges.get(i).asText().split(" ")).forEach(pair::add);
      merges.set(i, pair);
    }
    String text = "the mill and the river";
    assertArrayEquals(SMALL.encode(text), SmallTokenizer.load(json).encode(text));
  }

  @Property
  void decodingAnEncodingGivesTheTextBack(@ForAll("texts") String text) {
    assertEquals(text, SMALL.decode(SMALL.encode(text)));
  }

  @Property
  void bytesOfTokensJoinToTheText(@ForAll("texts") String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : SMALL.encodeOrdinary(text)) {
      bytes.writeBytes(SMALL.bytes(id));
    }
    assertEquals(text, bytes.toString(StandardCharsets.UTF_8));
    SMALL.specialTokens().values().forEach(id -> assertEquals(0, SMALL.bytes(id).length));
  }

  @Property(tries = 300)
  void aBatchGivesWhatTheTextsGiveOneByOne(@ForAll List<String> texts) {
    List<int[]> batch = SMALL.encodeBatch(texts);
    assertEquals(texts.size(), batch.size());
    for (int i = 0; i < texts.size(); i++) {
      assertArrayEquals(SMALL.encode(texts.get(i)), batch.get(i));
    }
  }

  @Property
  void ordinaryTextHoldsNoSpecialTokens(@ForAll("texts") String text) {
    int[] ids = SMALL.encodeOrdinary("<s>" + text + "</s>");
    for (int id : ids) {
      assertFalse(SMALL.isSpecial(id));
    }
    assertEquals("<s>" + text + "</s>", SMALL.decode(ids, true));
  }

  @Property
  void piecesOfAStreamHoldNoHalfCharacters(@ForAll("texts") String text) {
    StreamingDecoder decoder = SMALL.streamingDecoder();
    int at = 0;
    for (int id : SMALL.encode(text)) {
      String piece = decoder.next(id);
      assertTrue(text.startsWith(piece, at));
      at += piece.length();
      assertFalse(at > 0 && at < text.length() && Character.isHighSurrogate(text.charAt(at - 1)));
    }
    assertEquals(text.length(), at);
    assertEquals("", decoder.finish());
  }

  @Property
  void placesCoverTheTextInOrder(@ForAll("texts") String text) {
    Encoding encoding = SMALL.encodeWithOffsets(text);
    assertArrayEquals(SMALL.encode(text), encoding.ids());
    int behind = 0;
    for (int i = 0; i < encoding.ids().length; i++) {
      assertTrue(encoding.starts()[i] <= behind && encoding.starts()[i] < encoding.ends()[i]);
      assertTrue(encoding.ends()[i] >= behind);
      behind = encoding.ends()[i];
    }
    assertEquals(text.length(), behind);
  }

  @Test
  void specialTokensAreKnownAndMayBeLeftOut() {
    assertEquals(List.of("<unk>", "<s>", "</s>"), List.copyOf(SMALL.specialTokens().keySet()));
    assertEquals(List.of(0, 1, 2), List.copyOf(SMALL.specialTokens().values()));
    assertTrue(SMALL.isSpecial(2));
    assertFalse(SMALL.isSpecial(3));
    int[] ids = SMALL.encode("<s>the mill</s>");
    assertEquals("the mill", SMALL.decode(ids, true));
    assertEquals("<s>the mill</s>", SMALL.decode(ids, false));
  }

  @Test
  void eachTokenHasItsId() {
    for (int id = 0; id < SMALL.vocabularySize(); id++) {
      assertEquals(OptionalInt.of(id), SMALL.tokenId(SMALL.token(id).orElseThrow()));
    }
    assertThrows(IllegalArgumentException.class, () -> SMALL.token(340));
    assertThrows(IllegalArgumentException.class, () -> SMALL.isSpecial(-1));
  }

  @Property
  void idsAreInRange(@ForAll String text) {
    for (int id : SMALL.encode(text)) {
      assertTrue(id >= 0 && id < SMALL.vocabularySize());
    }
  }

  @Property
  void streamedPiecesJoinToTheDecodedText(@ForAll("ids") List<Integer> ids) {
    StreamingDecoder decoder = SMALL.streamingDecoder();
    // The second time shows that a decoder that was ended starts anew.
    for (int round = 0; round < 2; round++) {
      StringBuilder joined = new StringBuilder();
      for (int id : ids) {
        joined.append(decoder.next(id));
      }
      joined.append(decoder.finish());
      assertEquals(
          SMALL.decode(ids.stream().mapToInt(Integer::intValue).toArray()), joined.toString());
    }
  }

  @Test
  void aCharacterIsHeldBackUntilItIsComplete() {
    int[] ids = SMALL.encode("𝒳");
    assertEquals(4, ids.length);
    StreamingDecoder decoder = SMALL.streamingDecoder();
    List<String> pieces = new ArrayList<>();
    for (int id : ids) {
      pieces.add(decoder.next(id));
    }
    assertEquals(List.of("", "", "", "𝒳"), pieces);
    assertEquals("", decoder.finish());
  }

  @Property
  void unpairedSurrogatesCountAsReplacementCharacters(@ForAll("surrogates") String text) {
    String replaced =
        new String(
            text.codePoints().map(c -> c >= 0xD800 && c < 0xE000 ? 0xFFFD : c).toArray(),
            0,
            text.codePointCount(0, text.length()));
    assertArrayEquals(SMALL.encode(replaced), SMALL.encode(text));
  }

  @Test
  void aVeryLongWordIsEncoded() {
    String word = "thestone".repeat(50_000);
    int[] ids = SMALL.encode(word);
    assertEquals(word, SMALL.decode(ids));
    int[] once = SMALL.encode("thestonethestone");
    assertEquals(once.length * 25_000, ids.length);
  }

  @Test
  void addedTokensAreGivenBackAsTheReferenceDoes() {
    ObjectNode json = SmallTokenizer.json();
    // In the alphabet of bytes é is a byte that is no valid UTF-8, and 中 is none.
    ObjectNode token = json.withArray("added_tokens").get(1).deepCopy();
    token.put("id", SMALL.vocabularySize()).put("content", "<é>");
    json.withArray("added_tokens").add(token);
    Tokenizer tokenizer = SmallTokenizer.load(json);
    assertEquals(SMALL.vocabularySize() + 1, tokenizer.vocabularySize());
    assertEquals(OptionalInt.of(SMALL.vocabularySize()), tokenizer.tokenId("<é>"));
    assertArrayEquals(new int[] {SMALL.vocabularySize()}, tokenizer.encode("<é>"));
    assertEquals("<\uFFFD>", tokenizer.decode(new int[] {SMALL.vocabularySize()}));
    json.putObject("normalizer").put("type", "NFKC");
    token.put("content", "：").put("normalized", true);
    Tokenizer normalizing = SmallTokenizer.load(json);
    assertEquals("the:", normalizing.decode(normalizing.encode("the：")));
    token.put("content", "<é中>");
    assertEquals("<é中>", SmallTokenizer.load(json).decode(new int[] {SMALL.vocabularySize()}));
  }

  @Test
  void tokensAreFoundByTheirSpelling() {
    assertEquals(OptionalInt.of(1), SMALL.tokenId("<s>"));
    assertArrayEquals(new int[] {SMALL.tokenId("Ġthe").orElseThrow()}, SMALL.encode(" the"));
    assertEquals(OptionalInt.empty(), SMALL.tokenId("no such token"));
  }

  @Test
  void anIdOutOfRangeIsRefused() {
    for (int id : new int[] {-1, SMALL.vocabularySize()}) {
      String sentence = "Token id " + id + " is out of range: this tokenizer has the ids 0 to 339.";
      assertEquals(
          sentence,
          assertThrows(IllegalArgumentException.class, () -> SMALL.decode(new int[] {3, id}))
              .getMessage());
      assertEquals(
          sentence,
          assertThrows(IllegalArgumentException.class, () -> SMALL.streamingDecoder().next(id))
              .getMessage());
    }
  }

  @Provide
  Arbitrary<String> texts() {
    Arbitrary<String> any =
        Arbitraries.integers()
            .between(0, Character.MAX_CODE_POINT)
            .filter(c -> c < 0xD800 || c >= 0xE000)
            .map(Character::toString);
    Arbitrary<String> known =
        Arbitraries.of("the", "mill", "'s", " ", "\n", "小镇", "的", "<s>", "</s", "1", "!", "é");
    return Arbitraries.oneOf(any, known).list().ofMaxSize(30).map(parts -> String.join("", parts));
  }

  @Provide
  Arbitrary<List<Integer>> ids() {
    return Arbitraries.integers().between(0, SMALL.vocabularySize() - 1).list().ofMaxSize(40);
  }

  @Provide
  Arbitrary<String> surrogates() {
    return Arbitraries.of('\uD83D', '\uDE00', 'a', ' ', '的')
        .list()
        .ofMaxSize(12)
        .map(
            characters -> {
              StringBuilder text = new StringBuilder();
              characters.forEach(text::append);
              return text.toString();
            });
  }

  private static void checkEncoding(Tokenizer tokenizer, JsonNode expected) {
    String text = expected.get("text").asText();
    int[] ids = SmallTokenizer.ids(expected.get("ids"));
    assertArrayEquals(
        ids,
        tokenizer.encode(text),
        () -> text + " gave " + Arrays.toString(tokenizer.encode(text)));
    checkDecoding(tokenizer, expected);
  }

  private static void checkDecoding(Tokenizer tokenizer, JsonNode expected) {
    assertEquals(
        expected.get("decoded").asText(),
        tokenizer.decode(SmallTokenizer.ids(expected.get("ids"))));
  }

  private static void set(ObjectNode json, String pointer, JsonNode value) {
    int slash = pointer.lastIndexOf('/');
    ((ObjectNode) json.at(pointer.substring(0, slash))).set(pointer.substring(slash + 1), value);
  }

  private static Path sharedFolder() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.isDirectory(folder.resolve("shared/golden"))) {
      folder = folder.getParent();
    }
    Assumptions.assumeTrue(
        folder != null, "No folder with the reference cases beside the checkout");
    return folder.resolve("shared");
  }
}
