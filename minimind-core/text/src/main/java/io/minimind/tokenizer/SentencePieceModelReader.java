package io.minimind.tokenizer;

import io.minimind.files.AtomicFile;
import io.minimind.files.ProtobufReader;
import io.minimind.tokenizer.SentencePieceModel.Kind;
import io.minimind.tokenizer.SentencePieceModel.Normalizer;
import io.minimind.tokenizer.SentencePieceModel.Piece;
import io.minimind.tokenizer.SentencePieceModel.Type;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads a SentencePiece {@code .model} file and refuses what SentencePiece's library, which trusts
 * what it loads, could not bear.
 */
final class SentencePieceModelReader {

  /** The library goes down a level for each byte of a piece. */
  private static final int MAXIMUM_PIECE_BYTES = 2048;

  /** How many user-defined pieces, each longer than the one before, the library has room for. */
  private static final int MAXIMUM_NESTING = 64;

  private static final int MAXIMUM_FILE_BYTES = 1 << 28;

  private final Path file;
  private final List<Piece> pieces = new ArrayList<>();
  private Type type = Type.UNIGRAM;
  private boolean byteFallback;
  private boolean whitespaceIsSuffix;
  private boolean hasTrainer;
  private boolean hasNormalizer;
  private byte[] rules = new byte[0];
  private boolean addDummyPrefix = true;
  private boolean removeExtraWhitespaces = true;
  private boolean escapeWhitespaces = true;

