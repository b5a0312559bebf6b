package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.tokenizer.StreamingDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class LanguageModelTest {
  private static final int END = 3;
  private static final LoadOptions ONE = LoadOptions.defaults().withThreads(1);
  private static final GenerationOptions OPTIONS = GenerationOptions.greedy().withMaxNewTokens(41);

  @TempDir private Path folder;

  @BeforeEach
  void writeModel() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
  }

  @Test
  void theTextIsTheDecodedTokens() throws IOException {
    try (LanguageModel model = LanguageModel.load(folder, ONE, new Pairs(64))) {
      Generation generation = model.generate("abc", OPTIONS);
      assertEquals(FinishReason.LENGTH, generation.finishReason());
      assertEquals(3, generation.promptTokens());
      assertEquals(41, generation.tokenIds().length);
      assertEquals(model.tokenizer().decode(generation.tokenIds()), generation.text());
      int[] ids = model.tokenizer().encode("abc");
      assertArrayEquals(
          generation.tokenIds(), model.generate(ids, OPTIONS, piece -> {}).tokenIds());
      assertArrayEquals(generation.tokenIds(), model.generate(ids, OPTIONS).tokenIds());
    }
  }

  @Test
  void thePiecesJoinToTheTextAndAreNeverEmpty() throws IOException {
    try (LanguageModel model = LanguageModel.load(folder, ONE, new Pairs(64))) {
      List<String> pieces = new ArrayList<>();
      Generation generation = model.generate("abc", OPTIONS, pieces::add);
      assertEquals(generation.text(), String.join("", pieces));
      // The tokens come in pairs, and the last of an odd number is flushed.
      assertEquals(21, pieces.size());
    }
  }

  @Test
  void theTokenizersEndTokenCountsWhereTheConfigurationNamesNone() throws IOException {
    int[] endless;
    try (LanguageModel model = LanguageModel.load(folder, ONE, new Pairs(64))) {
      endless = model.generate("abc", OPTIONS).tokenIds();
    }
    Pairs tokenizer = new Pairs(64, endless[5]);
    Files.delete(folder.resolve("generation_config.json"));
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
    try (LanguageModel model = LanguageModel.load(folder, ONE, tokenizer)) {
      Generation generation = model.generate("abc", OPTIONS);
      assertEquals(FinishReason.END_OF_TEXT, generation.finishReason());
      assertEquals(
          Arrays.stream(endless).takeWhile(id -> id != endless[5]).count(),
          generation.tokenIds().length);
    }
  }

  @Test
  void aFolderIsAModel() throws IOException {
    TestModel bytes = new TestModel(32, 1, 2, 1, 48, 256, 100);
    bytes.write(folder, TestModel.random(2), -1);
    Files.writeString(folder.resolve("tokenizer.json"), ExportedModel.byteTokenizer());
    try (LanguageModel model = LanguageModel.load(folder)) {
      assertEquals(256, model.vocabularySize());
      assertEquals(100, model.contextLength());
      List<String> pieces = new ArrayList<>();
      Generation generation = model.generate("法律", OPTIONS, pieces::add);
      assertEquals(6, generation.promptTokens());
      assertEquals(model.tokenizer().decode(generation.tokenIds()), generation.text());
      assertEquals(generation.text(), String.join("", pieces));
    }
  }

  @Test
  void nullsAreNamed() throws IOException {
    assertNull("folder", () -> LanguageModel.load(null));
    assertNull("name", () -> LanguageModel.fromClasspath(null));
    assertNull("systemPrompt", () -> ChatOptions.defaults().withSystemPrompt(null));
    assertNull("generation", () -> ChatOptions.defaults().withGeneration(null));
    try (LanguageModel model = LanguageModel.load(folder, ONE, new Pairs(64))) {
      assertNull("prompt", () -> model.generate((String) null, OPTIONS));
      assertNull("promptIds", () -> model.stream((int[]) null, OPTIONS));
      assertNull("options", () -> model.stream("abc", null));
      assertNull("onText", () -> model.start("abc", OPTIONS, null));
      assertNull("onText", () -> model.generate("abc", OPTIONS, null));
      assertNull("prompts", () -> model.generateAll(null, OPTIONS));
      assertNull("text", () -> model.score(null));
      assertNull("text", () -> model.embed(null));
    }
  }

  private static void assertNull(String name, Executable call) {
    assertEquals(name, assertThrows(NullPointerException.class, call).getMessage());
  }

  @Test
  void anEmptyPromptIsRefused() throws IOException {
    try (LanguageModel model = LanguageModel.load(folder, ONE, new Pairs(64))) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> model.generate("", OPTIONS))
              .getMessage();
      assertTrue(message.startsWith("The prompt is empty"), message);
    }
  }

  @Test
  void aTokenizerOfAnotherModelIsRefused() {
    String message =
        assertThrows(IOException.class, () -> LanguageModel.load(folder, ONE, new Pairs(65)))
            .getMessage();
    assertTrue(message.contains("tokenizer.json has 65 tokens, model.onnx only 64"), message);
  }

  @Test
  void aContextBeyondTheGraphsPositionsIsRefused() throws IOException {
    ExportedModel.write(folder);
    Path config = folder.resolve("config.json");
    String written = Files.readString(config);
    String before = "\"max_position_embeddings\" : 64";
    assertTrue(written.contains(before), written);
    Files.writeString(config, written.replace(before, "\"max_position_embeddings\" : 65"));
    String message =
        assertThrows(IOException.class, () -> LanguageModel.load(folder, ONE)).getMessage();
    assertTrue(message.contains("max_position_embeddings as 65, but model.onnx knows 64"), message);
    Files.writeString(config, written.replace(before, "\"max_position_embeddings\" : 63"));
    try (LanguageModel model = LanguageModel.load(folder, ONE)) {
      assertEquals(63, model.contextLength());
    }
  }

  @Test
  void aMissingTokenizerIsNamed() {
    String message = assertThrows(IOException.class, () -> LanguageModel.load(folder)).getMessage();
    assertTrue(message.contains(folder + " has no tokenizer.json"), message);
  }

  /** One token per character from U+0100, whose decoder always holds back every other one. */
  private record Pairs(int vocabularySize, int end) implements PartialTokenizer {
    Pairs(int vocabularySize) {
      this(vocabularySize, END);
    }

    @Override
    public int[] encode(String text) {
      return text.chars().map(c -> c % vocabularySize).toArray();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
      return Arrays.stream(ids)
          .mapToObj(id -> Character.toString(0x100 + id))
          .collect(Collectors.joining());
    }

    @Override
    public OptionalInt tokenId(String token) {
      return token.equals("</s>") ? OptionalInt.of(end) : OptionalInt.empty();
    }

    @Override
    public StreamingDecoder streamingDecoder() {
      return new StreamingDecoder() {
        private String held = "";

        @Override
        public String next(int id) {
          String text = held + decode(new int[] {id});
          held = held.isEmpty() ? text : "";
          return held.isEmpty() ? text : "";
        }

        @Override
        public String finish() {
          String text = held;
          held = "";
          return text;
        }
      };
    }
  }
}
