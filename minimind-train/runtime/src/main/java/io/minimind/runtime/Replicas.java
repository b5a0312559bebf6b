package io.minimind.runtime;

import io.minimind.artifact.BatchInput;
import io.minimind.data.Batch;
import io.minimind.distributed.ProcessGroup;
import io.minimind.runtime.Replica.Norms;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.zip.CRC32C;

/**
 * A model in training on several devices, of this process and of others, as data-parallel PyTorch
 * does it: each replica computes the gradients of its own batches on a thread of its own, they are
 * averaged once per window, and every replica makes the same update. All weights are equal to the
 * bit after every update; their norms are compared each time, a hash of them with every checkpoint.
 *
 * <p>Of several processes each has a part of the replicas. All of them are given the batches of all
 * replicas, of which each computes those of its own; what is found they tell each other.
 */
final class Replicas implements ModelInTraining {

  private final ProcessGroup group;
  private final Exchange exchange;
  private final List<String> metrics;

  /** Those of this process. */
  private final ReplicaThreads replicas = new ReplicaThreads();

  /** As many as all replicas have in a pass; they work between passes. */
  private final Workers workers;

  private Optional<GradientAverager> averager = Optional.empty();
  private int participants;
  private double averagingSeconds;

  private Replicas(ProcessGroup group, int own, int threads, List<String> metrics) {
    this.group = group;
    this.metrics = metrics;
    exchange = new Exchange(group, own);
    workers = new Workers(threads);
  }

  /**
   * @param files with the models that {@code TrainingArtifacts.writeReplicated} writes
   * @param devices of the replicas of this process; with those of the others, at least two
   * @param threads threads within an operator on the CPU, divided among the replicas of this
   *     process, of which each has at least one
   * @param group of processes, which stays open
   * @throws OnnxRuntimeException if the runtime refuses a file
   */
  static Replicas open(Files files, List<Device> devices, int threads, ProcessGroup group) {
    Replicas all = new Replicas(group, devices.size(), threads, files.metrics());
    return all.opened(
        files,
        devices,
        threads,
        (gradients, workers) -> GradientAverager.of(gradients, workers, group, all.exchange));
  }

  /** Those of a process that trains alone. */
  static Replicas open(Files files, List<Device> devices, int threads) {
    return open(files, devices, threads, ProcessGroup.alone());
  }

  static Replicas open(
      Files files,
      List<Device> devices,
      int threads,
      BiFunction<List<GradientBuffer>, Workers, GradientAverager> averager) {
    return new Replicas(ProcessGroup.alone(), devices.size(), threads, files.metrics())
        .opened(files, devices, threads, averager);
  }

