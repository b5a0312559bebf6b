package io.minimind.preference;

import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.Samples;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.AtomicFile;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.files.TemporaryFolder;
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
import java.util.Arrays;
import java.util.List;
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
   * the weights that the run started from. They lie beside the samples. Processes of one run
   * compute a share each; others that ask for those of the same samples wait for one another.
   *
   * @param samples of a corpus, or made of them
   * @param preparation where they are kept, and computed if they are not there
   * @throws IOException if they must be computed and the weights are no longer those that the run
   *     started from, or a file cannot be read or written
   */
  Samples openOrCompute(Samples samples, Preparation preparation) throws IOException {
    TrainingPrecision precision = preparation.precision();
    String rounding = precision.products().isHalf() ? "-" + precision : "";
    Path file = preparation.folder().resolve("reference-" + kind + from.shortDigest() + rounding);
    if (preparation.group().size() > 1) {
      return openOrComputeTogether(file, samples, preparation);
    }
    synchronized (ReferenceLogProbabilities.class) {
      return openOrComputeAlone(file, samples, preparation);
    }
  }

  /** The folder may be one for all processes, or each has its own; so they write in turn. */
  private Samples openOrComputeTogether(Path file, Samples samples, Preparation preparation)
      throws IOException {
    ProcessGroup group = preparation.group();
    Optional<Samples> found = open(file, samples);
    if (!group.any(found.isEmpty())) {
      return found.orElseThrow();
    }
    requireUnchanged(file);
    ByteBuffer values;
    try (TemporaryFolder work = TemporaryFolder.create();
        ModelInTraining session =
            from.session(new AnswerLogProbabilities(), preparation, work.path())) {
      values = compute(samples, session, group, preparation.progress());
    }
    for (int rank = 0; rank < group.size(); rank++) {
      if (rank == group.rank() && open(file, samples).isEmpty()) {
        write(file, values);
      }
      group.await();
    }
    return written(file, samples);
  }

  private Samples openOrComputeAlone(Path file, Samples samples, Preparation preparation)
      throws IOException {
    Path folder = preparation.folder();
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
        write(file, compute(samples, session, preparation.group(), preparation.progress()));
      } finally {
        Folders.delete(work);
      }
      return written(file, samples);
    }
  }

  private static Samples written(Path file, Samples samples) throws IOException {
    return open(file, samples)
        .orElseThrow(() -> new IOException(file + " was damaged as soon as it was written."));
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
   * Computes the log-probabilities of all samples.
   *
   * @param session of a preference objective, with the reference's weights
   * @param group of processes, each of which computes a share of the batches
   * @throws IOException if the samples cannot be read, or a log-probability is not a number
   */
  static ByteBuffer compute(
      Samples samples, ModelInTraining session, ProcessGroup group, Progress progress)
      throws IOException {
    int bytes = Math.toIntExact(Math.multiplyExact(samples.size(), Float.BYTES));
    ByteBuffer own = ByteBuffer.allocate(bytes);
    BatchOrder order = BatchOrder.of(samples, BATCH_PAIRS, 0);
    long done = 0;
    try (BatchLoader loader = BatchLoader.start(order, 0, 0)) {
      for (long number = 0; number < order.batches(); number++) {
        try (Batch batch = loader.next().orElseThrow()) {
          if (number % group.size() == group.rank()) {
            for (float found : session.evaluate(batch, PreferenceObjective.LOG_PROBABILITIES)) {
              requireFinite(found);
              own.putFloat(found);
            }
          }
          done += batch.rows();
        }
        progress.update(done, samples.size());
      }
    }
    List<ByteBuffer> shares =
        group.gather(Arrays.copyOf(own.array(), own.position())).stream()
            .map(ByteBuffer::wrap)
            .toList();
    ByteBuffer values = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (long number = 0; number < order.batches(); number++) {
      ByteBuffer share = shares.get((int) (number % group.size()));
      for (long row : order.rows(0, number)) {
        values.putFloat((int) row * Float.BYTES, share.getFloat());
      }
    }
    return values;
  }

  private static void write(Path file, ByteBuffer values) throws IOException {
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
