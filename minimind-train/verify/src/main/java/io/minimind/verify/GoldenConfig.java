package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.model.Experts;
import io.minimind.model.Experts.Balance;
import io.minimind.model.ModelConfig;
import java.util.OptionalInt;

/**
 * The configuration of a reference model, by the names of the original.
 *
 * @param nKvHeads as many as heads unless given
 * @param nSharedExperts null where there is none; whatever else it is, the original has one
 * @param seqAux whether the balance loss is that of each row
 */
record GoldenConfig(
    int dim,
    int nLayers,
    int nHeads,
    OptionalInt nKvHeads,
    int vocabSize,
    OptionalInt hiddenDim,
    int multipleOf,
    float normEps,
    int maxSeqLen,
    boolean useMoe,
    int nRoutedExperts,
    int numExpertsPerTok,
    JsonNode nSharedExperts,
    double auxLossAlpha,
    boolean seqAux,
    boolean normTopkProb) {

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
        .keyValueHeads(nKvHeads.orElse(nHeads))
        .feedForwardSize(hiddenDim.orElseGet(this::derivedHiddenDim))
        .vocabularySize(vocabSize)
        .maxLength(maxSeqLen)
        .normEpsilon(normEps)
        .experts(useMoe ? mixture(balance) : Experts.NONE)
        .build();
  }

  private Experts mixture(double balance) {
    // Of a batch as a whole the original counts shares of choices, and not of tokens.
    Balance loss =
        seqAux
            ? new Balance(balance, Balance.Scope.ROW)
            : new Balance(balance / numExpertsPerTok, Balance.Scope.BATCH);
    return new Experts(
        nRoutedExperts,
        numExpertsPerTok,
        nSharedExperts.isNull() ? 0 : 1,
        normTopkProb && numExpertsPerTok > 1,
        loss);
  }

  private int derivedHiddenDim() {
    return (2 * 4 * dim / 3 + multipleOf - 1) / multipleOf * multipleOf;
  }
}
