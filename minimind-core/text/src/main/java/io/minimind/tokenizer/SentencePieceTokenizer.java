package io.minimind.tokenizer;

import io.minimind.files.ArgumentException;
import io.minimind.tokenizer.SentencePieceModel.Kind;
import io.minimind.tokenizer.SentencePieceModel.Piece;
import io.minimind.tokenizer.SentencePieceNormalizer.Normalized;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A SentencePiece {@code .model}. SentencePiece's own library encodes, through the JNI wrapper of
 * DJL, which an application that uses this class must depend on: {@value #LIBRARY}. All else is
 * done here.
 *
 * <p>Special tokens are the control pieces, such as {@code <s>}, and the unknown piece. {@link
 * #encode} finds them where they are written in the text; what is between them is encoded as
 * SentencePiece would encode it alone, so each such part has its own dummy prefix if the model asks
 * for one. {@link #decode} takes it away again, but not behind the unknown piece: there a space is
 * one of the text, in which that piece stands for what the model cannot spell. {@link
 * #encodeOrdinary} gives the ids that SentencePiece gives for the whole text. User-defined pieces
 * are part of SentencePiece's algorithm: both methods find them.
 *
 * <p>Decoding gives the text that SentencePiece gives, except that special tokens are written out.
 * If the model has byte fallback, replaces no characters, removes no spaces and puts none behind a
 * text, decoding gives back any text without U+2581, which SentencePiece takes for a space.
 */
public final class SentencePieceTokenizer implements Tokenizer {

  /** What a project must depend on to use this class, as group, artifact and version. */
  public static final String LIBRARY = "ai.djl.sentencepiece:sentencepiece:0.34.0";

  /** How many characters may be encoded at once: the library takes some 250 bytes for each. */
  private static final int MAXIMUM_LENGTH = 1 << 22;

  private static final char ESCAPED_SPACE = '\u2581';

  private final SentencePieceModel model;
  private final NativeSentencePiece encoder;
  private final SentencePieceNormalizer normalizer;
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, Integer> specialTokens = new LinkedHashMap<>();
  private final AddedTokens specialTokenFinder;

  /** By id, the pieces in UTF-8; a byte piece is its byte. */
  private final byte[][] pieceBytes;

  private SentencePieceTokenizer(SentencePieceModel model, NativeSentencePiece encoder) {
    this.model = model;
    this.encoder = encoder;
    normalizer = new SentencePieceNormalizer(model);
    pieceBytes = new byte[model.pieces().size()][];
    for (int id = 0; id < pieceBytes.length; id++) {
      Piece piece = model.pieces().get(id);
      ids.put(piece.text(), id);
      if (piece.kind() == Kind.CONTROL || piece.kind() == Kind.UNKNOWN) {
        specialTokens.put(piece.text(), id);
      }
      pieceBytes[id] =
          piece.kind() == Kind.BYTE
              ? new byte[] {
                SentencePieceModelReader.byteValue(piece.text()).orElseThrow().byteValue()
              }
              : piece.text().getBytes(StandardCharsets.UTF_8);
    }
    specialTokenFinder =
        new AddedTokens(
            specialTokens.entrySet().stream()
                .map(
                    token ->
                        new AddedTokens.Token(
                            token.getKey(), token.getValue(), false, false, false, true))
                .toList());
  }

  /**
   * Reads a {@code .model} file.
   *
   * @throws IOException if the file cannot be read, is damaged, or asks for something this class
   *     does not do, or if {@link #LIBRARY} is missing or does not work on this machine; the
   *     message is a sentence that names the file
   */
  public static SentencePieceTokenizer load(Path file) throws IOException {
    try {
      SentencePieceModel model = SentencePieceModelReader.read(file);
      return new SentencePieceTokenizer(model, NativeSentencePiece.load(model.toBytes()));
    } catch (NoClassDefFoundError e) {
      throw new IOException(
          "Tokenizer file %s is a SentencePiece model, and the library for such files is missing: add the dependency %s to the application."
              .formatted(file, LIBRARY),
          e);
    } catch (LinkageError | RuntimeException e) {
      throw new IOException(
          "Tokenizer file %s cannot be used: SentencePiece's library says: %s"
              .formatted(file, Objects.requireNonNullElse(e.getMessage(), e.toString())),
          e);
    }
  }

  /** Whether a file is for this class; JSON begins with a brace, a model with 0x0A. */
  static boolean isModel(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      String head = new String(in.readNBytes(64), StandardCharsets.ISO_8859_1);
      return head.startsWith("\n") && !head.stripLeading().startsWith("{")
          || file.toString().endsWith(".model") && !head.stripLeading().startsWith("{");
    } catch (IOException e) {
      return file.toString().endsWith(".model");
    }
  }

  @Override
  public int vocabularySize() {
    return pieceBytes.length;
  }

  @Override
  public OptionalInt tokenId(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public Optional<String> token(int id) {
    TokenIds.check(id, vocabularySize());
    return Optional.of(model.pieces().get(id).text());
  }

  @Override
  public Map<String, Integer> specialTokens() {
    return Collections.unmodifiableMap(specialTokens);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if there are more than 4 million characters between two
   *     special tokens
   */
  @Override
  public int[] encode(String text) {
    Output output = new Output(text.length());
    split(text, output, false);
    return output.ids();
  }

  @Override
  public int[] encodeOrdinary(String text) {
    return encodePart(AlignedText.of(text).chars(), 0, text.length());
  }

  /** {@inheritDoc} A {@code .model} asks for none. */
  @Override
  public int[] encodeWithSpecialTokens(String text) {
    return encode(text);
  }

  @Override
  public Encoding encodeWithOffsets(String text) {
    Output output = new Output(text.length());
    split(text, output, true);
    return output.encoding();
  }

  private void split(String text, Output output, boolean withOffsets) {
    char[] chars = AlignedText.of(text).chars();
    int open = 0;
    for (int at = 0; at < chars.length; ) {
      AddedTokens.Token found = specialTokenFinder.longestAt(chars, at, chars.length);
      if (found == null) {
        at++;
        continue;
      }
      encodePart(chars, open, at, output, withOffsets);
      open = at + found.written().length();
      output.add(found.id(), at, open);
      at = open;
    }
    encodePart(chars, open, chars.length, output, withOffsets);
  }

  private void encodePart(char[] text, int start, int end, Output output, boolean withOffsets) {
    int[] partIds = encodePart(text, start, end);
    if (withOffsets) {
      align(partIds, normalizer.normalize(text, start, end), output);
    } else {
      for (int id : partIds) {
        output.add(id, 0, 0);
      }
    }
  }

  private int[] encodePart(char[] text, int start, int end) {
    if (end - start > MAXIMUM_LENGTH) {
      throw new ArgumentException(
          "The text has %,d characters, more than the %,d that SentencePiece encodes at once: cut it into parts."
              .formatted(end - start, MAXIMUM_LENGTH));
    }
    return start == end ? new int[0] : encoder.encode(new String(text, start, end - start));
  }

  /** Finds the places of the pieces of a text: they follow each other in its normalized form. */
  private void align(int[] partIds, Normalized text, Output output) {
    int at = 0;
    for (int i = 0; i < partIds.length; i++) {
      int end =
          kind(partIds[i]) == Kind.UNKNOWN
              ? endOfUnknown(partIds, i, text.bytes(), at)
              : Math.min(at + pieceBytes[partIds[i]].length, text.bytes().length);
      output.add(partIds[i], text.starts()[at], text.ends()[end - 1]);
      at = end;
    }
  }

  /**
   * Where a run of unknown characters ends, which is one piece: where the pieces up to the next
   * such run, or the end, are found.
   */
  private int endOfUnknown(int[] partIds, int index, byte[] text, int start) {
    int next = index + 1;
    while (next < partIds.length && kind(partIds[next]) != Kind.UNKNOWN) {
      next++;
    }
    int length = 0;
    for (int i = index + 1; i < next; i++) {
      length += pieceBytes[partIds[i]].length;
    }
    if (next == partIds.length) {
      return text.length - length;
    }
    byte[] known = new byte[length];
    int size = 0;
    for (int i = index + 1; i < next; i++) {
      byte[] piece = pieceBytes[partIds[i]];
      System.arraycopy(piece, 0, known, size, piece.length);
      size += piece.length;
    }
    int end = start + 1;
    while (!Arrays.equals(text, end, end + length, known, 0, length)) {
      end++;
    }
    return end;
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    for (int id : ids) {
      TokenIds.check(id, vocabularySize());
    }
    StringBuilder text = new StringBuilder(2 * ids.length);
    Decoding decoding = new Decoding(skipSpecialTokens);
    for (int id : ids) {
      decoding.accept(id, text);
    }
    decoding.finish(text);
    return text.toString();
  }

  /** {@inheritDoc} Of a space with which a text begins, decoding may take away one. */
  @Override
  public byte[] bytes(int id) {
    TokenIds.check(id, vocabularySize());
    Piece piece = model.pieces().get(id);
    if (specialTokens.containsKey(piece.text())) {
      return new byte[0];
    }
    return piece.kind() == Kind.BYTE
        ? pieceBytes[id].clone()
        : piece.text().replace(ESCAPED_SPACE, ' ').getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder() {
      private final Decoding decoding = new Decoding(false);

      @Override
      public String next(int id) {
        TokenIds.check(id, vocabularySize());
        StringBuilder text = new StringBuilder();
        decoding.accept(id, text);
        return text.toString();
      }

      @Override
      public String finish() {
        StringBuilder text = new StringBuilder();
        decoding.finish(text);
        return text.toString();
      }
    };
  }

  private Kind kind(int id) {
    return model.pieces().get(id).kind();
  }

  /** One decoding in progress. */
  private final class Decoding {

    private final boolean skipSpecialTokens;
    private final Utf8Decoder bytes = Utf8Decoder.replacingEachByte();

    /** Whether nothing was written since the start or a control piece: spaces here may go. */
    private boolean atStart = true;

    Decoding(boolean skipSpecialTokens) {
      this.skipSpecialTokens = skipSpecialTokens;
    }

    void accept(int id, StringBuilder out) {
      Kind kind = kind(id);
      if (kind == Kind.BYTE) {
        bytes.accept(pieceBytes[id][0], out);
        atStart = false;
        return;
      }
      bytes.finish(out);
      String piece = model.pieces().get(id).text();
      if (specialTokens.containsKey(piece)) {
        if (!skipSpecialTokens) {
          out.append(piece);
        }
        atStart = kind == Kind.CONTROL;
        return;
      }
      boolean removesOne = model.normalizer().addDummyPrefix();
      boolean removesAll = model.normalizer().removeExtraWhitespaces();
      int from = 0;
      if (atStart && (removesOne || removesAll) && piece.charAt(0) == ESCAPED_SPACE) {
        from = 1;
      }
      out.append(piece.replace(ESCAPED_SPACE, ' '), from, piece.length());
      // Where extra spaces are removed, a piece that was nothing but one leaves us at the start.
      atStart = atStart && from == piece.length() && removesAll;
    }

    void finish(StringBuilder out) {
      bytes.finish(out);
      atStart = true;
    }
  }

  /** Ids and places in progress. */
  private static final class Output {

    private int[] ids;
    private int[] starts;
    private int[] ends;
    private int size;

    Output(int textLength) {
      ids = new int[16 + textLength / 2];
      starts = new int[ids.length];
      ends = new int[ids.length];
    }

    void add(int id, int start, int end) {
      if (size == ids.length) {
        ids = Arrays.copyOf(ids, 2 * size);
        starts = Arrays.copyOf(starts, 2 * size);
        ends = Arrays.copyOf(ends, 2 * size);
      }
      ids[size] = id;
      starts[size] = start;
      ends[size++] = end;
    }

    int[] ids() {
      return Arrays.copyOf(ids, size);
    }

    Encoding encoding() {
      return new Encoding(ids(), Arrays.copyOf(starts, size), Arrays.copyOf(ends, size));
    }
  }
}