  private Replicas opened(
      Files files,
      List<Device> devices,
      int threads,
      BiFunction<List<GradientBuffer>, Workers, GradientAverager> averager) {
    try {
      for (Device device : devices) {
        replicas.add(Replica.open(files, device, Math.max(1, threads / devices.size())));
      }
      List<GradientBuffer> gradients = replicas.all().stream().map(Replica::gradients).toList();
      this.averager = Optional.of(averager.apply(gradients, workers));
      if (group.size() > 1) {
        exchange.requireSame(
            files.hash(),
            "computes with other graphs",
            "install the same version of MiniMind everywhere.");
        prepareCheckpoint();
      }
      return this;
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  @Override
  public ProcessGroup group() {
    return group;
  }

  @Override
  public int replicas() {
    return exchange.total();
  }

  @Override
  public boolean scalesLoss() {
    return first().scalesLoss();
  }

  @Override
  public void scaleLoss(float factor) {
    replicas.onEach(replica -> replica.scaleLoss(factor));
  }

  @Override
  public void resetGradients() {
    replicas.onEach(Replica::resetGradients);
    participants = 0;
  }

  @Override
  public Step trainStep(List<Batch> batches, float gradientScale) {
    participants = Math.max(participants, batches.size());
    requireSame(batches);
    return mean(ofAll(accumulated(batches, gradientScale)), Float.NaN);
  }

  /** Adds the gradients of the batches of this process, and gives what they were found by. */
  private List<Evaluation> accumulated(List<Batch> batches, float gradientScale) {
    return onOwn(batches, (replica, batch) -> replica.trainStep(batch, gradientScale));
  }

  /** Gradients travel as soon as those of this process are there; losses are told afterwards. */
  @Override
  public Step lastTrainStep(List<Batch> batches, float gradientScale, float maxGradientNorm) {
    replicas.requireOpen();
    participants = Math.max(participants, batches.size());
    requireSame(batches);
    GradientAverager averager = this.averager.orElseThrow();
    List<GradientBuffer> expected =
        replicas.all().subList(0, exchange.own(batches.size())).stream()
            .map(Replica::gradients)
            .toList();
    expected.forEach(GradientBuffer::expect);
    averager.begin(participants);
    List<Evaluation> found;
    try {
      found = accumulated(batches, gradientScale);
    } catch (RuntimeException e) {
      // Or the averager would go on waiting for the others, and for steps that were never run.
      group.abort(e);
      expected.forEach(GradientBuffer::arrived);
      throw e;
    }
    long start = System.nanoTime();
    average(averager);
    List<Norms> own =
        replicas.onFirst(
            replicas.all().size(),
            (replica, number) -> replica.takeGradients(averager.mean(number), maxGradientNorm));
    List<Norms> norms =
        exchange.floats(own.stream().map(Norms::toArray).toList()).stream().map(Norms::of).toList();
    averagingSeconds += (System.nanoTime() - start) / 1e9;
    requireEqual(norms, "norms");
    return mean(ofAll(found), norms.get(0).gradient());
  }

  private void average(GradientAverager averager) {
    try {
      averager.average(participants);
    } catch (OnnxRuntimeException e) {
      replicas.fail();
      throw new OnnxRuntimeException(
          "Averaging the gradients %s stopped all: %s".formatted(averager, e.getMessage()));
    }
  }

  @Override
  public void optimizerStep(float learningRate) {
    replicas.onEach(replica -> replica.optimizerStep(learningRate));
  }

  @Override
  public List<Evaluation> evaluate(List<Batch> batches) {
    requireSame(batches);
    return ofAll(onOwn(batches, Replica::evaluate));
  }

  @Override
  public List<float[]> evaluate(List<Batch> batches, String name) {
    return exchange.floats(onOwn(batches, (replica, batch) -> replica.evaluate(batch, name)));
  }

  /** Of all batches, though this process computes its own alone. */
  private List<Evaluation> ofAll(List<Evaluation> found) {
    List<float[]> own = found.stream().map(one -> one.toArray(metrics)).toList();
    return exchange.floats(own).stream().map(one -> Evaluation.of(one, metrics)).toList();
  }

  /** A process with other data, or another order of it, would teach something else unnoticed. */
  private void requireSame(List<Batch> batches) {
    if (group.size() > 1) {
      CRC32C hash = new CRC32C();
      for (Batch batch : batches) {
        int bytes = batch.inputIds().limit() * Long.BYTES;
        hash.update(batch.part(BatchInput.INPUT_IDS.name()).orElseThrow().memory().slice(0, bytes));
      }
      exchange.requireSame(
          hash.getValue(),
          "learns from other batches",
          "give all the same data and the same version of MiniMind.");
    }
  }

  private interface BatchTask<T> {
    T run(Replica replica, Batch batch);
  }

  private <T> List<T> onOwn(List<Batch> batches, BatchTask<T> task) {
    int first = exchange.first();
    return replicas.onFirst(
        exchange.own(batches.size()),
        (replica, number) -> task.run(replica, batches.get(first + number)));
  }

  @Override
  public SharedWeights weights() {
    replicas.requireOpen();
    return first().weights();
  }

  @Override
  public void prepareCheckpoint() {
    if (group.size() > 1) {
      requireEqual(exchange.longs(replicas.onAll(Replica::hash)), "weights");
      averager.ifPresent(GradientAverager::forget);
    }
  }

  @Override
  public void saveCheckpoint(Path file) {
    requireEqual(replicas.onAll(Replica::hash), "weights");
    first().save(file);
  }

  @Override
  public double averagingSeconds() {
    return averagingSeconds;
  }

  @Override
  public String averaging() {
    return averager.map(Object::toString).orElse("");
  }

  private Replica first() {
    return replicas.all().get(0);
  }

  List<Replica> all() {
    return List.copyOf(replicas.all());
  }

  private void requireEqual(List<?> values, String what) {
    for (int i = 1; i < values.size(); i++) {
      if (!values.get(i).equals(values.get(0))) {
        throw new OnnxRuntimeException(
            "The %s of replica %d (%s) are no longer those of replica 0 (%s): %s and %s."
                .formatted(what, i, place(i), place(0), values.get(i), values.get(0)));
      }
    }
  }

  private String place(int replica) {
    return group.size() == 1
        ? replicas.all().get(replica).device().toString()
        : exchange.process(replica);
  }

  private static Step mean(List<Evaluation> found, float gradientNorm) {
    double loss = 0;
    Map<String, Float> metrics = new LinkedHashMap<>();
    for (Evaluation one : found) {
      loss += one.loss() / found.size();
      one.metrics().forEach((name, value) -> metrics.merge(name, value / found.size(), Float::sum));
    }
    return new Step((float) loss, gradientNorm, metrics);
  }

  @Override
  public void close() {
    replicas.end();
    averager.ifPresent(GradientAverager::close);
    averager = Optional.empty();
    workers.close();
    replicas.close();
  }
}
