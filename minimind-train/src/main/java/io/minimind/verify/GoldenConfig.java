package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import java.util.OptionalInt;

/**
 * The configuration of a reference model, by the names of the original.
 *
 * @param nSharedExperts a number, or whether there is one
 */
record GoldenConfig(
    int dim,
    int nLayers,
    int nHeads,
    int nKvHeads,
    int vocabSize,
    OptionalInt hiddenDim,
    int multipleOf,
    float normEps,
    int maxSeqLen,
    boolean useMoe,
    int nRoutedExperts,
    int numExpertsPerTok,
    JsonNode nSharedExperts,
    double auxLossAlpha) {

  private static final float ROPE_THETA = 10_000;

  /** The model as the references were trained, which is without the balance loss. */
  ModelConfig model() {
    return model(0);
  }

  /** The model with the balance loss of the configuration. */
  ModelConfig balancedModel() {
    return model(auxLossAlpha);
  }

  private ModelConfig model(double balance) {
    Experts experts =
        useMoe
            ? new Experts(nRoutedExperts, numExpertsPerTok, nSharedExperts.asInt(), balance)
            : Experts.NONE;
    return new ModelConfig(
        dim,
        nLayers,
        nHeads,
        nKvHeads,
        hiddenDim.orElseGet(this::derivedHiddenDim),
        vocabSize,
        maxSeqLen,
        normEps,
        ROPE_THETA,
        experts);
  }

  private int derivedHiddenDim() {
    return (2 * 4 * dim / 3 + multipleOf - 1) / multipleOf * multipleOf;
  }
}
