package io.minimind.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Is told what happens in a run, on the training thread: the place for progress and reports. */
public interface TrainingListener {

  /**
   * What one update found.
   *
   * @param epoch of its last micro-batch, from 0
   * @param batch its last micro-batch in the epoch, from 0
   * @param loss mean over the micro-batches of the window
   * @param gradientNorm of the averaged gradients, before clipping; not finite if they overflowed
   *     float16, so that the weights were left as they were
   * @param metrics what else the objective reports, means over the micro-batches of the window
   * @param tokens unmasked tokens of the window
   * @param positions all positions of the window, padding included
   * @param seconds the update took, waiting for data included
   * @param state after the update
   */
  record Update(
      int epoch,
      long batch,
      double loss,
      double gradientNorm,
      double learningRate,
      Map<String, Double> metrics,
      long tokens,
      long positions,
      double seconds,
      TrainingState state) {}

  /**
   * Training starts or goes on.
   *
   * @param batchesPerEpoch micro-batches of one epoch
   * @param from where it starts
   */
  default void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from)
      throws IOException {}

  default void updated(Update update) throws IOException {}

  /**
   * The validation loss of the present weights is known.
   *
   * @param metrics what else is known of the held-out rows: what the objective reports, or the
   *     perplexity
   */
  default void validated(TrainingState state, Map<String, Double> metrics) throws IOException {}

  /** A checkpoint is complete on disk. */
  default void saved(TrainingState state, Path checkpoint) throws IOException {}

  /**
   * Training ends; the last checkpoint is that of this state.
   *
   * @param complete false if it was interrupted
   */
  default void finished(TrainingState state, boolean complete) throws IOException {}
}
