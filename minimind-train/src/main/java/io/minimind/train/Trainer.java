package io.minimind.train;

import io.minimind.artifact.Objective;
import io.minimind.data.Batch;
import io.minimind.files.InputException;
import io.minimind.runtime.ModelInTraining;
import io.minimind.runtime.ModelInTraining.Evaluation;
import io.minimind.runtime.ModelInTraining.Step;
import io.minimind.task.BatchSource;
import io.minimind.task.BatchSource.Batches;
import io.minimind.task.BatchSource.Place;
import io.minimind.train.TrainingState.LossScale;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The training loop: epochs of micro-batches, an update after each window of them, validation and
 * checkpoints every so often.
 */
final class Trainer {

  private final TrainingSettings settings;
  private final Objective objective;
  private final ModelInTraining model;
  private final BatchSource batches;
  private final Optional<BatchSource> validation;
  private final CheckpointStore checkpoints;
  private final List<TrainingListener> listeners;

  /**
   * @param objective that the model was opened with
   */
  Trainer(
      TrainingSettings settings,
      Objective objective,
      ModelInTraining model,
      BatchSource batches,
      Optional<BatchSource> validation,
      CheckpointStore checkpoints,
      List<TrainingListener> listeners) {
    this.settings = settings;
    this.objective = objective;
    this.model = model;
    this.batches = batches;
    this.validation = validation;
    this.checkpoints = checkpoints;
    this.listeners = List.copyOf(listeners);
  }

  /**
   * Trains until the last epoch ends, the updates are made, or someone interrupts. The last state
   * is always saved. An interruption takes effect before the next micro-batch, also of a
   * validation; a window or a validation that it cuts is repeated when the run is resumed.
   *
   * @param from the state of the session's weights
   * @param keptBefore what the source of batches kept with it
   * @param interruptedHere asked before every micro-batch; true from the first time on. Of several
   *     processes that train together all stop if one is interrupted
   * @return whether training is complete, false if it was interrupted
   * @throws IOException if data cannot be read, a checkpoint cannot be written, or the loss is no
   *     longer a number
   */
  boolean run(TrainingState from, byte[] keptBefore, BooleanSupplier interruptedHere)
      throws IOException {
    BooleanSupplier interrupted = () -> model.group().any(interruptedHere.getAsBoolean());
    byte[] kept = keptBefore;
    for (TrainingListener listener : listeners) {
      listener.started(settings, batches.batches(), from);
    }
    TrainingState state = validateIfDue(from, interrupted);
    if (!state.equals(from)) {
      save(state, kept);
    }
    long saved = from.update();
    while (!isComplete(state) && !interrupted.getAsBoolean()) {
      int epoch = state.epoch();
      try (Batches source = batches.open(new Place(epoch, state.batch(), kept), model)) {
        while (state.epoch() == epoch && !isComplete(state)) {
          Optional<TrainingState> next = update(state, source, interrupted);
          if (next.isEmpty()) {
            break; // The batches of the window that was cut will be given again.
          }
          kept = source.state();
          state = validateIfDue(next.get(), interrupted);
          if (isComplete(state)
              || state.update() % settings.saveEvery() == 0
              || state.hasBestValidation()) {
            save(state, kept);
            saved = state.update();
          }
        }
      } catch (NoBatchException e) {
        // The weights are those of the last update: what was learnt is not lost.
        if (saved != state.update()) {
          save(state, kept);
        }
        throw e.cause();
      }
    }
    if (saved != state.update()) {
      save(state, kept);
    }
    boolean complete = isComplete(state) && !isValidationDue(state);
    for (TrainingListener listener : listeners) {
      listener.finished(state, complete);
    }
    return complete;
  }

  /** Micro-batches of each of the devices that the run began on. */
  private long rounds(long microBatches) {
    return (microBatches + settings.replicas() - 1) / settings.replicas();
  }

  private boolean isComplete(TrainingState state) {
    return state.epoch() >= settings.epochs() || state.update() >= settings.maxUpdates();
  }

  private boolean isValidationDue(TrainingState state) {
    return validation.isPresent()
        && state.validationLoss().isEmpty()
        && state.update() > 0
        && (isComplete(state) || state.update() % settings.validateEvery() == 0);
  }

