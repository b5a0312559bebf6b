package io.minimind.preference;

import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.Samples;
import io.minimind.files.AtomicFile;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.FrozenModel;
import io.minimind.task.Preparation;
import io.minimind.task.Preparation.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The log-probabilities that the reference model of preference training gives to every answer,
 * computed once and kept in a file: little-endian float32, one for each sample, then the CRC-32C of
 * their bytes as int32. So training has no second model in memory.
 *
 * @param kind tells files of several kinds of samples apart that are made of the same shards
 */
record ReferenceLogProbabilities(FrozenModel from, String kind) {

  /** Pairs of a batch: enough to keep the processors busy, at little memory. */
  private static final int BATCH_PAIRS = 4;

  /**
   * The samples of a run with their log-probabilities, which are computed if they are not there for
   * the weights that the run started from. They lie beside the samples. Processes that ask for
   * those of the same samples wait for one another.
   *
   * @param samples of a corpus, or made of them
   * @param preparation where they are kept, and computed if they are not there
   * @throws IOException if they must be computed and the weights are no longer those that the run
   *     started from, or a file cannot be read or written
   */
  Samples openOrCompute(Samples samples, Preparation preparation) throws IOException {
    synchronized (ReferenceLogProbabilities.class) {
      return openOrComputeAlone(samples, preparation);
    }
  }

  private Samples openOrComputeAlone(Samples samples, Preparation preparation) throws IOException {
    Path folder = preparation.folder();
    TrainingPrecision precision = preparation.precision();
    String rounding = precision.products().isHalf() ? "-" + precision : "";
    Path file = folder.resolve("reference-" + kind + from.shortDigest() + rounding);
    try (FileChannel lock =
        FileChannel.open(
            folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      lock.lock();
      // While the lock is held, what is there was left by a process that was killed.
      Path work = folder.resolve("unfinished-reference");
      Folders.delete(work);
      Optional<Samples> found = open(file, samples);
      if (found.isPresent()) {
        return found.get();
      }
      requireUnchanged(file);
      try (ModelInTraining session =
          from.session(new AnswerLogProbabilities(), preparation, work)) {
        compute(file, samples, session, preparation.progress());
      } finally {
        Folders.delete(work);
      }
      return open(file, samples)
          .orElseThrow(() -> new IOException(file + " was damaged as soon as it was written."));
    }
  }

  private void requireUnchanged(Path reference) throws IOException {
    if (!from.isUnchanged()) {
      throw new InputException(
          "The reference's log-probabilities are not in %s, and %s no longer holds the model that the run started from: restore one of them, or start a new run."
              .formatted(reference.getParent(), from.folder()));
    }
  }

  /** The samples with the log-probabilities of a file, or nothing if it is not there or damaged. */
  static Optional<Samples> open(Path file, Samples samples) throws IOException {
    long bytes = Math.multiplyExact(samples.size(), Float.BYTES);
    if (!Files.isRegularFile(file) || Files.size(file) != bytes + Integer.BYTES) {
      return Optional.empty();
    }
    // Read, not mapped: it is small beside the samples, and who else cuts it changes nothing here.
    ByteBuffer contents = ByteBuffer.allocateDirect((int) bytes + Integer.BYTES);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (contents.hasRemaining() && channel.read(contents) >= 0) {}
    }
    ByteBuffer values = contents.slice(0, (int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    int found = contents.order(ByteOrder.LITTLE_ENDIAN).getInt((int) bytes);
    return !contents.hasRemaining() && found == checksum(values)
        ? Optional.of(samples.with(PreferenceObjective.REFERENCE, values.asFloatBuffer()))
        : Optional.empty();
  }

  /**
   * Computes the log-probabilities of all samples and writes the file.
   *
   * @param session of a preference objective, with the reference's weights
   * @throws IOException if the samples cannot be read, the file cannot be written, or a
   *     log-probability is not a number
   */
  static void compute(Path file, Samples samples, ModelInTraining session, Progress progress)
      throws IOException {
    int bytes = Math.toIntExact(Math.multiplyExact(samples.size(), Float.BYTES));
    ByteBuffer values = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    BatchOrder order = BatchOrder.of(samples, BATCH_PAIRS, 0);
    long done = 0;
    try (BatchLoader loader = BatchLoader.start(order, 0, 0)) {
      for (long number = 0; number < order.batches(); number++) {
        long[] rows = order.rows(0, number);
        try (Batch batch = loader.next().orElseThrow()) {
          float[] found = session.evaluate(batch, PreferenceObjective.LOG_PROBABILITIES);
          for (int row = 0; row < rows.length; row++) {
            requireFinite(found[row]);
            values.putFloat((int) rows[row] * Float.BYTES, found[row]);
          }
        }
        done += rows.length;
        progress.update(done, samples.size());
      }
    }
    ByteBuffer checksum = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    checksum.putInt(0, checksum(values));
    AtomicFile.replace(
        file,
        channel -> {
          AtomicFile.write(channel, values.duplicate());
          AtomicFile.write(channel, checksum);
        });
  }

  private static void requireFinite(float logProbability) throws IOException {
    if (!Float.isFinite(logProbability)) {
      throw new InputException(
          "The model to start from gives an answer no probability that is a number: its weights"
              + " are damaged, so start from another.");
    }
  }

  private static int checksum(ByteBuffer values) {
    CRC32C checksum = new CRC32C();
    checksum.update(values.duplicate());
    return (int) checksum.getValue();
  }
}
