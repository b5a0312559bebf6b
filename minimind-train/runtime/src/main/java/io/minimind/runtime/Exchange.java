package io.minimind.runtime;

import io.minimind.distributed.ProcessGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What the replicas of several processes tell each other. Those of all processes are counted
 * through, in the order of the processes.
 */
final class Exchange {

  private final ProcessGroup group;
  private final List<Integer> counts;

  /**
   * @param own replicas of this process
   */
  Exchange(ProcessGroup group, int own) {
    this.group = group;
    ByteBuffer count = ByteBuffer.allocate(Integer.BYTES).putInt(0, own);
    counts =
        group.gather(count.array()).stream().map(one -> ByteBuffer.wrap(one).getInt()).toList();
  }

  /** Replicas of all processes. */
  int total() {
    return counts.stream().mapToInt(Integer::intValue).sum();
  }

  /** The first replica of this process. */
  int first() {
    return counts.subList(0, group.rank()).stream().mapToInt(Integer::intValue).sum();
  }

  /**
   * How many replicas of this process are among the first of all.
   *
   * @param all how many of all processes
   */
  int own(int all) {
    return Math.max(0, Math.min(all - first(), counts.get(group.rank())));
  }

  /** The process of a replica. */
  private int rank(int replica) {
    int rank = 0;
    for (int left = replica; left >= counts.get(rank); rank++) {
      left -= counts.get(rank);
    }
    return rank;
  }

  /** The process of a replica, for people. */
  String process(int replica) {
    return group.name(rank(replica));
  }

  /** Numbers of each replica of this process, and then those of all replicas. */
  List<float[]> floats(List<float[]> own) {
    if (group.size() == 1) {
      return own;
    }
    int length = own.stream().mapToInt(one -> Integer.BYTES + one.length * Float.BYTES).sum();
    ByteBuffer bytes = ByteBuffer.allocate(length);
    for (float[] one : own) {
      bytes.putInt(one.length);
      bytes.asFloatBuffer().put(one);
      bytes.position(bytes.position() + one.length * Float.BYTES);
    }
    List<float[]> all = new ArrayList<>();
    for (byte[] each : group.gather(bytes.array())) {
      for (ByteBuffer left = ByteBuffer.wrap(each); left.hasRemaining(); ) {
        float[] one = new float[left.getInt()];
        left.asFloatBuffer().get(one);
        left.position(left.position() + one.length * Float.BYTES);
        all.add(one);
      }
    }
    return all;
  }

  /** A number of each replica of this process, and then that of all replicas. */
  List<Long> longs(List<Long> own) {
    ByteBuffer bytes = ByteBuffer.allocate(own.size() * Long.BYTES);
    own.forEach(bytes::putLong);
    List<Long> all = new ArrayList<>();
    for (byte[] each : group.gather(bytes.array())) {
      for (ByteBuffer left = ByteBuffer.wrap(each); left.hasRemaining(); ) {
        all.add(left.getLong());
      }
    }
    return all;
  }

  /**
   * Makes sure that all processes have the same before they go on.
   *
   * @param value which tells it from others
   * @param verb what a process does with it, and what it is
   * @param advice what to do if it differs
   */
  void requireSame(long value, String verb, String advice) {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).putLong(0, value);
    List<byte[]> all = group.gather(bytes.array());
    for (int rank = 1; rank < all.size(); rank++) {
      if (ByteBuffer.wrap(all.get(rank)).getLong() != ByteBuffer.wrap(all.get(0)).getLong()) {
        String sentence =
            "%s %s than %s: %s".formatted(group.subject(rank), verb, group.name(0), advice);
        throw new UncheckedIOException(sentence, new IOException(sentence));
      }
    }
  }
}
