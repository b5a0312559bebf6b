package io.minimind.policy;

import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.FrozenModel;
import java.io.IOException;

/** The model that a run started from, to ask what it thinks. */
final class ReferenceModel implements AutoCloseable {

  private final ModelInTraining session;

  private ReferenceModel(ModelInTraining session) {
    this.session = session;
  }

  /**
   * @param start what the run started from
   * @throws IOException if it holds another model now, or none
   */
  static ReferenceModel open(FrozenModel start, ModelConfig model, int threads) throws IOException {
    if (!start.isUnchanged()) {
      throw new InputException(
          "%s no longer holds the model that the run started from, near which it is kept: restore it, or start a new run."
              .formatted(start.folder()));
    }
    TrainingArtifacts graphs = new TrainingArtifacts(model, new TokenLogProbabilities());
    return new ReferenceModel(
        ModelInTraining.builder(graphs)
            .weights(ModelFolder.weights(start.folder().path(), model))
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
