package io.minimind.train;

import io.minimind.data.Samples;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import io.minimind.task.Pretraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The batches of samples in a seeded order, as a task makes them. */
final class TinyBatches {

  private TinyBatches() {}

  static BatchSource of(Samples samples, int batchSize, int devices, long seed) throws IOException {
    return new Pretraining()
        .batches(
            samples,
            new Batching(batchSize, devices, seed, false, Path.of(""), Optional.empty(), 1));
  }
}
