package io.minimind.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.distributed.ProcessGroup;
import io.minimind.distributed.Ranks;
import io.minimind.distributed.Wire;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.ModelInTraining.Evaluation;
import io.minimind.runtime.ModelInTraining.Step;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One model whose replicas are in several processes, against one with as many replicas. */
@Timeout(300)
class ReplicasOfProcessesTest {

  private static final int UPDATES = 50;

  @TempDir Path folder;
  private ModelInTraining.Files files;

  @BeforeEach
  void writeFiles() throws IOException {
    TrainingArtifacts graphs =
        new TrainingArtifacts(TinyModel.CONFIG)
            .with(TrainingPrecision.FLOAT32, Device.CPU.target());
    files =
        TinyModel.write(
            folder.resolve("model"), TinyModel.CONFIG, graphs, OptimizerSettings.DEFAULT);
  }

  private static List<Batch> batches(int update, int count) {
    List<Batch> batches = new ArrayList<>();
    for (int replica = 0; replica < count; replica++) {
      batches.add(TinyModel.batch(1000L * update + replica, 2, 12));
    }
    return batches;
  }

  private Replicas open(ModelInTraining.Files files, int devices, ProcessGroup group) {
    return Replicas.open(files, Collections.nCopies(devices, Device.CPU), devices, group);
  }

  /** What an update finds, and the weights afterwards. */
  private record Update(Step step, List<Evaluation> evaluations, long weights) {}

  /** Windows of two rounds, of which the last round of every third has one batch. */
  private static List<Update> train(Replicas model, int replicas, int updates) {
    List<Update> found = new ArrayList<>();
    for (int update = 0; update < updates; update++) {
      model.resetGradients();
      model.trainStep(batches(update, replicas), 0.5f);
      int last = update % 3 == 2 ? 1 : replicas;
      Step step = model.lastTrainStep(batches(update + 100, last), 0.5f, 0.5f);
      model.optimizerStep(0.003f);
      List<Evaluation> evaluations = model.evaluate(batches(7, last));
      found.add(new Update(step, evaluations, model.all().get(0).hash()));
    }
    return found;
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "4, 1", "2, 2"})
  void theyFindWhatOneProcessFindsToTheBitAfterEveryUpdate(int processes, int each)
      throws Exception {
    int replicas = processes * each;
    List<Update> expected;
    try (Replicas one = open(files, replicas, ProcessGroup.alone())) {
      expected = train(one, replicas, UPDATES);
    }
    List<List<Update>> found =
        Ranks.run(
            processes,
            group -> {
              try (Replicas model = open(files, each, group)) {
                assertEquals(replicas, model.replicas());
                return train(model, replicas, UPDATES);
              }
            });
    for (List<Update> rank : found) {
      assertEquals(expected, rank);
    }
  }

  /**
   * All ranks equal to the bit, and a loss that is that of whole gradients within 0.5 %, for as
   * long as random texts, which nothing can be learnt from but by heart, do not magnify the
   * difference.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void roundedOnTheWayTheyLearnTheSame(int processes) throws Exception {
    int updates = UPDATES;
    List<Update> whole;
    try (Replicas one = open(files, processes, ProcessGroup.alone())) {
      whole = train(one, processes, updates);
    }
    List<List<Update>> found =
        Ranks.run(
            processes,
            Wire.BFLOAT16,
            group -> {
              try (Replicas model = open(files, 1, group)) {
                return train(model, processes, updates);
              }
            });
    for (List<Update> rank : found) {
      assertEquals(found.get(0), rank);
    }
    assertNotEquals(whole, found.get(0));
    for (int update = 0; update < updates; update++) {
      double expected = whole.get(update).evaluations().get(0).loss();
      double loss = found.get(0).get(update).evaluations().get(0).loss();
      assertEquals(expected, loss, 0.005 * expected, "update " + update);
    }
  }

  @Test
  void oneWithOtherWeightsStopsAllBeforeTheFirstStep() throws Exception {
    ModelInTraining.Files trained = trained();
    for (String sentence : failures(2, group -> open(group.isLast() ? trained : files, 1, group))) {
      assertTrue(sentence.contains("weights of replica 1 (rank 1 ("), sentence);
    }
  }

  private ModelInTraining.Files trained() {
    Path file = folder.resolve("trained");
    try (Replicas model = open(files, 2, ProcessGroup.alone())) {
      train(model, 2, 1);
      model.saveCheckpoint(file);
    }
    return TinyModel.at(files, file);
  }

  @Test
  void oneWithOtherGraphsStopsAllBeforeTheFirstStep() throws Exception {
    ModelConfig wider = ModelConfig.of(64, 2, 4, 2, TinyModel.CONFIG.vocabularySize(), 32);
    ModelInTraining.Files others =
        TinyModel.write(folder.resolve("others"), wider, OptimizerSettings.DEFAULT);
    for (String sentence : failures(2, group -> open(group.isLast() ? others : files, 1, group))) {
      assertTrue(sentence.startsWith("Rank 1 ("), sentence);
      assertTrue(sentence.contains("computes with other graphs than rank 0"), sentence);
    }
  }

  @Test
  void oneWithOtherBatchesStopsAll() throws Exception {
    List<String> sentences =
        failures(
            2,
            group -> {
              try (Replicas model = open(files, 1, group)) {
                model.resetGradients();
                return model.trainStep(batches(group.rank(), 2), 1);
              }
            });
    for (String sentence : sentences) {
      assertTrue(sentence.contains("learns from other batches than rank 0"), sentence);
    }
  }

  /** An update that one of them makes alone. */
  @Test
  void oneWhoseWeightsDriftStopsAllWithItsName() throws Exception {
    List<String> sentences =
        failures(
            3,
            group -> {
              try (Replicas model = open(files, 1, group)) {
                train(model, 3, 1);
                if (group.isLast()) {
                  model.all().get(0).optimizerStep(0.003f);
                }
                return train(model, 3, 1);
              }
            });
    for (String sentence : sentences) {
      assertTrue(sentence.contains("norms of replica 2 (rank 2 ("), sentence);
    }
  }

  private static List<String> failures(int size, Ranks.Rank<Object> rank) throws Exception {
    List<String> sentences = new ArrayList<>();
    for (FutureTask<Object> running : Ranks.started(size, rank)) {
      Throwable cause = assertThrows(ExecutionException.class, running::get).getCause();
      boolean known =
          cause instanceof UncheckedIOException || cause instanceof OnnxRuntimeException;
      assertTrue(known, cause::toString);
      sentences.add(cause.getMessage());
    }
    return sentences;
  }
}
