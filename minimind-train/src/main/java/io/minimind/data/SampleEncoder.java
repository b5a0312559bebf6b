package io.minimind.data;

import java.util.List;

/** Turns rows of a corpus into samples. Used by several threads at once. */
public interface SampleEncoder {

  /**
   * The columns that rows must have, in the order in which {@link Row#cells} holds them. If there
   * are several sets of them, the first counts that is there.
   */
  List<List<String>> columns();

  /** Every id lies in {@code [0, vocabularySize())}. */
  int vocabularySize();

  /** Samples that each row gives: 2 if {@link Sample#rejected} is there in all of them. */
  default int samplesPerRow() {
    return 1;
  }

  /**
   * Everything that decides what {@link #encode} returns, tokenizer included: samples on disk are
   * used again only while this stays the same.
   */
  String description();

  /**
   * Encodes a row.
   *
   * @return the sample; one without targets is left out, and listed as having nothing to learn
   * @throws IllegalArgumentException if the row cannot be used; it is left out and listed with the
   *     message, which says about the row what is wrong: {@code its answer is empty.}
   */
  Sample encode(Row row);
}
