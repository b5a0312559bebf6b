package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.ReferencedSamples;
import io.minimind.data.Samples;
import io.minimind.data.TokenShards;
import io.minimind.files.AtomicFile;
import io.minimind.files.Folders;
import io.minimind.files.Sha256;
import io.minimind.runtime.Device;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.TrainingSession;
import io.minimind.train.Stage.PreferenceTuning;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The log-probabilities that the reference model of preference training gives to every answer,
 * computed once and kept in a file: little-endian float32, one for each sample, then the CRC-32C of
 * their bytes as int32. So training has no second model in memory.
 */
public final class ReferenceLogProbabilities {

  /** Pairs of a batch: enough to keep the processors busy, at little memory. */
  private static final int BATCH_PAIRS = 4;

  /** Is told how many samples are done. */
  @FunctionalInterface
  public interface Progress {
    void update(long done, long total);
  }

  private ReferenceLogProbabilities() {}

  /**
   * What tells the model in a folder apart from others: the digest of its weights and
   * configuration.
   *
   * @throws IOException if one of them is missing
   */
  public static String fingerprint(Path modelFolder) throws IOException {
    return Sha256.of(
        modelFolder.resolve(ModelFolder.CONFIG), modelFolder.resolve(ModelFolder.WEIGHTS));
  }

  /**
   * The samples of a run with their log-probabilities, which are computed if they are not there for
   * the weights that the run started from. They lie beside the samples. Processes that ask for
   * those of the same samples wait for one another.
   *
   * @param settings of a run whose stage is preference tuning
   * @param device that computes them if they are not there
   * @param threads threads within an operator on the CPU, at least 1
   * @throws IOException if they must be computed and the weights are no longer those that the run
   *     started from, or a file cannot be read or written
   */
  public static synchronized Samples openOrCompute(
      TokenShards samples, RunSettings settings, Device device, int threads, Progress progress)
      throws IOException {
    PreferenceTuning stage = (PreferenceTuning) settings.stage();
    String rounding = settings.precision().products().isHalf() ? "-" + settings.precision() : "";
    Path file = samples.companion("reference-" + stage.fromWeights().substring(0, 16) + rounding);
    try (FileChannel lock =
        FileChannel.open(
            samples.companion(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      lock.lock();
      // While the lock is held, what is there was left by a process that was killed.
      Path work = samples.companion("unfinished-reference");
      Folders.delete(work);
      Optional<Samples> found = open(file, samples);
      if (found.isPresent()) {
        return found.get();
      }
      requireUnchanged(stage, file);
      try (TrainingSession session = session(file, settings, work, device, threads)) {
        compute(file, samples, session, progress);
      } finally {
        Folders.delete(work);
      }
      return open(file, samples)
          .orElseThrow(() -> new IOException(file + " was damaged as soon as it was written."));
    }
  }

  private static void requireUnchanged(PreferenceTuning stage, Path reference) throws IOException {
    Path from = Path.of(stage.from());
    boolean unchanged;
    try {
      unchanged = fingerprint(from).equals(stage.fromWeights());
    } catch (NoSuchFileException e) {
      unchanged = false;
    }
    if (!unchanged) {
      throw new IOException(
          "The reference's log-probabilities are not in %s, and %s no longer holds the model that the run started from: restore one of them, or start a new run."
              .formatted(reference.getParent(), from));
    }
  }

  private static TrainingSession session(
      Path reference, RunSettings settings, Path work, Device device, int threads)
      throws IOException {
    PreferenceTuning stage = (PreferenceTuning) settings.stage();
    // With the roundings of the run, so that its model and the reference are equal at the start.
    TrainingArtifacts artifacts =
        new TrainingArtifacts(settings.model(), stage.objective())
            .with(settings.precision(), device.kind().target());
    artifacts.write(work, settings.training().optimizer());
    Path checkpoint = work.resolve("checkpoint");
    Path from = Path.of(stage.from());
    TrainingCheckpoint.of(StartWeights.of(from, settings.model())).write(checkpoint);
    // Another run may have written its model there meanwhile; the copy is what counts.
    requireUnchanged(stage, reference);
    return TrainingSession.open(
        new ModelInTraining.Files(checkpoint, work), settings.on(device), threads);
  }

  /**
   * The samples with the log-probabilities of a file, or nothing if it is not there or damaged. The
   * file is mapped, not read into memory.
   */
  static Optional<Samples> open(Path file, Samples samples) throws IOException {
    long bytes = Math.multiplyExact(samples.size(), Float.BYTES);
    if (!Files.isRegularFile(file) || Files.size(file) != bytes + Integer.BYTES) {
      return Optional.empty();
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer contents =
          channel
              .map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
              .order(ByteOrder.LITTLE_ENDIAN);
      ByteBuffer values = contents.slice(0, (int) bytes).order(ByteOrder.LITTLE_ENDIAN);
      return contents.getInt((int) bytes) == checksum(values)
          ? Optional.of(new ReferencedSamples(samples, values.asFloatBuffer()))
          : Optional.empty();
    }
  }

  /**
   * Computes the log-probabilities of all samples and writes the file.
   *
   * @param session of a preference objective, with the reference's weights
   * @throws IOException if the samples cannot be read, the file cannot be written, or a
   *     log-probability is not a number
   */
  static void compute(Path file, Samples samples, TrainingSession session, Progress progress)
      throws IOException {
    int bytes = Math.toIntExact(Math.multiplyExact(samples.size(), Float.BYTES));
    ByteBuffer values = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    BatchOrder order = BatchOrder.of(samples, BATCH_PAIRS, 0);
    long done = 0;
    try (BatchLoader loader = BatchLoader.start(order, 0, 0)) {
      for (long number = 0; number < order.batches(); number++) {
        long[] rows = order.rows(0, number);
        try (Batch batch = loader.next().orElseThrow()) {
          float[] found = session.logProbabilities(batch);
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
      throw new IOException(
          "The model to start from gives an answer no probability that is a number: its weights"
              + " are damaged, so choose another --from.");
    }
  }

  private static int checksum(ByteBuffer values) {
    CRC32C checksum = new CRC32C();
    checksum.update(values.duplicate());
    return (int) checksum.getValue();
  }
}
