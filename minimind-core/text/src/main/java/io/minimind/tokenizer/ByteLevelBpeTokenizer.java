package io.minimind.tokenizer;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Byte-pair encoding over the bytes of UTF-8, the tokenizer family of GPT-2, Llama 3, Qwen and
 * MiniMind. It gives the ids that the Hugging Face library gives for the same {@code
 * tokenizer.json} when no special tokens are added around the text.
 */
public final class ByteLevelBpeTokenizer extends BpeTokenizer {

  ByteLevelBpeTokenizer(Vocabulary vocabulary, TextEncoder encoder) {
    super(vocabulary, encoder);
  }

  /**
   * Reads a {@code tokenizer.json}, and what {@code tokenizer_config.json} beside it adds.
   *
   * @throws IOException if the file cannot be read, is malformed, is of another family, or asks for
   *     something this class does not do; the message is a sentence that names the file and the
   *     place in it
   */
  public static ByteLevelBpeTokenizer load(Path file) throws IOException {
    if (TokenizerJson.read(file) instanceof ByteLevelBpeTokenizer tokenizer) {
      return tokenizer;
    }
    throw new IOException("Tokenizer file " + file + " is not one of bytes: use Tokenizer.load.");
  }

  @Override
  Decoding decoding(boolean whole) {
    return new Decoding() {
      private final Utf8Decoder utf8 = new Utf8Decoder();

      @Override
      public void accept(int id, StringBuilder out) {
        for (byte b : tokenBytes(id)) {
          utf8.accept(b, out);
        }
      }

      @Override
      public void finish(StringBuilder out) {
        utf8.finish(out);
      }
    };
  }
}
