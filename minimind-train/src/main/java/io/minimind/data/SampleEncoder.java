package io.minimind.data;

import java.util.List;

/** Turns rows of a corpus into samples. Used by several threads at once. */
public interface SampleEncoder {

  /** The columns that a row must have, in the order in which {@link Row#cells} holds them. */
  List<String> columns();

  /** Every id lies in {@code [0, vocabularySize())}. */
  int vocabularySize();

  /**
   * Everything that decides what {@link #encode} returns, tokenizer included: samples on disk are
   * used again only while this stays the same.
   */
  String description();

  /**
   * Encodes a row.
   *
   * @return the sample; one without targets is counted and left out
   * @throws IllegalArgumentException if the row is malformed; the message says how, the caller adds
   *     file and row
   */
  Sample encode(Row row);
}
