package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.TrainingCheckpoint.OptimizerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * The optimizer in the memory of the host, on the threads of a session, where ONNX Runtime's goes
 * over all parameters four times on one thread. It computes the same numbers to the bit, in the
 * same order for each of them (Loshchilov and Hutter 2019, as PyTorch has it): the weight decays
 * first, and the moments are corrected for their start.
 */
final class AdamW implements AutoCloseable {

  /** Numbers of a parameter that are brought to the heap together. */
  private static final int PIECE = 1 << 12;

  /** The rate that a schedule of the runtime would start from, which has none here. */
  private static final float UNUSED_RATE = 1e-3f;

  /**
   * @param parameter a view of its memory
   * @param first where its first moments lie; the second ones lie behind the first of all
   */
  private record Part(
      NamedTensor parameter, long address, FloatPointer first, FloatPointer second) {}

  private final OptimizerSettings settings;
  private final Workers workers;
  private final float unusedRate;
  private final FloatPointer moments;
  private final List<Part> parts = new ArrayList<>();

  /** Of each piece: its part, and where in that it begins. */
  private final int[] partOfPiece;

  private final long[] startOfPiece;
  private long[] gradients; // null until there are any
  private long step;

  /**
   * @param parameters those that are trained, in the memory of the host, which must stay
   * @param start where an earlier run was, if there was one
   * @param threads that update them, at least 1; the results do not depend on how many
   * @throws OnnxRuntimeException if there is not enough memory
   */
  AdamW(
      OptimizerSettings settings,
      List<NamedTensor> parameters,
      Optional<OptimizerState> start,
      int threads) {
    this.settings = settings;
    long all = parameters.stream().mapToLong(NamedTensor::elements).sum();
    moments = zeros(2 * all);
    List<int[]> pieces = new ArrayList<>();
    long place = 0;
    for (NamedTensor parameter : parameters) {
      long count = parameter.elements();
      FloatPointer first = moments.getPointer(place).capacity(count);
      FloatPointer second = moments.getPointer(all + place).capacity(count);
      for (long from = 0; from < count; from += PIECE) {
        pieces.add(new int[] {parts.size(), (int) (from / PIECE)});
      }
      parts.add(new Part(parameter, new BytePointer(parameter.data()).address(), first, second));
      place += count;
    }
    partOfPiece = pieces.stream().mapToInt(piece -> piece[0]).toArray();
    startOfPiece = pieces.stream().mapToLong(piece -> (long) piece[1] * PIECE).toArray();
    step = start.map(OptimizerState::step).orElse(0L);
    unusedRate = start.map(OptimizerState::initialLearningRate).orElse(UNUSED_RATE);
    start.ifPresent(this::take);
    workers = new Workers(threads);
  }

  private static FloatPointer zeros(long count) {
    try (PointerPointer<Pointer> address = new PointerPointer<>(1)) {
      check(API.AllocatorAlloc(OnnxRuntime.allocator(), Float.BYTES * count, address));
      FloatPointer numbers = new FloatPointer(address.get()).capacity(count);
      NativeFloats.clear(numbers.address(), count);
      return numbers;
    }
  }

  private void take(OptimizerState start) {
    for (Part part : parts) {
      copy(part, start.firstMoments(), part.first);
      copy(part, start.secondMoments(), part.second);
    }
  }

  private static void copy(Part part, List<NamedTensor> from, FloatPointer to) {
    for (NamedTensor moment : from) {
      if (moment.name().equals(part.parameter.name())) {
        to.asByteBuffer().asFloatBuffer().put(moment.floats());
      }
    }
  }

  /** Remembers where a step that ran put the gradients. */
  void gradients(Outputs outputs) {
    if (gradients == null) {
      gradients =
          parts.stream()
              .mapToLong(p -> outputs.integer(p.parameter.name() + TrainingArtifacts.ADDRESS))
              .toArray();
    }
  }

  /** Updates the parameters. */
  void update(float rate) {
    if (gradients == null) {
      throw new IllegalStateException("There are no gradients yet to learn from.");
    }
    step++;
    Update update =
        new Update(
            settings,
            rate,
            1 - (float) Math.pow(settings.beta1(), step),
            1 - (float) Math.pow(settings.beta2(), step));
    workers.run(partOfPiece.length, piece -> run(update, piece));
  }

  private void run(Update update, int piece) {
    int index = partOfPiece[piece];
    Part part = parts.get(index);
    long start = startOfPiece[piece];
    int count = (int) Math.min(PIECE, part.parameter.elements() - start);
    long bytes = Float.BYTES * start;
    update.run(
        part.address + bytes,
        gradients[index] + bytes,
        part.first.address() + bytes,
        part.second.address() + bytes,
        count);
  }

  /**
   * One update.
   *
   * @param first what corrects first moments
   * @param second what corrects second moments
   */
  private record Update(OptimizerSettings settings, float rate, float first, float second) {

    void run(long parameter, long gradient, long firstMoment, long secondMoment, int count) {
      float[] weights = HeapFloats.scratch(0, PIECE);
      float[] gradients = HeapFloats.scratch(1, PIECE);
      float[] firsts = HeapFloats.scratch(2, PIECE);
      float[] seconds = HeapFloats.scratch(3, PIECE);
      HeapFloats.read(parameter, weights, count);
      HeapFloats.read(gradient, gradients, count);
      HeapFloats.read(firstMoment, firsts, count);
      HeapFloats.read(secondMoment, seconds, count);
      decay(weights, rate, settings.weightDecay(), count);
      average(firsts, gradients, settings.beta1(), count);
      averageOfSquares(seconds, gradients, settings.beta2(), count);
      go(weights, firsts, seconds, count);
      HeapFloats.write(weights, parameter, count);
      HeapFloats.write(firsts, firstMoment, count);
      HeapFloats.write(seconds, secondMoment, count);
    }

    private static void decay(float[] weights, float rate, float decay, int count) {
      for (int i = 0; i < count; i++) {
        weights[i] -= weights[i] * rate * decay;
      }
    }

    private static void average(float[] to, float[] gradients, float beta, int count) {
      float rest = 1 - beta;
      for (int i = 0; i < count; i++) {
        to[i] = beta * to[i] + rest * gradients[i];
      }
    }

    private static void averageOfSquares(float[] to, float[] gradients, float beta, int count) {
      float rest = 1 - beta;
      for (int i = 0; i < count; i++) {
        to[i] = beta * to[i] + rest * gradients[i] * gradients[i];
      }
    }

    private void go(float[] weights, float[] firsts, float[] seconds, int count) {
      go(weights, firsts, seconds, rate, first, second, settings.epsilon(), count);
    }

    private static void go(
        float[] weights,
        float[] firsts,
        float[] seconds,
        float rate,
        float first,
        float second,
        float epsilon,
        int count) {
      for (int i = 0; i < count; i++) {
        float deviation = (float) Math.sqrt(seconds[i] / second) + epsilon;
        weights[i] -= rate * firsts[i] / (first * deviation);
      }
    }
  }

  /** Views of what is remembered from step to step. */
  OptimizerState state() {
    return new OptimizerState(
        step,
        unusedRate,
        parts.stream().map(part -> moment(part.parameter, part.first)).toList(),
        parts.stream().map(part -> moment(part.parameter, part.second)).toList());
  }

  private static NamedTensor moment(NamedTensor parameter, FloatPointer values) {
    return new NamedTensor(
        parameter.name(), parameter.type(), parameter.shape(), values.asByteBuffer());
  }

  @Override
  public void close() {
    workers.close();
    check(API.AllocatorFree(OnnxRuntime.allocator(), moments));
  }
}
