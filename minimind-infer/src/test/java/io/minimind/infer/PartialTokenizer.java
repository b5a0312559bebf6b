package io.minimind.infer;

import io.minimind.tokenizer.Encoding;
import io.minimind.tokenizer.Tokenizer;
import java.util.Map;
import java.util.Optional;

/** A tokenizer for tests, which knows nothing of special tokens and offsets. */
interface PartialTokenizer extends Tokenizer {

  @Override
  default int[] encodeOrdinary(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  default int[] encodeWithSpecialTokens(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  default Encoding encodeWithOffsets(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  default Optional<String> token(int id) {
    throw new UnsupportedOperationException();
  }

  @Override
  default Map<String, Integer> specialTokens() {
    return Map.of();
  }
}
