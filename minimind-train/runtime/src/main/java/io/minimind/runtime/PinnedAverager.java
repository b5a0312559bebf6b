package io.minimind.runtime;

import static io.minimind.runtime.CudaRuntime.check;
import static org.bytedeco.cuda.global.cudart.cudaEventRecord;
import static org.bytedeco.cuda.global.cudart.cudaEventSynchronize;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamSynchronize;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Averages gradients of replicas on GPUs in the memory of the host, piece by piece: while one piece
 * is averaged, the next ones arrive and those before go back.
 */
final class PinnedAverager implements GradientAverager {

  /** Long enough for the full rate of a transfer: 4 MiB. */
  private static final int PIECE = 1 << 20;

  /** A replica's gradients, their copy, and what moves them. */
  private record Lane(
      GradientBuffer gradients,
      FloatPointer copy,
      CUstream_st arriving,
      CUstream_st leaving,
      List<CUevent_st> arrived) {

    void fetch(int piece) {
      move(copy, gradients.values(), piece, cudaMemcpyDeviceToHost, arriving);
      check(cudaEventRecord(arrived.get(piece), arriving));
    }

    void await(int piece) {
      check(cudaEventSynchronize(arrived.get(piece)));
    }

    void store(int piece, FloatPointer mean) {
      move(gradients.values(), mean, piece, cudaMemcpyHostToDevice, leaving);
    }

    private static void move(
        FloatPointer to, FloatPointer from, int piece, int direction, CUstream_st stream) {
      long start = start(piece);
      long bytes = (long) length(piece, from.capacity()) * Float.BYTES;
      check(
          cudaMemcpyAsync(to.getPointer(start), from.getPointer(start), bytes, direction, stream));
    }
  }

  private final List<Lane> lanes = new ArrayList<>();
  private final Workers workers;

  private PinnedAverager(Workers workers) {
    this.workers = workers;
  }

  static PinnedAverager create(List<GradientBuffer> gradients, Workers workers) {
    PinnedAverager averager = new PinnedAverager(workers);
    try {
      for (GradientBuffer one : gradients) {
        CudaRuntime.select(one.device());
        List<CUevent_st> arrived = new ArrayList<>();
        averager.lanes.add(
            new Lane(
                one,
                CudaRuntime.allocatePinned(one.values().capacity()),
                CudaRuntime.createStream(),
                CudaRuntime.createStream(),
                arrived));
        for (int piece = 0; piece < averager.pieces(); piece++) {
          arrived.add(CudaRuntime.createEvent());
        }
      }
      return averager;
    } catch (RuntimeException | Error e) {
      averager.close();
      throw e;
    }
  }

  @Override
  public void average(int participants) {
    List<Lane> counting = lanes.subList(0, participants);
    for (Lane lane : counting) {
      CudaRuntime.select(lane.gradients.device());
      for (int piece = 0; piece < pieces(); piece++) {
        lane.fetch(piece);
      }
    }
    List<FloatPointer> copies = counting.stream().map(Lane::copy).toList();
    FloatPointer mean = copies.get(0);
    for (int piece = 0; piece < pieces(); piece++) {
      for (Lane lane : counting) {
        lane.await(piece);
      }
      Mean.intoFirst(workers, copies, start(piece), length(piece, mean.capacity()));
      for (Lane lane : lanes) {
        CudaRuntime.select(lane.gradients.device());
        lane.store(piece, mean);
      }
    }
    for (Lane lane : lanes) {
      check(cudaStreamSynchronize(lane.leaving));
    }
  }

  @Override
  public GradientBuffer mean(int replica) {
    return lanes.get(replica).gradients;
  }

  private int pieces() {
    return Math.toIntExact((lanes.get(0).copy.capacity() + PIECE - 1) / PIECE);
  }

  private static long start(int piece) {
    return (long) piece * PIECE;
  }

  private static int length(int piece, long size) {
    return (int) Math.min(PIECE, size - start(piece));
  }

  @Override
  public void close() {
    for (Lane lane : lanes) {
      lane.arrived.forEach(CudaRuntime::destroy);
      CudaRuntime.destroy(lane.arriving);
      CudaRuntime.destroy(lane.leaving);
      CudaRuntime.freePinned(lane.copy);
    }
    lanes.clear();
  }

  @Override
  public String toString() {
    return "in pinned memory";
  }
}
