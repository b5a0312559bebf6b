package io.minimind.infer;

import io.minimind.tokenizer.StreamingDecoder;
import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** One token for each character from U+4E00; no token ends a text. */
record LetterTokenizer(int vocabularySize) implements PartialTokenizer {
  static final int FIRST = 0x4E00;

  @Override
  public int[] encode(String text) {
    return text.chars().map(c -> Math.floorMod(c - FIRST, vocabularySize)).toArray();
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return Arrays.stream(ids)
        .mapToObj(id -> Character.toString(FIRST + id))
        .collect(Collectors.joining());
  }

  @Override
  public OptionalInt tokenId(String token) {
    return OptionalInt.empty();
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder() {
      @Override
      public String next(int id) {
        return decode(new int[] {Objects.checkIndex(id, vocabularySize)});
      }

      @Override
      public String finish() {
        return "";
      }
    };
  }
}
