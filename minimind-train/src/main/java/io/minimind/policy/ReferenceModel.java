package io.minimind.policy;

import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.TrainingSession;
import io.minimind.train.FrozenModel;
import io.minimind.train.StartWeights;
import java.io.IOException;
import java.nio.file.Path;

/** The model that a run started from, to ask what it thinks. */
final class ReferenceModel implements AutoCloseable {

  private final TrainingSession session;

  private ReferenceModel(TrainingSession session) {
    this.session = session;
  }

  /**
   * @param folder of the model
   * @param digest of its weights when the run began
   * @throws IOException if it holds another model now, or none
   */
  static ReferenceModel open(Path folder, String digest, ModelConfig model, int threads)
      throws IOException {
    if (!new FrozenModel(folder, digest).isUnchanged()) {
      throw new InputException(
          "%s no longer holds the model that the run started from, near which it is kept: restore it, or start a new run."
              .formatted(folder));
    }
    TrainingArtifacts graphs = new TrainingArtifacts(model, new TokenLogProbabilities());
    return new ReferenceModel(
        ModelInTraining.builder(graphs)
            .weights(StartWeights.of(folder, model))
            .threads(threads)
            .openOne());
  }

  /** The logarithm of each label's probability, [rows · length]. */
  float[] logProbabilities(Batch batch) {
    return session.evaluate(batch, TokenLogProbabilities.OUTPUT);
  }

  @Override
  public void close() {
    session.close();
  }
}
