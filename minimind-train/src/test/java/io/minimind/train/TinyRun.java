package io.minimind.train;

import io.minimind.artifact.Objective;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.TinyModel;
import io.minimind.task.BatchSource;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** A run of the tiny model: from the last checkpoint of its store, or from the start weights. */
record TinyRun(
    ModelInTraining.Files files,
    Opener opener,
    TrainingSettings settings,
    BatchSource batches,
    BatchSource validation,
    CheckpointStore store) {

  static final BooleanSupplier NEVER = () -> false;

  @FunctionalInterface
  interface Opener {
    ModelInTraining open(ModelInTraining.Files files);
  }

  /** Whether it came to its end. */
  boolean train(BooleanSupplier interrupted, TrainingListener... listeners) throws IOException {
    Optional<Path> latest = store.latest();
    TrainingState from =
        latest.isPresent() ? CheckpointStore.verify(latest.get()) : TrainingState.START;
    byte[] kept = latest.isPresent() ? CheckpointStore.batches(latest.get()) : new byte[0];
    Path checkpoint = latest.map(saved -> saved.resolve("checkpoint")).orElse(files.checkpoint());
    try (ModelInTraining model = opener.open(TinyModel.at(files, checkpoint))) {
      return new Trainer(
              settings,
              new Objective.NextToken(),
              model,
              batches,
              Optional.of(validation),
              store,
              List.of(listeners))
          .run(from, kept, interrupted);
    }
  }

  /** Asks count as they come: an interruption is possible wherever the trainer asks for one. */
  static BooleanSupplier afterAsks(int asks) {
    AtomicInteger left = new AtomicInteger(asks);
    return () -> left.getAndDecrement() <= 0;
  }

  /** The weights of the last checkpoint, with all that belongs to them. */
  static TrainingCheckpoint weights(CheckpointStore store) throws IOException {
    return TrainingCheckpoint.read(store.latest().orElseThrow().resolve("checkpoint"));
  }
}
