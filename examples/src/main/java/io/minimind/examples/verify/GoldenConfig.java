package io.minimind.examples.verify;

import io.minimind.model.ModelConfig;
import java.util.OptionalInt;

/** The configuration of a reference model, by the names of the original. */
record GoldenConfig(
    int dim,
    int nLayers,
    int nHeads,
    int nKvHeads,
    int vocabSize,
    OptionalInt hiddenDim,
    int multipleOf,
    float normEps,
    int maxSeqLen) {

  private static final float ROPE_THETA = 10_000;

  ModelConfig model() {
    return new ModelConfig(
        dim,
        nLayers,
        nHeads,
        nKvHeads,
        hiddenDim.orElseGet(this::derivedHiddenDim),
        vocabSize,
        maxSeqLen,
        normEps,
        ROPE_THETA);
  }

  private int derivedHiddenDim() {
    return (2 * 4 * dim / 3 + multipleOf - 1) / multipleOf * multipleOf;
  }
}
