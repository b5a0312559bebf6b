package io.minimind.tokenizer;

import io.minimind.files.ArgumentException;
import io.minimind.files.AtomicFile;
import io.minimind.files.ModelFiles;
import io.minimind.tokenizer.SentencePieceModel.Kind;
import io.minimind.tokenizer.SentencePieceModel.Normalizer;
import io.minimind.tokenizer.SentencePieceModel.Piece;
import io.minimind.tokenizer.SentencePieceModel.Type;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Trains a SentencePiece model, BPE with byte fallback, and writes the {@code .model} file that
 * SentencePiece loads. It learns as SentencePiece's own trainer does, with its defaults: pieces of
 * up to 16 characters, of one script each, with a space only in front; of two that occur equally
 * often the shorter one first, then the one that is first in the order of code points. Characters
 * that are rarer than the character coverage leaves room for get no piece and are encoded as bytes.
 *
 * <p>The pieces are {@code <unk>}, {@code <s>} and {@code </s>}, the 256 bytes, the merges in their
 * order, and the characters, frequent ones first.
 *
 * <p>Three settings differ from SentencePiece's defaults, so that decoding gives back what was
 * encoded. Text is not normalized: NFKC would fold full-width punctuation, which Chinese text is
 * full of, into ASCII. Spaces are kept, and runs of them may become pieces, which indented code
 * needs. No space is put in front of a text: special tokens cut a conversation into many texts, and
 * Chinese has no spaces to be like.
 *
 * <pre>{@code
 * SentencePieceTrainer.ofSize(6400)
 *     .train(texts.iterator(), BpeTrainingProgress.NONE, Path.of("tokenizer"));
 * }</pre>
 */
public final class SentencePieceTrainer {

  private static final int BYTES = 256;
  private static final int MAXIMUM_PIECE_LENGTH = 16;
  private static final double CHARACTER_COVERAGE = 0.9995;

  private final int vocabularySize;
  private final double characterCoverage;
  private final int threads;

  private SentencePieceTrainer(int vocabularySize, double characterCoverage, int threads) {
    this.vocabularySize = vocabularySize;
    this.characterCoverage = characterCoverage;
    this.threads = threads;
  }

  /**
   * A trainer that uses all processors and covers 0.9995 of the characters.
   *
   * @param vocabularySize the number of pieces, more than 259: special tokens, bytes and characters
   *     are among them
   * @throws IllegalArgumentException if it is smaller
   */
  public static SentencePieceTrainer ofSize(int vocabularySize) {
    int reserved = DeclaredTokens.MINIMIND.special().size() + BYTES;
    if (vocabularySize <= reserved) {
      throw new ArgumentException(
          "A vocabulary of %d is too small: special tokens and bytes take %d, and characters come on top."
              .formatted(vocabularySize, reserved));
    }
    return new SentencePieceTrainer(
        vocabularySize, CHARACTER_COVERAGE, Runtime.getRuntime().availableProcessors());
  }

  /**
   * With another character coverage.
   *
   * @param coverage how much of the text is to consist of characters with a piece, from 0.98 to 1
   * @throws IllegalArgumentException if it is out of range
   */
  public SentencePieceTrainer withCharacterCoverage(double coverage) {
    if (!(coverage >= 0.98 && coverage <= 1)) {
      throw new ArgumentException(
          "A character coverage of %s is out of range: expected 0.98 to 1.".formatted(coverage));
    }
    return new SentencePieceTrainer(vocabularySize, coverage, threads);
  }

