package io.minimind.verify;

import io.minimind.runtime.Device;
import java.nio.FloatBuffer;

/** The largest of several differences. */
final class Worst {

  /** Why a run cannot be repeated that begins with gradients of 0. */
  static final String ONLY_ROUNDING =
      "its first gradients are 0 but for rounding, of which Adam makes whole steps";

  private double difference;
  private String where = "";

  /** Takes the next difference; one that is not a number is worse than all others. */
  void add(String place, double next) {
    double comparable = Double.isNaN(next) ? Double.POSITIVE_INFINITY : next;
    if (where.isEmpty() || comparable > difference) {
      difference = comparable;
      where = place;
    }
  }

  Case against(String name, double limit) {
    return new Case.Compared(name, difference, limit, where);
  }

  /**
   * @param limit on the CPU; ten times as much on a GPU, which adds up in other orders
   */
  Case against(String name, double limit, Device device) {
    return against(name, device.kind() == Device.Kind.CUDA ? 10 * limit : limit);
  }

  /**
   * How far a gradient's norm is from what was expected: relative below a norm of 1 and absolute
   * above, the stricter of the two, as far as float32 has the digits. Beyond a norm of 10 it is ten
   * times the relative difference, and norms of less than 1e-4 are what is left of terms that
   * cancel.
   */
  static double ofNorm(double expected, double found) {
    double size = Math.max(Math.min(1, expected), expected / 10);
    return Math.abs(found - expected) / Math.max(1e-4, size);
  }

  /**
   * How far a number is from what was expected that is made of sums over the tokens of an answer,
   * such as its log-probability. A limit holds as it is up to sums of 20, and beyond grows with
   * them as far as float32 has the digits: 2e-4 is then 1e-5 of a sum.
   *
   * @param size of the largest sum
   */
  static double ofSums(double size, double expected, double found) {
    return Math.abs(found - expected) / Math.max(1, size / 20);
  }

  /** The largest difference of two elements; infinite if the numbers of elements differ. */
  static double difference(FloatBuffer expected, FloatBuffer found) {
    if (expected.remaining() != found.remaining()) {
      return Double.POSITIVE_INFINITY;
    }
    double largest = 0;
    for (int i = 0; i < expected.remaining(); i++) {
      largest = Math.max(largest, Math.abs((double) expected.get(i) - found.get(i)));
    }
    return largest;
  }
}
