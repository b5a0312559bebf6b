package io.minimind.runtime;

import io.minimind.artifact.BatchInput;
import io.minimind.data.Batch;
import io.minimind.distributed.ProcessGroup;
import io.minimind.runtime.Replica.Norms;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
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
  private final List<Replica> replicas = new ArrayList<>();

  private final List<ExecutorService> threads = new ArrayList<>();
  private Optional<GradientAverager> averager = Optional.empty();
  private int participants;
  private double averagingSeconds;
  private boolean failed;
  private boolean open = true;

  private Replicas(ProcessGroup group, int own, List<String> metrics) {
    this.group = group;
    this.metrics = metrics;
    exchange = new Exchange(group, own);
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
    Replicas all = new Replicas(group, devices.size(), files.metrics());
    return all.opened(
        files, devices, threads, gradients -> GradientAverager.of(gradients, group, all.exchange));
  }

  /** Those of a process that trains alone. */
  static Replicas open(Files files, List<Device> devices, int threads) {
    return open(files, devices, threads, ProcessGroup.alone());
  }

  static Replicas open(
      Files files,
      List<Device> devices,
      int threads,
      Function<List<GradientBuffer>, GradientAverager> averager) {
    return new Replicas(ProcessGroup.alone(), devices.size(), files.metrics())
        .opened(files, devices, threads, averager);
  }

  private Replicas opened(
      Files files,
      List<Device> devices,
      int threads,
      Function<List<GradientBuffer>, GradientAverager> averager) {
    try {
      for (Device device : devices) {
        int threadsOfOne = Math.max(1, threads / devices.size());
        replicas.add(Replica.open(files, device, threadsOfOne));
        this.threads.add(executor("replica-" + this.threads.size()));
      }
      List<GradientBuffer> gradients = replicas.stream().map(Replica::gradients).toList();
      this.averager = Optional.of(averager.apply(gradients));
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

  private static ExecutorService executor(String name) {
    return Executors.newSingleThreadExecutor(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
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
    return replicas.get(0).scalesLoss();
  }

  @Override
  public void scaleLoss(float factor) {
    onEach(replica -> replica.scaleLoss(factor));
  }

  @Override
  public void resetGradients() {
    onEach(Replica::resetGradients);
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
    requireOpen();
    participants = Math.max(participants, batches.size());
    requireSame(batches);
    GradientAverager averager = this.averager.orElseThrow();
    List<GradientBuffer> expected =
        replicas.subList(0, exchange.own(batches.size())).stream().map(Replica::gradients).toList();
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
        onFirst(
            replicas.size(),
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
      failed = true;
      throw new OnnxRuntimeException(
          "Averaging the gradients %s stopped all: %s".formatted(averager, e.getMessage()));
    }
  }

  @Override
  public void optimizerStep(float learningRate) {
    onEach(replica -> replica.optimizerStep(learningRate));
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

  private <T> List<T> onOwn(List<Batch> batches, BatchTask<T> task) {
    int first = exchange.first();
    return onFirst(
        exchange.own(batches.size()),
        (replica, number) -> task.run(replica, batches.get(first + number)));
  }

  @Override
  public SharedWeights weights() {
    requireOpen();
    return replicas.get(0).weights();
  }

  @Override
  public void prepareCheckpoint() {
    if (group.size() > 1) {
      requireEqual(exchange.longs(onAll(Replica::hash)), "weights");
      averager.ifPresent(GradientAverager::forget);
    }
  }

  @Override
  public void saveCheckpoint(Path file) {
    requireEqual(onAll(Replica::hash), "weights");
    replicas.get(0).save(file);
  }

  @Override
  public double averagingSeconds() {
    return averagingSeconds;
  }

  @Override
  public String averaging() {
    return averager.map(Object::toString).orElse("");
  }

  List<Replica> all() {
    return List.copyOf(replicas);
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
        ? replicas.get(replica).device().toString()
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

  private interface Task<T> {
    T run(Replica replica, int number);
  }

  private interface BatchTask<T> {
    T run(Replica replica, Batch batch);
  }

  private void onEach(Consumer<Replica> task) {
    onAll(
        replica -> {
          task.accept(replica);
          return true;
        });
  }

  private <T> List<T> onAll(Function<Replica, T> task) {
    return onFirst(replicas.size(), (replica, number) -> task.apply(replica));
  }

  /** Runs a task on the threads of some replicas and waits for all of them, also if one fails. */
  private <T> List<T> onFirst(int count, Task<T> task) {
    List<Future<T>> running = new ArrayList<>();
    synchronized (this) { // Closing waits for what has begun, and nothing begins after it.
      requireOpen();
      for (int i = 0; i < count; i++) {
        int number = i;
        running.add(threads.get(i).submit(() -> task.run(replicas.get(number), number)));
      }
    }
    List<T> results = new ArrayList<>();
    RuntimeException failure = null;
    for (int i = 0; i < count; i++) {
      try {
        results.add(await(running.get(i)));
      } catch (ExecutionException e) {
        failure = failure == null ? failure(i, e.getCause()) : failure;
      }
    }
    if (failure != null) {
      failed = true;
      throw failure;
    }
    return results;
  }

  private RuntimeException failure(int number, Throwable cause) {
    if (cause instanceof OnnxRuntimeException) {
      return new OnnxRuntimeException(
          "Replica %d of %d (%s) stopped all: %s"
              .formatted(
                  number, replicas.size(), replicas.get(number).device(), cause.getMessage()));
    }
    return new IllegalStateException("Replica " + number + " failed.", cause);
  }

  /** An interruption is kept for later: native code that runs cannot be left alone. */
  static <T> T await(Future<T> running) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return running.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  static void awaitEnd(ExecutorService thread) {
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = thread.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void requireOpen() {
    if (!open) {
      throw new IllegalStateException("The replicas are closed.");
    }
    if (failed) {
      throw new IllegalStateException("A replica has failed; none of them can go on.");
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      open = false;
      threads.forEach(ExecutorService::shutdown);
    }
    threads.forEach(Replicas::awaitEnd); // What a thread computes with must not be released.
    averager.ifPresent(GradientAverager::close);
    averager = Optional.empty();
    replicas.forEach(Replica::close);
    replicas.clear();
    threads.clear();
  }
}
