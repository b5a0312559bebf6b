package io.minimind.tokenizer;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** What tokenizers by byte-pair encoding share: everything but how ids become a text again. */
abstract class BpeTokenizer implements Tokenizer {

  private final Vocabulary vocabulary;
  private final BitSet specialIds = new BitSet();
  private final TextEncoder encoder;

  /**
   * The tokens and what surrounds a text.
   *
   * @param ids of all tokens as they are spelt
   * @param tokens how each id is spelt; null for an id without a token
   * @param tokenBytes what each id adds to a text; empty for an id without a token
   * @param specialTokens in the order of their ids
   * @param prefix what the post-processor puts before a text
   * @param suffix what it puts behind it
   */
  record Vocabulary(
      Map<String, Integer> ids,
      String[] tokens,
      byte[][] tokenBytes,
      Map<String, Integer> specialTokens,
      int[] prefix,
      int[] suffix) {}

  BpeTokenizer(Vocabulary vocabulary, TextEncoder encoder) {
    this.vocabulary = vocabulary;
    this.encoder = encoder;
    vocabulary.specialTokens().values().forEach(specialIds::set);
  }

  /** A decoding in progress. */
  interface Decoding {

    /** Takes the next id, which is in range, and appends what became certain. */
    void accept(int id, StringBuilder out);

    /** Ends the text. */
    void finish(StringBuilder out);
  }

  /**
   * A decoding that begins.
   *
   * @param whole whether all ids are there before anything is given out
   */
  abstract Decoding decoding(boolean whole);

  /** What an id adds to a text. */
  final byte[] tokenBytes(int id) {
    return vocabulary.tokenBytes()[id];
  }

  @Override
  public int vocabularySize() {
    return vocabulary.tokenBytes().length;
  }

  @Override
  public OptionalInt tokenId(String token) {
    Integer id = vocabulary.ids().get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public int[] encode(String text) {
    return encoder.ids(text, true);
  }

  /**
   * {@inheritDoc} Added tokens that the file does not declare special are found all the same, as in
   * the Hugging Face library with {@code encode_special_tokens}.
   */
  @Override
  public int[] encodeOrdinary(String text) {
    return encoder.ids(text, false);
  }

  @Override
  public int[] encodeWithSpecialTokens(String text) {
    int[] ids = encode(text);
    int[] prefix = vocabulary.prefix();
    int[] suffix = vocabulary.suffix();
    int[] all = Arrays.copyOf(prefix, prefix.length + ids.length + suffix.length);
    System.arraycopy(ids, 0, all, prefix.length, ids.length);
    System.arraycopy(suffix, 0, all, prefix.length + ids.length, suffix.length);
    return all;
  }

  @Override
  public Encoding encodeWithOffsets(String text) {
    return encoder.encoding(text);
  }

  @Override
  public Optional<String> token(int id) {
    TokenIds.check(id, vocabularySize());
    return Optional.ofNullable(vocabulary.tokens()[id]);
  }

  @Override
  public Map<String, Integer> specialTokens() {
    return vocabulary.specialTokens();
  }

  @Override
  public boolean isSpecial(int id) {
    TokenIds.check(id, vocabularySize());
    return specialIds.get(id);
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    for (int id : ids) {
      TokenIds.check(id, vocabularySize());
    }
    StringBuilder text = new StringBuilder(2 * ids.length);
    Decoding decoding = decoding(true);
    for (int id : ids) {
      if (!skipSpecialTokens || !specialIds.get(id)) {
        decoding.accept(id, text);
      }
    }
    decoding.finish(text);
    return text.toString();
  }

  @Override
  public byte[] bytes(int id) {
    TokenIds.check(id, vocabularySize());
    return specialIds.get(id) ? new byte[0] : tokenBytes(id).clone();
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder() {
      private Decoding decoding = decoding(false);
      private final StringBuilder piece = new StringBuilder();

      @Override
      public String next(int id) {
        TokenIds.check(id, vocabularySize());
        decoding.accept(id, piece);
        return takePiece();
      }

      @Override
      public String finish() {
        decoding.finish(piece);
        decoding = decoding(false);
        return takePiece();
      }

      private String takePiece() {
        String taken = piece.toString();
        piece.setLength(0);
        return taken;
      }
    };
  }
}
