package io.minimind.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Is told what happens in a run, on the thread that opens or trains it: the place for progress and
 * reports. What it throws ends the run.
 */
public interface TrainingListener {

  /**
   * How far the encoding of a corpus is.
   *
   * @param corpus name of its rows
   * @param position how much of them is read so far, of a file in bytes
   * @param size how much there is; 0 if it is not known
   * @param rows rows encoded so far
   * @param tokens tokens written so far
   */
  record Encoding(String corpus, long position, long size, long rows, long tokens) {}

  /**
   * A corpus, encoded.
   *
   * @param name of its rows
   * @param rows that can be used, both answers of a preference pair as one
   * @param tokens of all of them
   * @param skippedRows rows that cannot be used
   * @param skipped if there are any, a text file with a line for each and why
   */
  record Corpus(String name, long rows, long tokens, long skippedRows, Optional<Path> skipped) {}

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
   * @param padding those that no sample has
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
      long padding,
      double seconds,
      TrainingState state) {}

  /** What the model makes of a prompt. */
  record Sample(String prompt, String text) {}

  /** Another process encodes a corpus into the same cache, which is waited for. */
  default void waiting(String corpus) throws IOException {}

  /** What the cache holds of a corpus cannot be used; the reason is a sentence. */
  default void rebuilding(String corpus, String reason) throws IOException {}

  /** Some more rows are encoded; many times a second. */
  default void encoding(Encoding encoding) throws IOException {}

  /** A corpus is there, encoded now or before. */
  default void encoded(Corpus corpus) throws IOException {}

  /**
   * What the task must know of the samples of a corpus beforehand is computed.
   *
   * @param done samples that are done
   * @param total all of them
   */
  default void preparing(String corpus, long done, long total) throws IOException {}

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

  /** The model in the folder of the run has the weights of this state. */
  default void exported(TrainingState state, Path model) throws IOException {}

  /** What the model writes at this state, a text for each prompt of the run. */
  default void sampled(TrainingState state, List<Sample> samples) throws IOException {}

  /**
   * Training ends; the last checkpoint is that of this state.
   *
   * @param complete false if it was interrupted
   */
  default void finished(TrainingState state, boolean complete) throws IOException {}
}
