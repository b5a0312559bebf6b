package io.minimind.data;

import io.minimind.files.ArgumentException;
import io.minimind.files.Sha256;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Encodes a text for pretraining: {@code <s>} + text + {@code </s>}, cut to a maximum length. */
public final class PretrainingEncoder implements SampleEncoder {
  private static final String START = "<s>";
  private static final String END = "</s>";

  private final Tokenizer tokenizer;
  private final String tokenizerFingerprint;
  private final int maxLength;

  private PretrainingEncoder(Tokenizer tokenizer, String tokenizerFingerprint, int maxLength) {
    this.tokenizer = tokenizer;
    this.tokenizerFingerprint = tokenizerFingerprint;
    this.maxLength = maxLength;
  }

  /**
   * Creates an encoder.
   *
   * @param tokenizerFingerprint tells tokenizers apart, such as the SHA-256 of its file
   * @param maxLength most tokens of a sample, markers included; at least 2. A longer text loses its
   *     end and its end marker.
   * @throws IllegalArgumentException if the length is less than 2 or the tokenizer has no {@code
   *     <s>} or {@code </s>}
   */
  public static PretrainingEncoder of(
      Tokenizer tokenizer, String tokenizerFingerprint, int maxLength) {
    if (maxLength < 2) {
      throw new ArgumentException(
          "The maximum length is " + maxLength + ": it must be at least 2 tokens.");
    }
    for (String marker : List.of(START, END)) {
      if (tokenizer.tokenId(marker).isEmpty()) {
        throw new ArgumentException(
            "The tokenizer has no token " + marker + ": pretraining marks every text with it.");
      }
    }
    return new PretrainingEncoder(tokenizer, tokenizerFingerprint, maxLength);
  }

  /**
   * Creates an encoder with the tokenizer of a folder, which is told apart by its contents.
   *
   * @throws IOException if the tokenizer is missing or broken
   * @throws IllegalArgumentException as for {@link #of}
   */
  public static PretrainingEncoder load(Path tokenizerFolder, int maxLength) throws IOException {
    Tokenizer tokenizer = Tokenizer.load(tokenizerFolder);
    return of(tokenizer, Sha256.of(Tokenizer.file(tokenizerFolder)), maxLength);
  }

  @Override
  public List<List<String>> columns() {
    return List.of(List.of("text"));
  }

  @Override
  public int vocabularySize() {
    return tokenizer.vocabularySize();
  }

  @Override
  public String description() {
    return "pretrain max_length=" + maxLength + " tokenizer=" + tokenizerFingerprint;
  }

  /** Encodes the row's only cell; a blank text has nothing to learn. */
  @Override
  public List<Sample> encode(Row row) {
    String text = row.text(0);
    if (text.isBlank()) {
      return List.of();
    }
    int[] ids = tokenizer.encode(START + text + END);
    return List.of(Sample.of(ids.length > maxLength ? Arrays.copyOf(ids, maxLength) : ids));
  }
}
