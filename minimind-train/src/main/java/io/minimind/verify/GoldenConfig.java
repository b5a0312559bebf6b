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

  /** The model as the references were trained, which is without the balance loss. */
  ModelConfig model() {
    return model(0);
  }

  /** The model with the balance loss of the configuration. */
  ModelConfig balancedModel() {
    return model(auxLossAlpha);
  }

  private ModelConfig model(double balance) {
    return ModelConfig.builder()
        .hiddenSize(dim)
        .layers(nLayers)
        .heads(nHeads)
        .keyValueHeads(nKvHeads)
        .feedForwardSize(hiddenDim.orElseGet(this::derivedHiddenDim))
        .vocabularySize(vocabSize)
        .maxLength(maxSeqLen)
        .normEpsilon(normEps)
        .experts(useMoe ? mixture(balance) : Experts.NONE)
        .build();
  }

  private Experts mixture(double balance) {
    return Experts.of(nRoutedExperts, numExpertsPerTok, nSharedExperts.asInt(), balance);
  }

  private int derivedHiddenDim() {
    return (2 * 4 * dim / 3 + multipleOf - 1) / multipleOf * multipleOf;
  }
}
