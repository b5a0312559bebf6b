package io.minimind.verify;

import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** Texts as the tokenizers library encodes and decodes them. */
final class TokenizerCases {

  private record Reference(String text, int[] ids, String decoded) {}

  private TokenizerCases() {}

  /**
   * @throws IOException if the reference's file is missing or damaged
   */
  static List<Case> of(GoldenFolder golden, Tokenizer tokenizer) throws IOException {
    Mismatches encoded = new Mismatches();
    Mismatches decoded = new Mismatches();
    for (Reference reference : golden.read("tokenizer_cases", Reference[].class)) {
      String place = "the text \"" + reference.text() + "\"";
      encoded.add(place, Arrays.equals(reference.ids(), tokenizer.encode(reference.text())));
      decoded.add(place, reference.decoded().equals(tokenizer.decode(reference.ids())));
    }
    return List.of(encoded.as("tokenizer ids"), decoded.as("tokenizer decoded texts"));
  }
}
