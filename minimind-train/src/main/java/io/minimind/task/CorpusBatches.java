package io.minimind.task;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Objective;
import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.Samples;
import io.minimind.runtime.ModelInTraining;
import java.io.IOException;

/** The samples of a corpus in a seeded order, each once in an epoch. */
record CorpusBatches(BatchOrder order) implements BatchSource {

  /**
   * @param objective that learns from the batches
   * @throws IllegalArgumentException if the samples lack what it reads
   */
  static CorpusBatches of(Samples samples, Objective objective, Batching batching) {
    for (BatchInput input : objective.inputs()) {
      if (!samples.columns().contains(input)) {
        throw new IllegalArgumentException(
            "The objective asks for %s, and the samples have only %s: let their encoder give it, or the task when it prepares them."
                .formatted(input, samples.columns()));
      }
    }
    if (samples.groupSize() != objective.groupSize()) {
      throw new IllegalArgumentException(
          "The objective takes groups of %d samples, and those of the encoder are of %d."
              .formatted(objective.groupSize(), samples.groupSize()));
    }
    return new CorpusBatches(
        BatchOrder.of(samples, batching.batchSize(), batching.devices(), batching.seed()));
  }

  @Override
  public long batches() {
    return order.batches();
  }

  @Override
  public Batches open(Place from, ModelInTraining model) {
    BatchLoader loader = BatchLoader.start(order, from.epoch(), from.batch());
    return new Batches() {
      @Override
      public Batch next() throws IOException {
        return loader.next().orElseThrow();
      }

      @Override
      public void close() {
        loader.close();
      }
    };
  }
}