  private SentencePieceModelReader(Path file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read, is damaged, or asks for what is not supported; the
   *     message is a sentence that names the file
   */
  static SentencePieceModel read(Path file) throws IOException {
    SentencePieceModelReader reader = new SentencePieceModelReader(file);
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAXIMUM_FILE_BYTES + 1);
    } catch (IOException e) {
      throw new IOException("Cannot read " + file + ": " + AtomicFile.reason(e) + ".", e);
    }
    if (bytes.length > MAXIMUM_FILE_BYTES) {
      throw reader.refusal("it has more than 256 MB and can be no SentencePiece model", null);
    }
    return reader.model(bytes);
  }

  private SentencePieceModel model(byte[] bytes) throws IOException {
    try {
      readModel(new ProtobufReader(ByteBuffer.wrap(bytes)));
    } catch (ProtobufReader.MalformedException e) {
      throw refusal("it is damaged, cut short, or no SentencePiece model", e);
    }
    if (pieces.isEmpty() || !hasTrainer || !hasNormalizer) {
      throw refusal("it is cut short or no SentencePiece model", null);
    }
    CharacterMap map;
    try {
      map = CharacterMap.read(rules);
    } catch (IOException e) {
      throw refusal("its normalization rules are damaged: " + e.getMessage(), e);
    }
    verifyPieces();
    return new SentencePieceModel(
        List.copyOf(pieces),
        type,
        byteFallback,
        whitespaceIsSuffix,
        new Normalizer(map, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces));
  }

  private void readModel(ProtobufReader in) throws IOException {
    while (in.next()) {
      switch (in.field()) {
        case SentencePieceModel.PIECES -> readPiece(in.message());
        case SentencePieceModel.TRAINER -> readTrainer(in.message());
        case SentencePieceModel.NORMALIZER -> readNormalizer(in.message());
        case SentencePieceModel.DENORMALIZER -> readDenormalizer(in.message());
        default -> {}
      }
    }
  }

  private void readPiece(ProtobufReader in) throws IOException {
    String text = "";
    float score = 0;
    Kind kind = Kind.NORMAL;
    while (in.next()) {
      switch (in.field()) {
        case SentencePieceModel.PIECE_TEXT -> text = text(in);
        case SentencePieceModel.PIECE_SCORE -> score = in.float32();
        case SentencePieceModel.PIECE_KIND -> {
          int number = number(in);
          kind =
              List.of(Kind.values()).stream()
                  .filter(value -> value.number == number)
                  .findAny()
                  .orElseThrow(() -> refusal(place() + " is of the unknown kind " + number, null));
        }
        default -> {}
      }
    }
    pieces.add(new Piece(text, score, kind));
  }

  private void readTrainer(ProtobufReader in) throws IOException {
    hasTrainer = true;
    while (in.next()) {
      switch (in.field()) {
        case SentencePieceModel.TRAINER_TYPE -> {
          int number = number(in);
          type =
              List.of(Type.values()).stream()
                  .filter(value -> value.number == number)
                  .findAny()
                  .orElseThrow(() -> refusal("its model_type " + number + " is unknown", null));
        }
        case SentencePieceModel.TRAINER_WHITESPACE_SUFFIX -> whitespaceIsSuffix = in.flag();
        case SentencePieceModel.TRAINER_BYTE_FALLBACK -> byteFallback = in.flag();
        default -> {}
      }
    }
  }

  private void readNormalizer(ProtobufReader in) throws IOException {
    hasNormalizer = true;
    while (in.next()) {
      switch (in.field()) {
        case SentencePieceModel.NORMALIZER_RULES -> rules = bytes(in);
        case SentencePieceModel.NORMALIZER_DUMMY_PREFIX -> addDummyPrefix = in.flag();
        case SentencePieceModel.NORMALIZER_EXTRA_WHITESPACES -> removeExtraWhitespaces = in.flag();
        case SentencePieceModel.NORMALIZER_ESCAPE -> escapeWhitespaces = in.flag();
        default -> {}
      }
    }
  }

  private void readDenormalizer(ProtobufReader in) throws IOException {
    while (in.next()) {
      if (in.field() == SentencePieceModel.NORMALIZER_RULES && bytes(in).length > 0) {
        throw refusal("its denormalizer_spec has rules, which is not supported", null);
      }
    }
  }

  private void verifyPieces() throws IOException {
    Set<String> texts = new HashSet<>();
    Set<String> userDefined = new HashSet<>();
    boolean[] bytes = new boolean[256];
    int unknown = 0;
    int ordinary = 0;
    for (int id = 0; id < pieces.size(); id++) {
      Piece piece = pieces.get(id);
      String place = "piece " + id;
      int length = piece.text().getBytes(StandardCharsets.UTF_8).length;
      if (length == 0 || length > MAXIMUM_PIECE_BYTES || piece.text().indexOf('\0') >= 0) {
        throw refusal(
            "%s is empty, has more than %d bytes, or holds a zero"
                .formatted(place, MAXIMUM_PIECE_BYTES),
            null);
      }
      if (!texts.add(piece.text())) {
        throw refusal("%s is \"%s\" a second time".formatted(place, piece.text()), null);
      }
      if (!Float.isFinite(piece.score())) {
        throw refusal("%s has the score %s".formatted(place, piece.score()), null);
      }
      switch (piece.kind()) {
        case UNKNOWN -> unknown++;
        case BYTE ->
            bytes[
                    byteValue(piece.text())
                        .orElseThrow(
                            () ->
                                refusal(
                                    "%s is \"%s\"; expected a byte such as <0x0A>"
                                        .formatted(place, piece.text()),
                                    null))] =
                true;
        case USER_DEFINED -> {
          userDefined.add(piece.text());
          ordinary++;
        }
        case NORMAL, UNUSED -> ordinary++;
        case CONTROL -> {}
      }
    }
    if (unknown != 1 || ordinary == 0) {
      throw refusal(
          "it has %d unknown and %d ordinary pieces; expected one unknown and at least one ordinary"
              .formatted(unknown, ordinary),
          null);
    }
    for (int value = 0; value < bytes.length; value++) {
      if (bytes[value] != byteFallback) {
        throw refusal(
            "byte_fallback is %s, but there is %s piece for the byte 0x%02X"
                .formatted(byteFallback, bytes[value] ? "a" : "no", value),
            null);
      }
    }
    for (String symbol : userDefined) {
      int nested = 0;
      for (int end = 1; end <= symbol.length(); end++) {
        nested += userDefined.contains(symbol.substring(0, end)) ? 1 : 0;
      }
      if (nested > MAXIMUM_NESTING) {
        throw refusal("more than " + MAXIMUM_NESTING + " user-defined pieces begin alike", null);
      }
    }
  }

  /** The byte that a piece such as {@code <0x0A>} stands for. */
  static Optional<Integer> byteValue(String piece) {
    return piece.matches("<0x[0-9A-F]{2}>")
        ? Optional.of(Integer.parseInt(piece.substring(3, 5), 16))
        : Optional.empty();
  }

  private static byte[] bytes(ProtobufReader in) throws IOException {
    ByteBuffer view = in.bytes();
    byte[] bytes = new byte[view.remaining()];
    view.get(bytes);
    return bytes;
  }

  /** An enum, which protobuf keeps in 32 bits. */
  private static int number(ProtobufReader in) throws IOException {
    return (int) in.number();
  }

  private String text(ProtobufReader in) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(in.bytes()).toString();
    } catch (CharacterCodingException e) {
      throw refusal(place() + " is no UTF-8", e);
    }
  }

  private String place() {
    return "piece " + pieces.size();
  }

  private IOException refusal(String problem, Exception cause) {
    return new IOException("Tokenizer file " + file + ": " + problem + ".", cause);
  }
}
