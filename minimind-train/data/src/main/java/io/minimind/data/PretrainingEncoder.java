package io.minimind.data;

import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.files.Sha256;
import io.minimind.tokenizer.TokenRoles;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes a text for pretraining: the token that begins texts, if the tokenizer has one, the text,
 * and the token that ends them, cut to a maximum length.
 */
public final class PretrainingEncoder implements SampleEncoder {
  private static final String NO_END =
      "no token that ends a text, which pretraining needs: name one as eos_token in its"
          + " tokenizer_config.json, or have one that is </s>.";

  private final Tokenizer tokenizer;
  private final String begin;
  private final String end;
  private final String tokenizerFingerprint;
  private final int maxLength;

  private PretrainingEncoder(
      Tokenizer tokenizer, String begin, String end, String tokenizerFingerprint, int maxLength) {
    this.tokenizer = tokenizer;
    this.begin = begin;
    this.end = end;
    this.tokenizerFingerprint = tokenizerFingerprint;
    this.maxLength = maxLength;
  }

  /**
   * Creates an encoder.
   *
   * @param tokenizerFingerprint tells tokenizers apart, such as the SHA-256 of its file
   * @param maxLength most tokens of a sample, markers included; at least 2. A longer text loses its
   *     end and its end marker.
   * @throws IllegalArgumentException if the length is less than 2 or no token ends texts
   */
  public static PretrainingEncoder of(
      Tokenizer tokenizer, String tokenizerFingerprint, int maxLength) {
    return of(tokenizer, TokenRoles.of(tokenizer), tokenizerFingerprint, maxLength);
  }

  private static PretrainingEncoder of(
      Tokenizer tokenizer, TokenRoles roles, String tokenizerFingerprint, int maxLength) {
    if (maxLength < 2) {
      throw new ArgumentException(
          "The maximum length is " + maxLength + ": it must be at least 2 tokens.");
    }
    String end =
        roles.end().orElseThrow(() -> new ArgumentException("The tokenizer has " + NO_END));
    return new PretrainingEncoder(
        tokenizer, roles.begin().orElse(""), end, tokenizerFingerprint, maxLength);
  }

  /**
   * Creates an encoder with the tokenizer of a folder, which is told apart by its contents.
   *
   * @throws IOException if the tokenizer is missing or broken, or no token ends texts
   * @throws IllegalArgumentException if the length is less than 2
   */
  public static PretrainingEncoder load(Path tokenizerFolder, int maxLength) throws IOException {
    Tokenizer tokenizer = Tokenizer.load(tokenizerFolder);
    TokenRoles roles = TokenRoles.load(tokenizerFolder, tokenizer);
    if (roles.end().isEmpty()) {
      throw new InputException("The tokenizer in " + tokenizerFolder + " has " + NO_END);
    }
    return of(tokenizer, roles, Sha256.of(Tokenizer.file(tokenizerFolder)), maxLength);
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
    // Corpora that were encoded by earlier versions stay as they are.
    boolean usual = begin.equals("<s>") && end.equals("</s>");
    return "pretrain max_length=%s tokenizer=%s%s"
        .formatted(maxLength, tokenizerFingerprint, usual ? "" : " begin=" + begin + " end=" + end);
  }

  /** Encodes the row's only cell; a blank text has nothing to learn. */
  @Override
  public List<Sample> encode(Row row) {
    String text = row.text(0);
    if (text.isBlank()) {
      return List.of();
    }
    int[] ids = tokenizer.encode(begin + text + end);
    return List.of(Sample.of(ids.length > maxLength ? Arrays.copyOf(ids, maxLength) : ids));
  }
}