  /**
   * With so many threads. What is learnt does not depend on it.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public SentencePieceTrainer withThreads(int count) {
    return new SentencePieceTrainer(
        vocabularySize, characterCoverage, CorpusWords.requireThreads(count));
  }

  /**
   * Learns a vocabulary and writes it.
   *
   * @param texts read once and not kept, so that memory grows with the number of distinct words
   *     alone; the iterator is used by one thread at a time. Each line is a text of its own, and
   *     unpaired surrogates count as U+FFFD.
   * @param folder gets {@code tokenizer.model}, and {@code tokenizer_config.json} with MiniMind's
   *     chat template; created if it does not exist, files of these names are replaced
   * @return the number of pieces, smaller than was asked for where the texts have too few pairs
   * @throws IllegalArgumentException if the texts are all empty, their distinct words too many (2
   *     billion characters of them), or their characters too many for the vocabulary
   * @throws IOException if the file cannot be written
   */
  public int train(Iterator<String> texts, BpeTrainingProgress progress, Path folder)
      throws IOException {
    SentencePieceModel model = learn(texts, progress);
    TokenizerConfig.save(folder, "LlamaTokenizer", DeclaredTokens.MINIMIND);
    AtomicFile.replace(
        folder.resolve(ModelFiles.SENTENCE_PIECE),
        model.toBytes(
            out -> {
              out.float32(SentencePieceModel.TRAINER_CHARACTER_COVERAGE, (float) characterCoverage);
              out.flag(SentencePieceModel.TRAINER_WHITESPACE_ONLY_PIECES, true);
            },
            out -> out.text(SentencePieceModel.NORMALIZER_NAME, "identity")));
    return model.pieces().size();
  }

  private SentencePieceModel learn(Iterator<String> texts, BpeTrainingProgress progress) {
    CorpusWords words = CorpusWords.count(texts, threads, PieceRules::split, progress::counted);
    List<Integer> characters = coveredCharacters(words);
    if (characters.isEmpty()) {
      throw new ArgumentException("There is no text to learn a vocabulary from.");
    }
    List<Piece> pieces = new ArrayList<>();
    for (String special : DeclaredTokens.MINIMIND.special()) {
      boolean unknown = special.equals(DeclaredTokens.MINIMIND.unknown());
      pieces.add(new Piece(special, 0, unknown ? Kind.UNKNOWN : Kind.CONTROL));
    }
    for (int value = 0; value < BYTES; value++) {
      pieces.add(new Piece("<0x%02X>".formatted(value), 0, Kind.BYTE));
    }
    int wanted = vocabularySize - pieces.size() - characters.size();
    if (wanted < 0) {
      throw new ArgumentException(
          "A vocabulary of %d is too small: special tokens, bytes and the %d characters that a coverage of %s asks for take %d; ask for more, or for a lower coverage."
              .formatted(
                  vocabularySize,
                  characters.size(),
                  characterCoverage,
                  pieces.size() + characters.size()));
    }
    PieceRules rules = new PieceRules(characters);
    MergeLearner.learn(
        new CharacterWords(words, characters),
        characters.size(),
        wanted,
        1,
        MAXIMUM_PIECE_LENGTH,
        rules,
        done -> progress.merged(done, wanted));
    for (String piece : rules.merges()) {
      addPiece(piece, pieces);
    }
    for (int character : characters) {
      addPiece(Character.toString(character), pieces);
    }
    return new SentencePieceModel(
        pieces, Type.BPE, true, false, new Normalizer(CharacterMap.IDENTITY, false, false, true));
  }

  /** The score says what merges first, and is less by one for each piece. */
  private static void addPiece(String text, List<Piece> pieces) {
    int before = pieces.size() - DeclaredTokens.MINIMIND.special().size() - BYTES;
    pieces.add(new Piece(text, -(float) before, Kind.NORMAL));
  }

  /** The characters that get a piece, the most frequent ones first. */
  private List<Integer> coveredCharacters(CorpusWords words) {
    long[] counts = new long[Character.MAX_CODE_POINT + 1];
    long total = 0;
    for (int word = 0; word < words.size(); word++) {
      long count = words.count(word);
      int[] characters = CharacterWords.codePoints(words, word);
      for (int character : characters) {
        counts[character] += count;
      }
      total += count * characters.length;
    }
    List<Integer> sorted =
        IntStream.range(0, counts.length)
            .filter(character -> counts[character] > 0)
            .boxed()
            .sorted(Comparator.comparingLong(character -> -counts[character]))
            .toList();
    List<Integer> covered = new ArrayList<>();
    long coveredCount = 0;
    for (int character : sorted) {
      if ((float) ((double) coveredCount / total) >= (float) characterCoverage) {
        break;
      }
      coveredCount += counts[character];
      covered.add(character);
    }
    return covered;
  }
}
