package io.minimind.tokenizer;

import io.minimind.files.ArgumentException;

/** What all tokenizers ask of ids. */
final class TokenIds {

  private TokenIds() {}

  /**
   * @throws IllegalArgumentException if an id is out of range
   */
  static void check(int id, int vocabularySize) {
    if (id < 0 || id >= vocabularySize) {
      throw new ArgumentException(
          "Token id %d is out of range: this tokenizer has the ids 0 to %d."
              .formatted(id, vocabularySize - 1));
    }
  }
}
