package io.minimind.data;

import io.minimind.artifact.BatchInput;
import java.util.List;
import java.util.function.BiFunction;

/** Turns rows of a corpus into samples. Used by several threads at once. */
public interface SampleEncoder {

  /**
   * The columns that rows must have, in the order in which {@link Row#cells} holds them. If there
   * are several sets of them, the first counts that is there.
   */
  List<List<String>> columns();

  /** Every id lies in {@code [0, vocabularySize())}. */
  int vocabularySize();

  /** Samples that each row gives, which belong together. */
  default int groupSize() {
    return 1;
  }

  /** What each sample has besides ids and targets: the names and extents of its columns. */
  default List<BatchInput> inputs() {
    return List.of();
  }

  /**
   * Everything that decides what {@link #encode} returns, tokenizer included: samples on disk are
   * used again only while this stays the same.
   */
  String description();

  /**
   * Encodes a row.
   *
   * @return its samples, {@link #groupSize} of them; or none, or samples without targets, if it has
   *     nothing to learn, as which it is listed
   * @throws IllegalArgumentException if the row cannot be used; it is left out and listed with the
   *     message, which says about the row what is wrong: {@code its answer is empty.}
   */
  List<Sample> encode(Row row);

  /**
   * This encoder with more inputs for each sample.
   *
   * @param columns of the rows that are read besides
   * @param inputs what the samples have then besides
   * @param description everything else that decides what these are
   * @param addition gives a sample with these inputs, from the sample and what its row has in the
   *     columns; it may refuse a row as {@link #encode} does
   */
  default SampleEncoder with(
      List<String> columns,
      List<BatchInput> inputs,
      String description,
      BiFunction<Sample, List<String>, Sample> addition) {
    return new EncoderWithInputs(this, columns, inputs, description, addition);
  }
}
