package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.JavaProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The expected vocabularies are what the Hugging Face library learned from the same texts. */
class ByteLevelBpeTrainerTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private static JsonNode cases() throws IOException {
    return JSON.readTree(resource("bpe_training_cases.json"));
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = ByteLevelBpeTrainerTest.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    }
  }

  private static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(element -> strings.add(element.textValue()));
    return strings;
  }

  private static List<String> sentences() throws IOException {
    return strings(cases().get("sentences"));
  }

  @Test
  void learnsWhatTheReferenceLearns() throws IOException {
    for (JsonNode reference : cases().get("cases")) {
      JsonNode texts = reference.get("texts");
      TrainedTokenizer trained =
          ByteLevelBpeTrainer.ofSize(reference.get("vocabulary_size").intValue())
              .withMinimumFrequency(reference.get("minimum_frequency").intValue())
              .train((texts.isArray() ? strings(texts) : sentences()).iterator());
      List<String> merges =
          trained.merges().stream().map(merge -> merge.left() + " " + merge.right()).toList();
      assertEquals(strings(reference.get("merges")), merges);
      assertEquals(259 + merges.size(), trained.vocabulary().size());
    }
  }

  @Test
  void writesTheFileThatTheReferenceWrites() throws IOException {
    Path nested = folder.resolve("new/tokenizer");
    ByteLevelBpeTrainer.ofSize(300).train(sentences().iterator()).save(nested);
    assertArrayEquals(
        resource("bpe_trained.json"), Files.readAllBytes(nested.resolve("tokenizer.json")));

    Tokenizer tokenizer = Tokenizer.load(nested);
    assertEquals(300, tokenizer.vocabularySize());
    assertArrayEquals(new int[] {0, 1, 2}, tokenizer.encode("<unk><s></s>"));
    for (String text : sentences()) {
      assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
    }
    JsonNode config = JSON.readTree(nested.resolve("tokenizer_config.json").toFile());
    assertEquals("<s>", config.get("bos_token").textValue());
    assertEquals("</s>", config.get("eos_token").textValue());
    assertTrue(config.get("chat_template").textValue().contains("<s>assistant\\n"));
  }

  /** The file is the library's, with MiniMind's 36 tokens, of which the last 15 are no special. */
  @Test
  void writesTheFileThatTheReferenceWritesWithTokensOfOnesOwn() throws IOException {
    ByteLevelBpeTrainer.ofSize(340, DeclaredTokens.CHAT_ML)
        .train(sentences().iterator())
        .save(folder);
    assertArrayEquals(
        resource("bpe_trained_chatml.json"), Files.readAllBytes(folder.resolve("tokenizer.json")));
    Tokenizer tokenizer = Tokenizer.load(folder);
    int[] ids = tokenizer.encode("<|im_start|><think>a</think><|im_end|>");
    assertEquals("<think>a</think>", tokenizer.decode(ids, true), "what is part of texts stays");
    assertEquals(
        new TokenRoles(
            Optional.of("<|im_start|>"), Optional.of("<|im_end|>"), Optional.of("<|endoftext|>")),
        TokenRoles.load(folder, tokenizer));
    JsonNode config = JSON.readTree(folder.resolve("tokenizer_config.json").toFile());
    assertFalse(config.at("/added_tokens_decoder/25/special").booleanValue());
    assertTrue(config.at("/added_tokens_decoder/20/special").booleanValue());
    assertEquals(18, config.get("additional_special_tokens").size());
  }

  @Test
  void rolesAreThoseThatAreNamedAndThere() throws IOException {
    ByteLevelBpeTrainer.ofSize(300).train(sentences().iterator()).save(folder);
    Tokenizer tokenizer = Tokenizer.load(folder);
    TokenRoles usual = new TokenRoles(Optional.of("<s>"), Optional.of("</s>"), Optional.empty());
    assertEquals(usual, TokenRoles.load(folder, tokenizer));
    Path config = folder.resolve("tokenizer_config.json");
    Files.writeString(
        config,
        "{\"bos_token\": null, \"eos_token\": {\"content\": \"!\"}, \"pad_token\": \"gone\"}");
    assertEquals(
        new TokenRoles(Optional.of("<s>"), Optional.of("!"), Optional.empty()),
        TokenRoles.load(folder, tokenizer));
    Files.delete(config);
    assertEquals(usual, TokenRoles.load(folder, tokenizer));
  }

  @Test
  void tokensThatDoNotFitAreRefused() {
    DeclaredTokens minimind = DeclaredTokens.MINIMIND;
    for (List<String> tokens : List.of(List.of(" "), List.of("a", "a"), List.of("<s>"))) {
      assertThrows(IllegalArgumentException.class, () -> minimind.withUserDefined(tokens));
    }
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new DeclaredTokens(
                List.of("<unk>", "<s>"), List.of(), "<unk>", "<s>", "</s>", Optional.empty(), ""));
    ByteLevelBpeTrainer trainer =
        ByteLevelBpeTrainer.ofSize(262, minimind.withUserDefined(List.of("ab")));
    assertThrows(
        IllegalArgumentException.class, () -> trainer.train(List.of("ab ab ab").iterator()));
  }

  @Test
  void neitherThreadsNorOrderMatter() {
    Random random = new Random(3);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      StringBuilder text = new StringBuilder();
      for (int j = 0; j < 100; j++) {
        text.append(random.nextInt(4) == 0 ? ' ' : (char) ('a' + random.nextInt(4)));
      }
      texts.add(text.toString());
    }
    ByteLevelBpeTrainer trainer = ByteLevelBpeTrainer.ofSize(600);
    TrainedTokenizer expected = trainer.withThreads(1).train(texts.iterator());
    assertEquals(600, expected.vocabulary().size());
    for (int threads = 2; threads <= 5; threads++) {
      Collections.shuffle(texts, random);
      TrainedTokenizer trained = trainer.withThreads(threads).train(texts.iterator());
      assertEquals(expected.vocabulary(), trained.vocabulary());
      assertEquals(expected.merges(), trained.merges());
    }
  }

  @Test
  void unpairedSurrogatesCountAsReplacementCharacters() {
    ByteLevelBpeTrainer trainer = ByteLevelBpeTrainer.ofSize(264);
    assertEquals(
        trainer.train(List.of("x\uFFFD\uFFFDy").iterator()).vocabulary(),
        trainer.train(List.of("x\uD83D\uD83Dy").iterator()).vocabulary());
  }

  @Test
  void reportsWhatIsDone() throws IOException {
    List<Long> counted = new ArrayList<>();
    List<String> merged = new ArrayList<>();
    ByteLevelBpeTrainer.ofSize(262)
        .train(
            sentences().iterator(),
            new BpeTrainingProgress() {
              @Override
              public void counted(long texts) {
                counted.add(texts);
              }

              @Override
              public void merged(int merges, int total) {
                merged.add(merges + "/" + total);
              }
            });
    assertEquals(sentences().size(), counted.get(counted.size() - 1));
    assertEquals(List.of("1/3", "2/3", "3/3"), merged);
  }

  @Test
  void refusesWhatCannotBeLearnt() {
    String small =
        assertThrows(IllegalArgumentException.class, () -> ByteLevelBpeTrainer.ofSize(258))
            .getMessage();
    assertTrue(small.contains("258") && small.contains("259"), small);
    ByteLevelBpeTrainer trainer = ByteLevelBpeTrainer.ofSize(259);
    for (List<String> nothing : List.of(List.<String>of(), List.of("", ""))) {
      Iterator<String> texts = nothing.iterator();
      assertThrows(IllegalArgumentException.class, () -> trainer.train(texts));
    }
  }

  @Test
  void saysWhereItCannotWrite() throws IOException {
    TrainedTokenizer trained = ByteLevelBpeTrainer.ofSize(259).train(List.of("a").iterator());
    Path file = Files.writeString(folder.resolve("file"), "precious");
    IOException e = assertThrows(IOException.class, () -> trained.save(file.resolve("tokenizer")));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    assertEquals("precious", Files.readString(file));
  }

  /** A hundred times more text than the heap holds; where the words recur, it need not. */
  @Test
  void memoryGrowsWithTheDistinctWordsOnly() throws IOException, InterruptedException {
    JavaProcess.Result result = JavaProcess.of(LargeCorpus.class).with("-Xmx16m").run();
    assertEquals(0, result.status(), result.output());
    assertEquals("300", result.output().strip());
  }

  /** Trains on 100 million characters. */
  static final class LargeCorpus {

    public static void main(String[] args) throws IOException {
      List<String> sentences = sentences();
      Iterator<String> texts =
          IntStream.range(0, 50_000)
              .mapToObj(i -> (sentences.get(i % sentences.size()) + " ").repeat(40))
              .iterator();
      System.out.println(ByteLevelBpeTrainer.ofSize(300).train(texts).vocabulary().size());
    }
  }

  @Test
  void noThreadsAreRefusedInOneSentence() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> ByteLevelBpeTrainer.ofSize(300).withThreads(0))
            .getMessage();
    assertEquals("The number of threads is 0 but must be at least 1.", message);
  }
}
