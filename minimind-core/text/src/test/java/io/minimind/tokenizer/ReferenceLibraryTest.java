package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ids and offsets of random texts are those that the Hugging Face library gives. */
class ReferenceLibraryTest {

  private static final int LINES = 4_100;

  static {
    // The native library is in the jar. Nothing is to be downloaded, and nobody to be told.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("DJL_CACHE_DIR", "target/djl");
    System.setProperty("ENGINE_CACHE_DIR", "target/djl");
  }

  private static final String[] PARTS = {
    "the",
    "camelCase",
    "ǅ",
    "/\n",
    "▁",
    "<0x41>",
    "stone",
    " stone",
    "DON'T",
    "we've",
    "I'LL",
    "it's",
    "'S",
    "'\u017F",
    "'re",
    "'",
    "''d",
    "小河",
    "今天天气",
    "慢慢地",
    "，",
    "。",
    "！",
    "한국어",
    "각",
    "\u1112\u1161\u11AB",
    "\u1161",
    "ﬁ",
    "①",
    "café",
    "thế",
    "the\u0302\u0301",
    "cafe\u0301",
    "e\u0323\u0302",
    "e\u0302\u0323",
    "\u0344",
    "\u0301",
    "\u0334",
    "\uFB2C",
    "Å",
    "Å",
    "ｱﾞ",
    "ﷺ",
    "½",
    "Ⅷ",
    "２３",
    "1234567",
    "1",
    "22",
    "٣",
    "𝟙",
    "𝒳",
    "\uD834\uDD5E",
    "豈",
    "👩\u200D👩\u200D👧",
    "🙂",
    "🏳\uFE0F\u200D🌈",
    "🇩🇪",
    " ",
    "  ",
    "   ",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    "\u000B",
    "\f",
    "\u0085",
    "\u00A0",
    "\u2003",
    "\u2028",
    "\u3000",
    "\u200B",
    "\u001C",
    "\u0000",
    "\u0007",
    "\u007F",
    "\uFFFD",
    "\uFEFF",
    "!",
    "...",
    "--",
    "(",
    "\"",
    "<|end|>",
    "<|begin|>",
    "<mask>",
    " <mask> ",
    "<tool>",
    "<think>",
    "<|en",
    "Ġ",
    "Ċ",
    "_",
    "#",
    "://",
    "\\",
    "नमस्ते",
    "สวัสดี",
    "Привет",
    "\u09C7\u09BE",
    "\u0F73",
    "\uD805\uDD38",
    "\u1ABF",
    "\uD83E\uDEE8",
    "㋿"
  };

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama3", "qwen", "digits", "decomposed", "characters"})
  void idsAndOffsetsAreThoseOfTheReference(String name) throws IOException {
    compare(name, (ObjectNode) SmallTokenizer.resource("small_" + name + ".json"));
  }

  @TestFactory
  Stream<DynamicTest> soTheyAreOfOtherFamilies() {
    return SmallTokenizer.resource("tokenizer_variants.json").properties().stream()
        .map(
            variant ->
                DynamicTest.dynamicTest(
                    variant.getKey(),
                    () -> {
                      ObjectNode json =
                          (ObjectNode)
                              SmallTokenizer.resource(variant.getValue().path("of").asText());
                      json.setAll((ObjectNode) variant.getValue().path("fields"));
                      compare(variant.getKey(), json);
                    }));
  }

  private static void compare(String name, ObjectNode json) throws IOException {
    Tokenizer tokenizer = SmallTokenizer.load(json);
    Random random = new Random(name.hashCode());
    try (HuggingFaceTokenizer reference = reference(json)) {
      for (int line = 0; line < LINES; line++) {
        String text = text(random);
        var expected = reference.encode(text, false, false);
        Encoding actual = tokenizer.encodeWithOffsets(text);
        assertArrayEquals(
            LongStream.of(expected.getIds()).mapToInt(Math::toIntExact).toArray(),
            tokenizer.encode(text),
            () -> escaped(text));
        assertArrayEquals(tokenizer.encode(text), actual.ids());
        assertEquals(spans(text, expected.getCharTokenSpans()), spans(actual), () -> escaped(text));
        if (line % 16 == 0) {
          assertArrayEquals(
              LongStream.of(reference.encode(text, true, false).getIds())
                  .mapToInt(Math::toIntExact)
                  .toArray(),
              tokenizer.encodeWithSpecialTokens(text));
          assertEquals(reference.decode(expected.getIds(), false), tokenizer.decode(actual.ids()));
          assertEquals(
              reference.decode(expected.getIds(), true), tokenizer.decode(actual.ids(), true));
        }
      }
    }
  }

  private static HuggingFaceTokenizer reference(ObjectNode json) throws IOException {
    try (InputStream in =
        new ByteArrayInputStream(json.toString().getBytes(StandardCharsets.UTF_8))) {
      return HuggingFaceTokenizer.newInstance(
          in, Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false"));
    } catch (LinkageError | IllegalStateException e) {
      Assumptions.abort("The reference library does not load on this machine: " + e.getMessage());
      throw e;
    }
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    int parts = 1 + random.nextInt(14);
    for (int i = 0; i < parts; i++) {
      switch (random.nextInt(8)) {
        case 0 -> text.appendCodePoint(codePoint(random, Character.MAX_CODE_POINT));
        case 1 -> text.appendCodePoint(codePoint(random, Character.MAX_VALUE));
        case 2 -> text.appendCodePoint(random.nextInt(0x250));
        default -> text.append(PARTS[random.nextInt(PARTS.length)]);
      }
    }
    return text.toString();
  }

  private static int codePoint(Random random, int limit) {
    int codePoint = random.nextInt(limit + 1);
    return codePoint >= 0xD800 && codePoint < 0xE000 ? 'x' : codePoint;
  }

  /** The reference counts code points. */
  private static String spans(String text, CharSpan[] spans) {
    StringBuilder all = new StringBuilder();
    for (CharSpan span : spans) {
      all.append(text.offsetByCodePoints(0, span.getStart()))
          .append('-')
          .append(text.offsetByCodePoints(0, span.getEnd()))
          .append(' ');
    }
    return all.toString();
  }

  private static String spans(Encoding encoding) {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < encoding.ids().length; i++) {
      all.append(encoding.starts()[i]).append('-').append(encoding.ends()[i]).append(' ');
    }
    return all.toString();
  }

  private static String escaped(String text) {
    return Arrays.toString(text.codePoints().mapToObj(Integer::toHexString).toArray());
  }
}
