package io.minimind.distillation;

import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.Samples;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.FrozenModel;
import io.minimind.task.Preparation;
import io.minimind.task.Preparation.Progress;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Asks a teacher beforehand, once for each token that counts, and keeps its likeliest tokens beside
 * the encoded conversations ({@link TeacherRecords}). Where that was stopped, it goes on.
 */
final class TeacherFile {

  private static final String UNFINISHED = ".unfinished";

  /** Samples that the teacher reads at once: enough to keep the processors busy. */
  private static final int BATCH = 8;

  private TeacherFile() {}

  /**
   * The samples with what the teacher thinks of each. Processes that ask for the same wait for one
   * another.
   *
   * @throws IOException if the teacher must be asked and is no longer the one that it was, or a
   *     file cannot be read or written
   */
  static synchronized Samples openOrAsk(
      Samples samples,
      FrozenModel teacher,
      DistillationObjective objective,
      Preparation preparation)
      throws IOException {
    String rounding =
        preparation.precision().products().isHalf() ? "-" + preparation.precision() : "";
    String name = "teacher-" + teacher.shortDigest() + "-" + objective.top() + rounding;
    Path folder = preparation.folder();
    Path file = folder.resolve(name);
    TeacherRecords.Layout layout =
        new TeacherRecords.Layout(
            samples.size(), objective.top(), preparation.model().vocabularySize());
    try (FileChannel lock =
        FileChannel.open(
            folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      lock.lock();
      if (!Files.exists(file)) {
        // While the lock is held, what is there was left by a process that was killed.
        Path work = folder.resolve("unfinished-teacher");
        Folders.delete(work);
        requireUnchanged(teacher, file);
        Path unfinished = folder.resolve(name + UNFINISHED);
        TeacherTokens question = new TeacherTokens(layout.top(), layout.vocabulary());
        try (ModelInTraining session = teacher.session(question, preparation, work)) {
          ask(unfinished, layout, samples, session, preparation.progress());
        } finally {
          Folders.delete(work);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
      }
    }
    TeacherRecords records = TeacherRecords.open(file, layout);
    return samples.with(
        objective.inputs(),
        (index, column, values) -> records.read(index, samples.length(index), column == 0, values));
  }

  private static void requireUnchanged(FrozenModel teacher, Path file) throws IOException {
    if (!teacher.isUnchanged()) {
      throw new InputException(
          "What the teacher thinks is not in %s, and %s no longer holds the teacher that the run began with: restore one of them, or start a new run."
              .formatted(file.getParent(), teacher.folder()));
    }
  }

  /**
   * Asks for all samples that are not in the file.
   *
   * @param session of {@link TeacherTokens} with the teacher's weights
   */
  static void ask(
      Path file,
      TeacherRecords.Layout layout,
      Samples samples,
      ModelInTraining session,
      Progress progress)
      throws IOException {
    BatchOrder order = BatchOrder.of(samples, BATCH, 0);
    try (TeacherRecords.Writer writer = TeacherRecords.write(file, layout);
        BatchLoader loader = BatchLoader.start(order, 0, 0)) {
      long done = 0;
      for (long number = 0; number < order.batches(); number++) {
        long[] rows = order.rows(0, number);
        try (Batch batch = loader.next().orElseThrow()) {
          if (!writer.has(rows)) {
            writer.put(rows, batch, session.evaluate(batch, TeacherTokens.OUTPUT));
          }
        }
        done += rows.length;
        progress.update(done, samples.size());
      }
      writer.finish();
    }
  }
}
