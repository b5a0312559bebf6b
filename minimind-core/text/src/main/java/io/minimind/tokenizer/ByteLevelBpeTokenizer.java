package io.minimind.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Byte-pair encoding over the bytes of UTF-8, the tokenizer family of GPT-2, Llama 3, Qwen and
 * MiniMind. It gives the ids that the Hugging Face library gives for the same {@code
 * tokenizer.json} when no special tokens are added around the text.
 */
public final class ByteLevelBpeTokenizer implements Tokenizer {

  private final Map<String, Integer> ids;

  /** How each id is spelled; null for an id without a token. */
  private final String[] tokens;

  /** What each id stands for; empty for an id without a token. */
  private final byte[][] tokenBytes;

  private final Map<String, Integer> specialTokens;
  private final BitSet specialIds = new BitSet();
  private final TextEncoder encoder;

  // What the post-processor puts around a text.
  private final int[] prefix;
  private final int[] suffix;

  ByteLevelBpeTokenizer(
      Map<String, Integer> ids,
      byte[][] tokenBytes,
      Map<String, Integer> specialTokens,
      TextEncoder encoder,
      int[] prefix,
      int[] suffix) {
    this.ids = ids;
    this.tokenBytes = tokenBytes;
    tokens = new String[tokenBytes.length];
    ids.forEach((token, id) -> tokens[id] = token);
    this.specialTokens = specialTokens;
    specialTokens.values().forEach(specialIds::set);
    this.encoder = encoder;
    this.prefix = prefix;
    this.suffix = suffix;
  }

  /**
   * Reads a {@code tokenizer.json}.
   *
   * @throws IOException if the file cannot be read, is malformed, or asks for something this class
   *     does not do; the message is a sentence that names the file and the place in it
   */
  public static ByteLevelBpeTokenizer load(Path file) throws IOException {
    return TokenizerJson.read(file);
  }

  @Override
  public int vocabularySize() {
    return tokenBytes.length;
  }

  @Override
  public OptionalInt tokenId(String token) {
    Integer id = ids.get(token);
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
    return Optional.ofNullable(tokens[id]);
  }

  @Override
  public Map<String, Integer> specialTokens() {
    return specialTokens;
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
    Utf8Decoder utf8 = new Utf8Decoder();
    for (int id : ids) {
      if (!skipSpecialTokens || !specialIds.get(id)) {
        decode(id, utf8, text);
      }
    }
    utf8.finish(text);
    return text.toString();
  }

  @Override
  public byte[] bytes(int id) {
    TokenIds.check(id, vocabularySize());
    return specialIds.get(id) ? new byte[0] : tokenBytes[id].clone();
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder() {
      private final Utf8Decoder utf8 = new Utf8Decoder();
      private final StringBuilder piece = new StringBuilder();

      @Override
      public String next(int id) {
        TokenIds.check(id, vocabularySize());
        decode(id, utf8, piece);
        return takePiece();
      }

      @Override
      public String finish() {
        utf8.finish(piece);
        return takePiece();
      }

      private String takePiece() {
        String taken = piece.toString();
        piece.setLength(0);
        return taken;
      }
    };
  }

  private void decode(int id, Utf8Decoder utf8, StringBuilder text) {
    for (byte b : tokenBytes[id]) {
      utf8.accept(b, text);
    }
  }
}
