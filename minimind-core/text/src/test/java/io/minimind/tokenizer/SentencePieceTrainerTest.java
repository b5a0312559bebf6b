package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertIterableEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentencePieceTrainerTest {

  @TempDir Path folder;

  private Path train(SentencePieceTrainer trainer, List<String> texts) throws IOException {
    Path file = folder.resolve("new").resolve("tokenizer.model");
    int size = trainer.train(texts.iterator(), BpeTrainingProgress.NONE, file.getParent());
    assertEquals(size, SentencePieceModelReader.read(file).pieces().size());
    return file;
  }

  @Test
  void learnsTheVocabularyOfSentencePiecesOwnTrainer() throws IOException {
    SentencePieceModel expected =
        SentencePieceModelReader.read(SentencePieceFiles.model("plain-bpe"));
    Path file =
        train(SentencePieceTrainer.ofSize(expected.pieces().size()), SentencePieceFiles.corpus());
    assertIterableEquals(expected.pieces(), SentencePieceModelReader.read(file).pieces());
    Tokenizer trained = Tokenizer.load(file);
    Tokenizer original = SentencePieceFiles.load("plain-bpe");
    for (String line : SentencePieceFiles.corpus()) {
      assertArrayEquals(original.encode(line), trained.encode(line));
    }
  }

  @Test
  void neitherOrderNorThreadsNorLinesPerTextMatter() throws IOException {
    List<String> lines = new ArrayList<>(SentencePieceFiles.corpus());
    byte[] expected = Files.readAllBytes(train(SentencePieceTrainer.ofSize(480), lines));
    Collections.shuffle(lines, new Random(1));
    assertArrayEquals(
        expected,
        Files.readAllBytes(train(SentencePieceTrainer.ofSize(480).withThreads(3), lines)));
    assertArrayEquals(
        expected,
        Files.readAllBytes(
            train(SentencePieceTrainer.ofSize(480), List.of(String.join("\n", lines)))));
  }

  @Test
  void whatMeansSomethingElseNeverBecomesAPiece() throws IOException {
    List<String> texts =
        Collections.nCopies(50, "ab<s>cd</s>ef<unk>gh<0x0A>ij\tkl\0mn\u2585op\nqr\uD800");
    SentencePieceModel model =
        SentencePieceModelReader.read(train(SentencePieceTrainer.ofSize(2000), texts));
    List<String> learnt =
        model.pieces().subList(259, model.pieces().size()).stream()
            .map(SentencePieceModel.Piece::text)
            .toList();
    assertTrue(learnt.containsAll(List.of("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op")));
    for (String piece : learnt) {
      assertFalse(piece.matches("(?s).*[\\n\\t\\x00\\u2585<>].*|.*(bc|jk|lm).*"), piece);
    }
  }

  @Test
  void rareCharactersAreLeftToTheirBytes() throws IOException {
    List<String> texts = new ArrayList<>(Collections.nCopies(100, "aaaaaaaaab"));
    texts.add("xaxaxa");
    Path all = train(SentencePieceTrainer.ofSize(300).withCharacterCoverage(1), texts);
    assertTrue(Tokenizer.load(all).tokenId("x").isPresent());
    Path most = train(SentencePieceTrainer.ofSize(300).withCharacterCoverage(0.99), texts);
    Tokenizer tokenizer = Tokenizer.load(most);
    assertTrue(tokenizer.tokenId("x").isEmpty());
    assertTrue(tokenizer.tokenId("b").isPresent());
    assertArrayEquals(new int[] {3 + 'x'}, tokenizer.encode("x"));
    assertEquals("xab", tokenizer.decode(tokenizer.encode("xab")));
  }

  @Test
  void mistakesAreNamed() {
    assertThrows(IllegalArgumentException.class, () -> SentencePieceTrainer.ofSize(259));
    SentencePieceTrainer trainer = SentencePieceTrainer.ofSize(262);
    assertThrows(IllegalArgumentException.class, () -> trainer.withCharacterCoverage(0.5));
    assertThrows(IllegalArgumentException.class, () -> trainer.withCharacterCoverage(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> train(trainer, List.of("", "\n")));
    String message =
        assertThrows(IllegalArgumentException.class, () -> train(trainer, List.of("abcdef")))
            .getMessage();
    assertTrue(message.contains("265"), message);
  }

  @Test
  void noThreadsAreRefusedInOneSentence() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> SentencePieceTrainer.ofSize(480).withThreads(0))
            .getMessage();
    assertEquals("The number of threads is 0 but must be at least 1.", message);
  }
}