  /** One accumulation window and its update, or nothing if it was interrupted. */
  private Optional<TrainingState> update(
      TrainingState state, Batches source, BooleanSupplier interrupted)
      throws IOException, NoBatchException {
    long start = System.nanoTime();
    long remaining = batches.batches() - state.batch();
    int window = (int) Math.min(settings.window(), remaining);
    float gradientScale = (float) Math.min(window, model.replicas()) / window;
    double loss = 0;
    double gradientNorm = 0;
    Map<String, Double> metrics = new LinkedHashMap<>();
    long tokens = 0;
    long positions = 0;
    long padding = 0;
    Optional<LossScale> scale = lossScale(state);
    scale.ifPresent(present -> model.scaleLoss(present.factor()));
    model.resetGradients();
    for (int done = 0; done < window; ) {
      if (interrupted.getAsBoolean()) {
        return Optional.empty();
      }
      int count = Math.min(model.replicas(), window - done);
      done += count;
      try (Round parallel = taken(source, count)) {
        List<Batch> round = parallel.list();
        Step step =
            done < window
                ? model.trainStep(round, gradientScale)
                : model.lastTrainStep(round, gradientScale, settings.optimizer().maxGradientNorm());
        double share = (double) count / window;
        loss += step.loss() * share;
        gradientNorm = step.gradientNorm();
        add(metrics, step.metrics(), share);
        for (Batch batch : round) {
          tokens += batch.targets();
          long all = (long) batch.rows() * batch.length();
          positions += all;
          padding += all - batch.filled();
        }
      }
    }
    requireFinite(loss, "loss", state);
    boolean overflown =
        !Double.isFinite(gradientNorm) && scale.map(LossScale::canBeLower).orElse(false);
    if (!overflown) {
      requireFinite(gradientNorm, "gradient", state);
    }
    long last = state.batch() + window - 1;
    float learningRate = learningRate(state.epoch(), last);
    if (!overflown) {
      model.optimizerStep(learningRate);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Optional<LossScale> nextScale = scale.map(overflown ? LossScale::lowered : LossScale::kept);
    TrainingState next = state.advanced(window, batches.batches(), tokens, seconds, nextScale);
    TrainingListener.Update update =
        new TrainingListener.Update(
            state.epoch(),
            last,
            loss,
            gradientNorm,
            learningRate,
            metrics,
            tokens,
            positions,
            padding,
            seconds,
            next);
    for (TrainingListener listener : listeners) {
      listener.updated(update);
    }
    return Optional.of(next);
  }

  private static Round taken(Batches source, int count) throws NoBatchException {
    try {
      return Round.take(source, count);
    } catch (IOException | RuntimeException e) {
      throw new NoBatchException(e);
    }
  }

  /** The rate of the update that ends with a micro-batch. */
  private float learningRate(int epoch, long last) {
    long rounds = rounds(batches.batches());
    return settings
        .schedule()
        .at(
            epoch * rounds + last / settings.replicas(),
            settings.learningRate(),
            settings.warmupSteps(),
            Math.multiplyExact(settings.epochs(), rounds));
  }

  private Optional<LossScale> lossScale(TrainingState state) {
    return model.scalesLoss()
        ? Optional.of(state.lossScale().orElse(LossScale.START))
        : Optional.empty();
  }

  private static void requireFinite(double value, String name, TrainingState state)
      throws IOException {
    if (!Double.isFinite(value)) {
      throw new InputException(
          "The %s is no longer a number after %d updates: start a new run with a lower learning rate. The checkpoints up to here are kept."
              .formatted(name, state.update()));
    }
  }

  /** The state with its validation loss, or as it is if none is due or it was interrupted. */
  private TrainingState validateIfDue(TrainingState state, BooleanSupplier interrupted)
      throws IOException {
    if (!isValidationDue(state)) {
      return state;
    }
    Means means = new Means(objective);
    long remaining = validation.get().batches();
    try (Batches source = validation.get().open(Place.START, model)) {
      while (remaining > 0) {
        if (interrupted.getAsBoolean()) {
          return state;
        }
        int count = (int) Math.min(model.replicas(), remaining);
        remaining -= count;
        try (Round parallel = Round.take(source, count)) {
          List<Evaluation> found = model.evaluate(parallel.list());
          for (int i = 0; i < count; i++) {
            means.add(parallel.list().get(i), found.get(i));
          }
        }
      }
    }
    double loss = means.loss();
    requireFinite(loss, "validation loss", state);
    Map<String, Double> metrics = means.metrics();
    if (objective.hasPerplexity()) {
      metrics.put("perplexity", Math.exp(loss));
    }
    TrainingState validated = state.validated(loss);
    for (TrainingListener listener : listeners) {
      listener.validated(validated, metrics);
    }
    return validated;
  }

  /** The source of batches failed, before a step was made of what it gave. */
  private static final class NoBatchException extends Exception {
    private static final long serialVersionUID = 1;

    NoBatchException(Exception cause) {
      super(cause);
    }

    /** Throws it if it is unchecked. */
    IOException cause() {
      if (getCause() instanceof RuntimeException unchecked) {
        throw unchecked;
      }
      return (IOException) getCause();
    }
  }

  /** Batches that are computed at the same time. */
  private record Round(List<Batch> list) implements AutoCloseable {
    static Round take(Batches source, int count) throws IOException {
      List<Batch> batches = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        batches.add(source.next());
      }
      return new Round(batches);
    }

    @Override
    public void close() {
      list.forEach(Batch::close);
    }
  }

  private static void add(Map<String, Double> sums, Map<String, Float> metrics, double weight) {
    metrics.forEach((name, value) -> sums.merge(name, value * weight, Double::sum));
  }

  /** Of several processes that train together the first saves what all of them have. */
  private void save(TrainingState state, byte[] kept) throws IOException {
    model.prepareCheckpoint();
    if (!model.group().isFirst()) {
      return;
    }
    Path checkpoint = checkpoints.save(state, kept, model::saveCheckpoint);
    for (TrainingListener listener : listeners) {
      listener.saved(state, checkpoint);
    }
  }
}
