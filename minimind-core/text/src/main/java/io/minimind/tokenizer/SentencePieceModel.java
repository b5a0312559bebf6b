package io.minimind.tokenizer;

import io.minimind.files.ProtobufWriter;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a SentencePiece {@code .model} file says about encoding and decoding. {@link
 * SentencePieceModelReader} reads and verifies such files.
 *
 * @param pieces the vocabulary; a piece's place is its id
 * @param type how a text is cut into pieces
 * @param byteFallback whether characters that are no piece become their bytes
 * @param whitespaceIsSuffix whether a space belongs to the word before it
 * @param normalizer what happens to a text before it is cut
 */
record SentencePieceModel(
    List<Piece> pieces,
    Type type,
    boolean byteFallback,
    boolean whitespaceIsSuffix,
    Normalizer normalizer) {

  /** The algorithms, under their numbers in the file. */
  enum Type {
    UNIGRAM(1),
    BPE(2),
    WORD(3),
    CHAR(4);

    final int number;

    Type(int number) {
      this.number = number;
    }
  }

  /** What a piece is, under its number in the file. */
  enum Kind {
    NORMAL(1),
    /** Stands for what has no piece. */
    UNKNOWN(2),
    /** Never found in a text, such as the mark that begins one. */
    CONTROL(3),
    /** Always found in a text, whatever is around it. */
    USER_DEFINED(4),
    UNUSED(5),
    BYTE(6);

    final int number;

    Kind(int number) {
      this.number = number;
    }
  }

  /**
   * A piece as it is written in the file: with U+2581 for a space, and {@code <0x0A>} for a byte.
   */
  record Piece(String text, float score, Kind kind) {}

  /**
   * What happens to a text before it is cut.
   *
   * @param rules which characters become which
   * @param addDummyPrefix whether a space is put before the text, or behind it where whitespace is
   *     a suffix
   * @param removeExtraWhitespaces whether spaces at the ends go, and runs of them become one
   * @param escapeWhitespaces whether spaces become U+2581
   */
  record Normalizer(
      CharacterMap rules,
      boolean addDummyPrefix,
      boolean removeExtraWhitespaces,
      boolean escapeWhitespaces) {}

  // Field numbers of ModelProto, SentencePiece, TrainerSpec and NormalizerSpec.
  static final int PIECES = 1;
  static final int TRAINER = 2;
  static final int NORMALIZER = 3;
  static final int DENORMALIZER = 5;
  static final int PIECE_TEXT = 1;
  static final int PIECE_SCORE = 2;
  static final int PIECE_KIND = 3;
  static final int TRAINER_TYPE = 3;
  static final int TRAINER_VOCABULARY_SIZE = 4;
  static final int TRAINER_CHARACTER_COVERAGE = 10;
  static final int TRAINER_WHITESPACE_SUFFIX = 24;
  static final int TRAINER_WHITESPACE_ONLY_PIECES = 26;
  static final int TRAINER_BYTE_FALLBACK = 35;
  static final int NORMALIZER_NAME = 1;
  static final int NORMALIZER_RULES = 2;
  static final int NORMALIZER_DUMMY_PREFIX = 3;
  static final int NORMALIZER_EXTRA_WHITESPACES = 4;
  static final int NORMALIZER_ESCAPE = 5;

  /** The model as the contents of a file, with nothing in it but what this record knows. */
  byte[] toBytes() {
    return toBytes(out -> {}, out -> {});
  }

  /**
   * The model as the contents of a file.
   *
   * @param trainerDetails writes more fields of the message TrainerSpec
   * @param normalizerDetails writes more fields of the message NormalizerSpec
   */
  byte[] toBytes(
      Consumer<ProtobufWriter> trainerDetails, Consumer<ProtobufWriter> normalizerDetails) {
    ProtobufWriter out = new ProtobufWriter();
    for (Piece piece : pieces) {
      out.message(
          PIECES,
          fields -> {
            fields.text(PIECE_TEXT, piece.text());
            fields.float32(PIECE_SCORE, piece.score());
            fields.number(PIECE_KIND, piece.kind().number);
          });
    }
    out.message(
        TRAINER,
        fields -> {
          fields.number(TRAINER_TYPE, type.number);
          fields.number(TRAINER_VOCABULARY_SIZE, pieces.size());
          fields.flag(TRAINER_WHITESPACE_SUFFIX, whitespaceIsSuffix);
          fields.flag(TRAINER_BYTE_FALLBACK, byteFallback);
          trainerDetails.accept(fields);
        });
    out.message(
        NORMALIZER,
        fields -> {
          fields.bytes(NORMALIZER_RULES, normalizer.rules().toBytes());
          fields.flag(NORMALIZER_DUMMY_PREFIX, normalizer.addDummyPrefix());
          fields.flag(NORMALIZER_EXTRA_WHITESPACES, normalizer.removeExtraWhitespaces());
          fields.flag(NORMALIZER_ESCAPE, normalizer.escapeWhitespaces());
          normalizerDetails.accept(fields);
        });
    return out.toBytes();
  }
}
