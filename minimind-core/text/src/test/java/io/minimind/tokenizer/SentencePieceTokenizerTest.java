package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.tokenizer.SentencePieceModel.Kind;
import io.minimind.tokenizer.SentencePieceModel.Piece;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SentencePieceTokenizerTest {

  private static final SentencePieceTokenizer PLAIN = SentencePieceFiles.load("plain-bpe");
  private static final List<SentencePieceTokenizer> ALL =
      SentencePieceFiles.MODELS.stream().map(SentencePieceFiles::load).toList();
  private static final SentencePieceModel PLAIN_MODEL = plainModel();

  @TempDir Path folder;

  private static SentencePieceModel plainModel() {
    try {
      return SentencePieceModelReader.read(SentencePieceFiles.model("plain-bpe"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void idsTextsAndPlacesEqualThoseOfSentencePiece() {
    for (int i = 0; i < ALL.size(); i++) {
      String name = SentencePieceFiles.MODELS.get(i);
      for (JsonNode example : SentencePieceFiles.cases(name)) {
        String text = example.get("text").asText();
        int[] ids = SentencePieceFiles.ints(example.get("ids"));
        assertArrayEquals(ids, ALL.get(i).encodeOrdinary(text), name + ": " + text);
        int[] randomIds = SentencePieceFiles.ints(example.get("random_ids"));
        assertEquals(example.get("decoded").asText(), ALL.get(i).decode(randomIds), name);
        if (text.matches("(?s).*(</?s>|<unk>).*")) {
          continue;
        }
        Encoding encoding = ALL.get(i).encodeWithOffsets(text);
        assertArrayEquals(ids, encoding.ids(), name);
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int[] starts =
            IntStream.of(SentencePieceFiles.ints(example.get("begins")))
                .map(at -> new String(utf8, 0, at, StandardCharsets.UTF_8).length())
                .toArray();
        assertArrayEquals(starts, encoding.starts(), name + ": " + text);
      }
    }
  }

  @Provide
  Arbitrary<String> texts() {
    return SentencePieceFiles.texts();
  }

  @Property(tries = 4000)
  void idsAreThoseOfTheDefinition(@ForAll("texts") String text) {
    assertArrayEquals(define(wellFormed(text)), PLAIN.encodeOrdinary(text));
  }

  /** Merges the neighbours that make the piece of the highest score, again and again. */
  private static int[] define(String text) {
    Map<String, Piece> pieces = new HashMap<>();
    PLAIN_MODEL.pieces().stream()
        .filter(piece -> piece.kind() == Kind.NORMAL)
        .forEach(piece -> pieces.put(piece.text(), piece));
    List<String> symbols = new ArrayList<>();
    text.replace(' ', '\u2581').codePoints().mapToObj(Character::toString).forEach(symbols::add);
    while (true) {
      int best = -1;
      float bestScore = Float.NEGATIVE_INFINITY;
      for (int i = 0; i + 1 < symbols.size(); i++) {
        Piece merged = pieces.get(symbols.get(i) + symbols.get(i + 1));
        if (merged != null && merged.score() > bestScore) {
          best = i;
          bestScore = merged.score();
        }
      }
      if (best < 0) {
        break;
      }
      symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
    }
    return symbols.stream()
        .flatMapToInt(
            symbol ->
                pieces.containsKey(symbol)
                    ? IntStream.of(PLAIN_MODEL.pieces().indexOf(pieces.get(symbol)))
                    : bytes(symbol).map(value -> 3 + value))
        .toArray();
  }

  private static IntStream bytes(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return IntStream.range(0, bytes.length).map(i -> bytes[i] & 0xFF);
  }

  private static String wellFormed(String text) {
    return new String(AlignedText.of(text).chars());
  }

  /** The mark that SentencePiece puts in the place of a space becomes one. */
  private static String decoded(String text) {
    return wellFormed(text).replace('\u2581', ' ');
  }

  @Property
  void decodingGivesTheTextBack(@ForAll("texts") String text) {
    assertEquals(decoded(text), PLAIN.decode(PLAIN.encode(text)));
    assertEquals(decoded(text), PLAIN.decode(PLAIN.encodeOrdinary(text)));
  }

  @Property
  void bytesOfTokensJoinToTheText(@ForAll("texts") String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : PLAIN.encodeOrdinary(text)) {
      bytes.writeBytes(PLAIN.bytes(id));
    }
    assertEquals(decoded(text), bytes.toString(StandardCharsets.UTF_8));
    PLAIN.specialTokens().values().forEach(id -> assertEquals(0, PLAIN.bytes(id).length));
  }

  @Property
  void placesAreThoseOfThePieces(@ForAll("texts") String text) {
    Encoding encoding = PLAIN.encodeWithOffsets(text);
    assertArrayEquals(PLAIN.encode(text), encoding.ids());
    String source = wellFormed(text);
    int covered = 0;
    for (int i = 0; i < encoding.ids().length; i++) {
      String part = source.substring(encoding.starts()[i], encoding.ends()[i]);
      String piece = PLAIN.token(encoding.ids()[i]).orElseThrow();
      if (PLAIN_MODEL.pieces().get(encoding.ids()[i]).kind() == Kind.BYTE) {
        assertEquals(1, part.codePointCount(0, part.length()));
      } else {
        assertEquals(piece, part.replace(' ', '\u2581'));
      }
      assertTrue(encoding.starts()[i] <= covered, "no gaps");
      covered = Math.max(covered, encoding.ends()[i]);
    }
    assertEquals(source.length(), covered);
  }

  @Property
  void placesLieInTheTextWhateverTheRules(@ForAll("texts") String text) {
    for (SentencePieceTokenizer tokenizer : ALL) {
      Encoding encoding = tokenizer.encodeWithOffsets(text);
      assertArrayEquals(tokenizer.encode(text), encoding.ids());
      for (int i = 0; i < encoding.ids().length; i++) {
        assertTrue(encoding.starts()[i] <= encoding.ends()[i]);
        assertTrue(encoding.ends()[i] <= text.length());
        assertTrue(i == 0 || encoding.starts()[i - 1] <= encoding.starts()[i]);
      }
    }
  }

  @Property
  void aStreamJoinsToTheDecodedText(
      @ForAll @Size(max = 20) List<@IntRange(max = 169) Integer> choices) {
    for (SentencePieceTokenizer tokenizer : ALL) {
      int[] ids = choices.stream().mapToInt(Integer::intValue).toArray();
      StreamingDecoder decoder = tokenizer.streamingDecoder();
      // Twice: a decoder that was finished begins anew.
      for (int round = 0; round < 2; round++) {
        StringBuilder joined = new StringBuilder();
        for (int id : ids) {
          String part = decoder.next(id);
          assertEquals(part, wellFormed(part), "half a character");
          joined.append(part);
        }
        joined.append(decoder.finish());
        assertEquals(tokenizer.decode(ids), joined.toString());
      }
    }
  }

  @Property
  void aStreamHoldsBackUnfinishedCharacters(@ForAll("texts") String text) {
    StreamingDecoder decoder = PLAIN.streamingDecoder();
    StringBuilder joined = new StringBuilder();
    for (int id : PLAIN.encode(text)) {
      joined.append(decoder.next(id));
    }
    assertEquals("", decoder.finish());
    assertEquals(decoded(text), joined.toString());
  }

  @Test
  void specialTokensAreFoundOnlyWhereAskedFor() {
    assertEquals(List.of("<unk>", "<s>", "</s>"), List.copyOf(PLAIN.specialTokens().keySet()));
    String text = "<s>the old</s>";
    int[] ids = PLAIN.encode(text);
    assertEquals(1, ids[0]);
    assertEquals(2, ids[ids.length - 1]);
    assertTrue(PLAIN.isSpecial(1));
    assertEquals(text, PLAIN.decode(ids));
    assertEquals("the old", PLAIN.decode(ids, true));
    int[] ordinary = PLAIN.encodeOrdinary(text);
    assertTrue(IntStream.of(ordinary).noneMatch(PLAIN::isSpecial));
    assertEquals(text, PLAIN.decode(ordinary));
    assertArrayEquals(ids, PLAIN.encodeWithSpecialTokens(text));
    assertArrayEquals(ids, PLAIN.encodeBatch(List.of("", text)).get(1));
  }

  @Test
  void eachPartBetweenSpecialTokensIsATextOfItsOwn() {
    SentencePieceTokenizer rules = ALL.get(1);
    int[] part = rules.encodeOrdinary("the old");
    int[] ids = rules.encode("<s>the old</s>the old");
    assertArrayEquals(concat(new int[] {1}, part, new int[] {2}, part), ids);
    assertEquals("<s>the old</s>the old", rules.decode(ids));
  }

  @Test
  void unknownCharactersLeaveTheSpacesAroundThem() {
    SentencePieceTokenizer noBytes = ALL.get(2);
    // SentencePiece decodes them to the same texts, but with " ⁇ " for what is unknown.
    for (String text : List.of("the ☃ the ☃ the", "☃ the", "the☃ ☃the", "a ☃")) {
      String expected = text.replace("☃", "<unk>");
      int[] ids = noBytes.encodeOrdinary(text);
      assertTrue(IntStream.of(ids).anyMatch(id -> id == 0), text);
      assertEquals(expected, noBytes.decode(ids), text);
    }
  }

  private static int[] concat(int[]... parts) {
    return List.of(parts).stream().flatMapToInt(IntStream::of).toArray();
  }

  @Test
  void idsOutOfRangeAreRefused() {
    for (int id : new int[] {-1, PLAIN.vocabularySize(), Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      for (Executable call :
          List.<Executable>of(
              () -> PLAIN.decode(new int[] {5, id}),
              () -> PLAIN.streamingDecoder().next(id),
              () -> PLAIN.token(id))) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(String.valueOf(id)), message);
      }
    }
    assertEquals(OptionalInt.of(2), PLAIN.tokenId("</s>"));
    assertEquals(OptionalInt.of(3 + 10), PLAIN.tokenId("<0x0A>"));
    assertEquals(OptionalInt.empty(), PLAIN.tokenId("no such piece"));
  }

  @Test
  void aTextThatIsTooLongForTheLibraryIsRefused() {
    String text = "a".repeat((1 << 22) + 1);
    assertThrows(IllegalArgumentException.class, () -> PLAIN.encode(text));
  }

  @Test
  void severalThreadsMayEncodeAtOnce() {
    List<String> texts = SentencePieceFiles.corpus();
    List<int[]> alone = texts.stream().map(PLAIN::encode).toList();
    for (int round = 0; round < 20; round++) {
      List<int[]> together = PLAIN.encodeBatch(texts);
      for (int i = 0; i < texts.size(); i++) {
        assertArrayEquals(alone.get(i), together.get(i));
      }
    }
  }

  @Test
  void aTokenizerIsLoadedByContent() throws IOException {
    Path model = folder.resolve("anything.bin");
    Files.copy(SentencePieceFiles.model("plain-bpe"), model);
    assertInstanceOf(SentencePieceTokenizer.class, Tokenizer.load(model));
    Files.copy(model, folder.resolve("tokenizer.model"));
    assertInstanceOf(SentencePieceTokenizer.class, Tokenizer.load(folder));
    Path json = folder.resolve("tokenizer.json");
    try (InputStream in = getClass().getResourceAsStream("small_tokenizer.json")) {
      Files.copy(in, json);
    }
    assertInstanceOf(ByteLevelBpeTokenizer.class, Tokenizer.load(folder));
    Path misnamed = folder.resolve("misnamed.model");
    Files.copy(json, misnamed);
    assertInstanceOf(ByteLevelBpeTokenizer.class, Tokenizer.load(misnamed));
    Path alsoMisnamed = folder.resolve("misnamed.json");
    Files.copy(model, alsoMisnamed);
    assertInstanceOf(SentencePieceTokenizer.class, Tokenizer.load(alsoMisnamed));
  }

  @Test
  void withoutTheLibraryTheErrorNamesTheDependency() throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (!entry.contains("djl")) {
        urls.add(Path.of(entry).toUri().toURL());
      }
    }
    try (URLClassLoader loader =
        new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      Method load = loader.loadClass(Tokenizer.class.getName()).getMethod("load", Path.class);
      Throwable failure =
          assertThrows(
                  InvocationTargetException.class,
                  () -> load.invoke(null, SentencePieceFiles.model("plain-bpe")))
              .getCause();
      assertInstanceOf(IOException.class, failure);
      assertTrue(
          failure.getMessage().contains("add the dependency " + SentencePieceTokenizer.LIBRARY),
          failure.getMessage());
    }
  }

  @Test
  void aLibraryThatCannotStartIsNotSaidToBeMissingTheSecondTime() throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      urls.add(Path.of(entry).toUri().toURL());
    }
    try (URLClassLoader loader =
        new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader()) {
          @Override
          protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (name.equals("org.slf4j.LoggerFactory")) {
              throw new UnsatisfiedLinkError("no such machine");
            }
            return super.findClass(name);
          }
        }) {
      Method load = loader.loadClass(Tokenizer.class.getName()).getMethod("load", Path.class);
      for (int i = 0; i < 2; i++) {
        String message =
            assertThrows(
                    InvocationTargetException.class,
                    () -> load.invoke(null, SentencePieceFiles.model("plain-bpe")))
                .getCause()
                .getMessage();
        assertTrue(message.endsWith("SentencePiece's library says: no such machine"), message);
      }
    }
  }

  @Test
  void theDependencyThatIsNamedIsTheOneTested() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = getClass().getResourceAsStream("/native/lib/sentencepiece.properties")) {
      properties.load(in);
    }
    String tested = properties.getProperty("version");
    String named = SentencePieceTokenizer.LIBRARY;
    assertFalse(tested.isEmpty());
    assertTrue(tested.endsWith("-" + named.substring(named.lastIndexOf(':') + 1)), tested);
  }
}
