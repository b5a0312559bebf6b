package io.minimind.runtime;

import static org.bytedeco.cuda.global.cudart.cudaMemsetAsync;
import static org.bytedeco.cuda.global.cudart.cudaStreamSynchronize;
import static org.bytedeco.cuda.global.nccl.ncclAllReduce;
import static org.bytedeco.cuda.global.nccl.ncclCommAbort;
import static org.bytedeco.cuda.global.nccl.ncclCommDestroy;
import static org.bytedeco.cuda.global.nccl.ncclCommInitAll;
import static org.bytedeco.cuda.global.nccl.ncclFloat32;
import static org.bytedeco.cuda.global.nccl.ncclGetErrorString;
import static org.bytedeco.cuda.global.nccl.ncclGroupEnd;
import static org.bytedeco.cuda.global.nccl.ncclGroupStart;
import static org.bytedeco.cuda.global.nccl.ncclRedOpCreatePreMulSum;
import static org.bytedeco.cuda.global.nccl.ncclRedOpDestroy;
import static org.bytedeco.cuda.global.nccl.ncclScalarHostImmediate;
import static org.bytedeco.cuda.global.nccl.ncclSuccess;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.nccl;
import org.bytedeco.cuda.nccl.ncclComm;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerPointer;

/** Averages gradients of replicas on GPUs where they are, over NVLink where there is one. */
final class NcclAverager implements GradientAverager {

  private static final String LIBRARY = "libnccl.so.2";

  /** One GPU among those that average. */
  private record Rank(GradientBuffer gradients, ncclComm communicator, CUstream_st stream) {}

  private final List<Rank> ranks = new ArrayList<>();

  /** Whether an average was begun and not finished: then the ranks must not wait for each other. */
  private boolean unfinished;

  private NcclAverager() {}

  /** Whether NCCL is on this machine; it is not part of CUDA. */
  static boolean isAvailable() {
    try {
      Loader.loadGlobal(LIBRARY);
      Loader.load(nccl.class);
      return true;
    } catch (LinkageError e) { // One that failed before is no longer an UnsatisfiedLinkError.
      return false;
    }
  }

  static NcclAverager create(List<GradientBuffer> gradients) {
    int count = gradients.size();
    int[] devices = gradients.stream().mapToInt(one -> one.device().index()).toArray();
    List<CUstream_st> streams = new ArrayList<>();
    try (PointerPointer<ncclComm> communicators = new PointerPointer<>(count)) {
      for (GradientBuffer one : gradients) {
        CudaRuntime.select(one.device());
        streams.add(CudaRuntime.createStream());
      }
      // Last, since it makes all communicators or none: some without the others cannot be let go.
      check(ncclCommInitAll(communicators, count, devices));
      NcclAverager averager = new NcclAverager();
      for (int i = 0; i < count; i++) {
        ncclComm communicator = communicators.get(ncclComm.class, i);
        averager.ranks.add(new Rank(gradients.get(i), communicator, streams.get(i)));
      }
      return averager;
    } catch (RuntimeException | Error e) {
      streams.forEach(CudaRuntime::destroy);
      throw e;
    }
  }

  /** All take part; those whose gradients do not count give zeros. */
  @Override
  public void average(int participants) {
    unfinished = true;
    List<Integer> sums = new ArrayList<>();
    try (FloatPointer factor = new FloatPointer(1).put(1f / participants)) {
      for (Rank rank : ranks) {
        int[] sum = new int[1];
        check(
            ncclRedOpCreatePreMulSum(
                sum, factor, ncclFloat32, ncclScalarHostImmediate, rank.communicator));
        sums.add(sum[0]);
      }
      for (Rank rank : ranks.subList(participants, ranks.size())) {
        FloatPointer values = rank.gradients.values();
        CudaRuntime.select(rank.gradients.device());
        CudaRuntime.check(cudaMemsetAsync(values, 0, values.capacity() * Float.BYTES, rank.stream));
      }
      reduce(sums);
      for (Rank rank : ranks) {
        CudaRuntime.check(cudaStreamSynchronize(rank.stream));
      }
      unfinished = false;
    } finally {
      for (int i = 0; i < sums.size(); i++) {
        ncclRedOpDestroy(sums.get(i), ranks.get(i).communicator);
      }
    }
  }

  /**
   * One thread asks for all GPUs, which only a group lets it do; a group must end, whatever fails.
   */
  private void reduce(List<Integer> sums) {
    check(ncclGroupStart());
    int ended;
    try {
      for (int i = 0; i < ranks.size(); i++) {
        Rank rank = ranks.get(i);
        FloatPointer values = rank.gradients.values();
        check(
            ncclAllReduce(
                values,
                values,
                values.capacity(),
                ncclFloat32,
                sums.get(i),
                rank.communicator,
                rank.stream));
      }
    } finally {
      ended = ncclGroupEnd();
    }
    check(ended);
  }

  @Override
  public GradientBuffer mean(int replica) {
    return ranks.get(replica).gradients;
  }

  private static void check(int result) {
    if (result != ncclSuccess) {
      throw new OnnxRuntimeException(
          "NCCL failed: %s (%d).".formatted(ncclGetErrorString(result).getString(), result));
    }
  }

  @Override
  public void close() {
    for (Rank rank : ranks) {
      if (unfinished) {
        ncclCommAbort(rank.communicator);
      } else {
        ncclCommDestroy(rank.communicator);
      }
      CudaRuntime.destroy(rank.stream);
    }
    ranks.clear();
  }

  @Override
  public String toString() {
    return "by NCCL";
  }
}
