package io.minimind.infer;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.minimind.infer.graph.DecoderGraph;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Weights as the runtime takes them.
 *
 * @param tensors by their names
 * @param memory in which they lie, if it is freed with them. These are few large pieces: what is
 *     freed of such goes back to the system at once, while of small ones the allocator of the C
 *     library keeps tens of megabytes.
 */
record WeightTensors(Map<String, OnnxTensor> tensors, List<ByteBuffer> memory)
    implements AutoCloseable {

  /**
   * Smaller pieces are not worth a thread, and of those below 32 MB that a thread frees the
   * allocator of the C library keeps much.
   */
  private static final long SMALLEST_PIECE = 40 << 20;

  private static final long LARGEST_PIECE = 1 << 30;

  /** Bytes of the longest vectors of processors. */
  private static final int ALIGNMENT = 64;

  private WeightTensors() {
    this(new HashMap<>(), new ArrayList<>());
  }

  static WeightTensors none() {
    return new WeightTensors(Map.of(), List.of());
  }

  /** In memory of others, where they stay. */
  static WeightTensors of(OrtEnvironment environment, List<DecoderInMemory.Weight> weights)
      throws OrtException {
    WeightTensors made = new WeightTensors();
    try {
      for (DecoderInMemory.Weight weight : weights) {
        made.tensors.put(
            weight.name(), OnnxTensor.createTensor(environment, weight.values(), weight.shape()));
      }
      return made;
    } catch (OrtException | RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  /**
   * Reads weights of a file into memory of their own, on several threads: most of the time goes
   * into memory that is touched for the first time.
   *
   * @throws IOException if the file ends before, or there is no memory for it; the message says so
   */
  static WeightTensors read(
      OrtEnvironment environment, Path file, List<DecoderGraph.Weight> weights)
      throws IOException, OrtException {
    WeightTensors read = new WeightTensors();
    if (weights.isEmpty()) {
      return read; // There need not be a file.
    }
    try (FileChannel channel = FileChannel.open(file)) {
      List<List<DecoderGraph.Weight>> pieces = pieces(weights);
      List<CompletableFuture<ByteBuffer>> reading = new ArrayList<>();
      for (List<DecoderGraph.Weight> piece : pieces.subList(1, pieces.size())) {
        reading.add(CompletableFuture.supplyAsync(() -> read(piece, channel, file)));
      }
      // The first on this thread.
      reading.add(
          0,
          CompletableFuture.supplyAsync(() -> read(pieces.get(0), channel, file), Runnable::run));
      read.collect(reading);
      for (int i = 0; i < pieces.size(); i++) {
        List<DecoderGraph.Weight> piece = pieces.get(i);
        List<ByteBuffer> places = places(read.memory.get(i), piece);
        for (int j = 0; j < places.size(); j++) {
          DecoderGraph.Weight weight = piece.get(j);
          read.tensors.put(weight.name(), tensor(environment, weight, places.get(j)));
        }
      }
      return read;
    } catch (IOException | OrtException | RuntimeException | Error e) {
      read.close();
      throw e;
    }
  }

  /** What is read together, about the same for each processor. */
  private static List<List<DecoderGraph.Weight>> pieces(List<DecoderGraph.Weight> weights) {
    long whole = size(weights);
    long most = Math.max(Runtime.getRuntime().availableProcessors(), whole / LARGEST_PIECE + 1);
    long count = Math.min(Math.max(whole / SMALLEST_PIECE, 1), most);
    List<List<DecoderGraph.Weight>> pieces = new ArrayList<>();
    long size = 0;
    for (DecoderGraph.Weight weight : weights) {
      size += size(weight);
      boolean full =
          size > whole / count && pieces.size() < count || size > Integer.MAX_VALUE - ALIGNMENT;
      if (pieces.isEmpty() || full) {
        pieces.add(new ArrayList<>());
        size = size(weight);
      }
      pieces.get(pieces.size() - 1).add(weight);
    }
    return pieces;
  }

  private static long size(List<DecoderGraph.Weight> weights) {
    long size = 0;
    for (DecoderGraph.Weight weight : weights) {
      size += size(weight);
    }
    return size;
  }

  private static long size(DecoderGraph.Weight weight) {
    return (weight.length() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Where weights lie in a piece of memory: one after the other, each where it is aligned. */
  private static List<ByteBuffer> places(ByteBuffer piece, List<DecoderGraph.Weight> weights) {
    List<ByteBuffer> places = new ArrayList<>();
    int at = Math.floorMod(-piece.alignmentOffset(0, ALIGNMENT), ALIGNMENT);
    for (DecoderGraph.Weight weight : weights) {
      places.add(piece.slice(at, (int) weight.length()));
      at += (int) size(weight);
    }
    return places;
  }

  private static ByteBuffer read(
      List<DecoderGraph.Weight> weights, FileChannel channel, Path file) {
    try {
      ByteBuffer piece = NativeMemory.allocate(size(weights) + ALIGNMENT, file);
      try {
        List<ByteBuffer> places = places(piece, weights);
        for (int i = 0; i < places.size(); i++) {
          NativeMemory.fill(places.get(i), channel, weights.get(i).offset(), file);
        }
        return piece;
      } catch (IOException | RuntimeException | Error e) {
        NativeMemory.free(piece);
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for all pieces, also where one fails: until then the others are written to. */
  private void collect(List<CompletableFuture<ByteBuffer>> reading) throws IOException {
    CompletionException failure = null;
    for (CompletableFuture<ByteBuffer> piece : reading) {
      try {
        memory.add(piece.join());
      } catch (CompletionException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      if (failure.getCause() instanceof UncheckedIOException e) {
        throw e.getCause();
      }
      throw failure;
    }
  }

  private static OnnxTensor tensor(
      OrtEnvironment environment, DecoderGraph.Weight weight, ByteBuffer bytes)
      throws OrtException {
    long[] shape = new long[weight.shape().size()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = weight.shape().get(i);
    }
    return OnnxTensor.createTensor(
        environment,
        bytes.order(ByteOrder.nativeOrder()),
        shape,
        weight.isFloat() ? OnnxJavaType.FLOAT : OnnxJavaType.UINT8);
  }

  @Override
  public void close() {
    tensors.values().forEach(OnnxTensor::close);
    memory.forEach(NativeMemory::free);
  }
}
