package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.data.Rows;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.FolderLock;
import io.minimind.files.InputException;
import io.minimind.files.TemporaryFolder;
import io.minimind.train.TrainingHistory.CorpusFacts;
import io.minimind.weights.NamedTensor;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The way from what is given of a run to the run. The first process begins or goes on; others go on
 * with a copy of what it opened, so that all compare the same.
 */
final class RunOpening {

  private final RunBuilder given;
  private final Path folder;
  private final ProcessGroup group;

  RunOpening(RunBuilder given) {
    this.given = given;
    folder = given.folder();
    group = given.group();
  }

  TrainingRun create() throws IOException {
    return together(this::begin);
  }

  TrainingRun resume() throws IOException {
    return together(replicas -> goOn());
  }

  @FunctionalInterface
  private interface Opening {
    TrainingRun open(int replicas) throws IOException;
  }

  /** Opens the run in the first process, with the replicas of all, and then in the others. */
  private TrainingRun together(Opening opening) throws IOException {
    try {
      byte[] own = {(byte) given.devices().size()};
      int replicas = group.gather(own).stream().mapToInt(one -> one[0]).sum();
      if (!group.isFirst()) {
        return follow();
      }
      TrainingRun run = opening.open(replicas);
      try {
        group.send(folder, RunFolder.open(folder, given.catalog()).toGoOnWith());
        return run;
      } catch (IOException | RuntimeException e) {
        run.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      throw TrainingRun.stopped(group, e);
    }
  }

  private TrainingRun begin(int replicas) throws IOException {
    RunFolder.requireNone(folder);
    RunSettings settings = given.newSettings(replicas);
    StartModel start = given.start();
    Corpora corpora = encodedByAll(settings, given.rows(), start.tokenizer());
    List<NamedTensor> weights = start.weights(settings.model(), settings.training().seed());
    TrainingHistory history = start.history(given.catalog());
    // Only now: nothing is made for a run that cannot start.
    FolderLock lock = FolderLock.acquire(folder);
    try {
      RunFolder.requireNone(folder); // Another run may have been there meanwhile.
      // Before the settings, with which the folder is a run: none is without its history.
      TrainingHistory.begin(folder, given.command(), history);
      RunRecord record = new RunRecord(settings, corpora.facts());
      RunFolder run = RunFolder.create(folder, record, start.tokenizer(), weights, given.adapter());
      corpora.listSkipped(folder);
      return new TrainingRun(lock::close, run, corpora, given);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private TrainingRun goOn() throws IOException {
    RunFolder run = RunFolder.open(folder, given.catalog());
    FolderLock lock = FolderLock.acquire(folder);
    try {
      List<Rows> rows = given.rowsOf(run.settings());
      RunSettings settings = settings(run.settings(), rows);
      Corpora corpora = encodedByAll(settings, rows, run.path());
      return goOn(run, settings, lock::close, corpora);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** Goes on with the run that the first process opens, in a copy. */
  private TrainingRun follow() throws IOException {
    TemporaryFolder copy = TemporaryFolder.create();
    try {
      byte[] told = group.gather(new byte[0]).get(0);
      RunSettings begun = RunRecord.fromJson(told, given.catalog()).settings();
      Path texts = copy.path().resolve("texts");
      group.receive(texts);
      List<Rows> rows = given.rowsOf(begun);
      RunSettings settings = settings(begun, rows);
      Corpora corpora = corpora(settings, rows, texts, new Listeners(List.of()));
      Path run = copy.path().resolve("run");
      group.receive(run);
      return goOn(RunFolder.open(run, given.catalog()), settings, copy::close, corpora);
    } catch (IOException | RuntimeException e) {
      copy.close();
      throw e;
    }
  }

  private TrainingRun goOn(RunFolder run, RunSettings settings, Closeable held, Corpora corpora)
      throws IOException {
    List<String> names = new ArrayList<>(List.of(settings.data()));
    settings.validationData().ifPresent(names::add);
    run.corpora().requireSame(corpora.facts(), names);
    if (group.isFirst()) {
      corpora.listSkipped(folder);
    }
    return new TrainingRun(held, run.with(settings), corpora, given);
  }

  /**
   * The settings of a run that has begun. Its rows, and what its task refers to, may have moved;
   * all else that is given must be what it began with.
   *
   * @param rows where they are now
   */
  private RunSettings settings(RunSettings begun, List<Rows> rows) throws IOException {
    RunSettings now = given.settingsOf(begun);
    if (!now.equals(begun)) {
      throw new InputException(
          "The run in %s began with other settings: %s. Give those, or choose another folder."
              .formatted(folder, begun.difference(now).orElse("its task is another")));
    }
    return begun.movedTo(
        now.task(), rows.get(0).name(), rows.stream().skip(1).map(Rows::name).findFirst());
  }

  /** The rows of a run, which the first process tells the others to encode with it. */
  private Corpora encodedByAll(RunSettings settings, List<Rows> rows, Path texts)
      throws IOException {
    group.gather(new RunRecord(settings, CorpusFacts.NONE).toJson());
    List<Path> files = ModelFolder.configuration(texts).stream().map(texts::relativize).toList();
    group.send(texts, files);
    return corpora(settings, rows, texts, given.listeners());
  }

  private Corpora corpora(RunSettings settings, List<Rows> rows, Path texts, Listeners told)
      throws IOException {
    return Corpora.open(settings, rows, texts, given.place(), told, group);
  }
}
