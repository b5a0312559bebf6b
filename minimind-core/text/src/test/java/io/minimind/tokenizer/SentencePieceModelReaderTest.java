package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.tokenizer.SentencePieceModel.Kind;
import io.minimind.tokenizer.SentencePieceModel.Normalizer;
import io.minimind.tokenizer.SentencePieceModel.Piece;
import io.minimind.tokenizer.SentencePieceModel.Type;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentencePieceModelReaderTest {

  private static final String TEXT = "the  old\tﬁ e\u0301…\u3000学\0😀\u00ADA①<sep>\u0301A\u030A";

  @TempDir Path folder;

  @Test
  void whatWasReadIsWrittenUnchanged() throws IOException {
    for (String name : SentencePieceFiles.MODELS) {
      SentencePieceModel model = SentencePieceModelReader.read(SentencePieceFiles.model(name));
      SentencePieceModel again = read(model.toBytes());
      assertEquals(model.pieces(), again.pieces());
      assertEquals(model.type(), again.type());
      assertEquals(model.byteFallback(), again.byteFallback());
      assertTrue(
          Arrays.equals(
              model.normalizer().rules().toBytes(), again.normalizer().rules().toBytes()));
      assertEquals(model.normalizer().addDummyPrefix(), again.normalizer().addDummyPrefix());
    }
  }

  @Test
  void aFileThatIsCutShortIsRefused() throws IOException {
    for (String name : SentencePieceFiles.MODELS) {
      byte[] bytes = Files.readAllBytes(SentencePieceFiles.model(name));
      for (int length = 0; length < bytes.length; length += length < 200 ? 1 : 61) {
        assertRefused(Arrays.copyOf(bytes, length));
      }
      assertRefused(Arrays.copyOf(bytes, bytes.length - 1));
    }
  }

  /** The process would not survive what got past the reader. */
  @Test
  void aDamagedFileIsRefusedOrWorks() throws IOException {
    Random random = new Random(11);
    int refused = 0;
    for (String name : SentencePieceFiles.MODELS) {
      byte[] bytes = Files.readAllBytes(SentencePieceFiles.model(name));
      for (int i = 0; i < 450; i++) {
        byte[] damaged = bytes.clone();
        int flips = 1 + random.nextInt(3);
        for (int flip = 0; flip < flips; flip++) {
          damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
        }
        refused += worksOrIsRefused(damaged) ? 0 : 1;
      }
    }
    assertTrue(refused > 200, "only " + refused + " were refused");
  }

  @Test
  void damagedRulesAreRefusedOrWork() throws IOException {
    SentencePieceModel model = SentencePieceModelReader.read(SentencePieceFiles.model("rules-bpe"));
    byte[] rules = model.normalizer().rules().toBytes();
    byte[] bytes = Files.readAllBytes(SentencePieceFiles.model("rules-bpe"));
    int at = indexOf(bytes, rules);
    Random random = new Random(12);
    for (int i = 0; i < 800; i++) {
      byte[] damaged = bytes.clone();
      // Whole units as often as single bits: most of the table is never looked at.
      int place = at + random.nextInt(rules.length);
      damaged[place] = (byte) random.nextInt();
      damaged[at + 4 + random.nextInt(64)] ^= (byte) (1 << random.nextInt(8));
      worksOrIsRefused(damaged);
    }
  }

  @Test
  void rulesThatLeadAstrayAreRefused() throws IOException {
    // A table in which only 'a' leads on from the root, to a replacement behind the last one.
    int[] table = unusedUnits(512);
    table[0] = 256 << 10;
    int child = 256 ^ 'a';
    int leaf = 300;
    table[child] = 'a' | 1 << 8 | (child ^ leaf) << 10;
    table[leaf] = 1 << 31 | 1;
    assertEquals(0, replaced(table, new byte[] {'b', 0}));
    table[leaf] = 1 << 31 | 2;
    assertRefusedRules(table, "outside", new byte[] {'b', 0});
    assertRefusedRules(table, "no end", new byte[] {'b', 'c'});
    assertRefusedRules(new int[] {0}, "leads out", new byte[] {0});
    int[] circle = unusedUnits(256);
    circle[0] = 0;
    circle['a'] = 'a' | 'a' << 10;
    assertRefusedRules(circle, "circle", new byte[] {0});
    int[] far = unusedUnits(256);
    far[0] = 0x1FFFFF << 10;
    assertRefusedRules(far, "leads out", new byte[] {0});
    assertThrows(IOException.class, () -> CharacterMap.read(new byte[] {1, 2}));
    assertThrows(IOException.class, () -> CharacterMap.read(new byte[] {-1, -1, -1, -1, 0, 0}));
  }

  /** The byte that a map gives for an 'a'. */
  private static int replaced(int[] units, byte[] replacements) throws IOException {
    CharacterMap map = CharacterMap.read(rules(units, replacements));
    long rule = map.longestRule(new byte[] {'a', 'a'}, 0, 2);
    assertEquals(1, rule >>> 32);
    return map.toBytes()[(int) rule];
  }

  private static int[] unusedUnits(int size) {
    int[] units = new int[size];
    Arrays.fill(units, 1 << 31);
    return units;
  }

  private static void assertRefusedRules(int[] units, String reason, byte[] replacements) {
    byte[] bytes = rules(units, replacements);
    String message = assertThrows(IOException.class, () -> CharacterMap.read(bytes)).getMessage();
    assertTrue(message.contains(reason), message);
  }

  private static byte[] rules(int[] units, byte[] replacements) {
    ByteBuffer bytes =
        ByteBuffer.allocate(4 + 4 * units.length + replacements.length)
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(4 * units.length);
    for (int unit : units) {
      bytes.putInt(unit);
    }
    bytes.put(replacements);
    return bytes.array();
  }

  @Test
  void piecesThatTheLibraryCouldNotBearAreRefused() throws IOException {
    Piece unknown = new Piece("<unk>", 0, Kind.UNKNOWN);
    Piece normal = new Piece("a", -1, Kind.NORMAL);
    assertEquals(2, read(bytes(false, unknown, normal)).pieces().size());
    assertRefused(bytes(false, normal));
    assertRefused(bytes(false, unknown));
    assertRefused(bytes(false, unknown, normal, unknown));
    assertRefused(bytes(false, unknown, normal, normal));
    assertRefused(bytes(false, unknown, normal, new Piece("", 0, Kind.NORMAL)));
    assertRefused(bytes(false, unknown, normal, new Piece("b\0c", 0, Kind.NORMAL)));
    assertRefused(bytes(false, unknown, normal, new Piece("b", Float.NaN, Kind.NORMAL)));
    assertRefused(bytes(false, unknown, normal, new Piece("b".repeat(2049), 0, Kind.NORMAL)));
    assertRefused(bytes(false, unknown, normal, new Piece("<0x41>", 0, Kind.BYTE)));
    assertRefused(bytes(true, unknown, normal, new Piece("<0x41>", 0, Kind.BYTE)));
    assertRefused(bytes(true, unknown, normal, new Piece("<0xZZ>", 0, Kind.BYTE)));
    List<Piece> nested = new ArrayList<>(List.of(unknown, normal));
    for (int length = 1; length <= 65; length++) {
      nested.add(new Piece("b".repeat(length), 0, Kind.USER_DEFINED));
    }
    assertRefused(bytes(false, nested.toArray(Piece[]::new)));
    nested.remove(nested.size() - 1);
    assertEquals(66, read(bytes(false, nested.toArray(Piece[]::new))).pieces().size());
  }

  @Test
  void aMissingFileIsNamed() {
    Path missing = folder.resolve("no.model");
    String message = assertThrows(IOException.class, () -> Tokenizer.load(missing)).getMessage();
    assertTrue(message.contains(missing.toString()), message);
  }

  private static byte[] bytes(boolean byteFallback, Piece... pieces) {
    return new SentencePieceModel(
            List.of(pieces),
            Type.BPE,
            byteFallback,
            false,
            new Normalizer(CharacterMap.IDENTITY, false, false, true))
        .toBytes();
  }

  private SentencePieceModel read(byte[] bytes) throws IOException {
    return SentencePieceModelReader.read(Files.write(folder.resolve("x.model"), bytes));
  }

  private void assertRefused(byte[] bytes) {
    String message = assertThrows(IOException.class, () -> read(bytes)).getMessage();
    assertTrue(message.contains("x.model") && message.endsWith("."), message);
  }

  private boolean worksOrIsRefused(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("x.model"), bytes);
    SentencePieceTokenizer tokenizer;
    try {
      tokenizer = SentencePieceTokenizer.load(file);
    } catch (IOException e) {
      return false;
    }
    tokenizer.decode(tokenizer.encodeOrdinary(TEXT));
    tokenizer.encodeWithOffsets(TEXT);
    return true;
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    for (int at = 0; ; at++) {
      if (Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
  }
}
