package io.minimind.runtime;

import io.minimind.files.ArgumentException;
import io.minimind.graph.Target;
import io.minimind.model.TrainingPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a replica of the model is trained on, and how that is used.
 *
 * @param index which of the GPUs, from 0; 0 for the CPU
 * @param kernelSet whose kernels compute on the CPU; results differ in their last bits
 * @param spinning whether threads of the CPU that wait for work keep a processor busy, which is
 *     faster where nobody else wants it, and several times slower where somebody does
 * @param memory MiB that each arena of a session may take on a GPU, at least 1; {@link #ALL_MEMORY}
 *     is no limit. One is for training, with the parameters, one for evaluation, and one for the
 *     optimizer, with its moments; one of several replicas has a fourth, for the update. What CUDA
 *     and its libraries take comes on top
 * @param tf32 whether a GPU may compute products of float32 matrices with 10 bits of mantissa,
 *     which is several times as fast on those that can
 */
public record Device(
    Kind kind, int index, KernelSet kernelSet, boolean spinning, int memory, boolean tf32) {

  /** Kinds of devices. */
  public enum Kind {
    CPU,
    CUDA
  }

  public static final Device CPU = new Device(Kind.CPU, 0);

  /** No limit of a GPU's memory. */
  public static final int ALL_MEMORY = Integer.MAX_VALUE;

  private static final int MOST_REPLICAS = 64;
  private static final Pattern FORM =
      Pattern.compile("(cpu)(?::(\\d{1,3}))?|(cuda)(?::(\\d{1,3}))?");

  /**
   * A device with this project's kernels and threads that spin, or with all memory and products in
   * full float32.
   */
  public Device(Kind kind, int index) {
    this(kind, index, KernelSet.OWN, true, ALL_MEMORY, false);
  }

  public Device {
    if (index < 0 || kind == Kind.CPU && index != 0) {
      throw new ArgumentException("There is no device " + kind + " " + index + ".");
    }
    if (memory < 1) {
      throw new ArgumentException(
          "The memory of a GPU must be at least 1 MiB, but is to be " + memory + ".");
    }
  }

  /**
   * The devices of a list such as {@code cuda:0,cuda:1}. {@code cpu:2} is the CPU twice, for two
   * replicas that share its cores; {@code cuda} is {@code cuda:0}. All are of one kind, because the
   * graphs of the kinds differ.
   *
   * @throws IllegalArgumentException if it is something else, or names a GPU twice
   */
  public static List<Device> parse(String list) {
    List<Device> devices = new ArrayList<>();
    for (String part : list.split(",", -1)) {
      Matcher matcher = FORM.matcher(part.strip().toLowerCase(Locale.ROOT));
      if (!matcher.matches()) {
        throw malformed(list, "'" + part.strip() + "' is neither");
      }
      if (matcher.group(1) != null) {
        int count = matcher.group(2) == null ? 1 : Integer.parseInt(matcher.group(2));
        if (count < 1 || count > MOST_REPLICAS) {
          throw malformed(list, "there can be 1 to " + MOST_REPLICAS + " replicas on the CPU");
        }
        for (int i = 0; i < count; i++) {
          devices.add(CPU);
        }
      } else {
        int index = matcher.group(4) == null ? 0 : Integer.parseInt(matcher.group(4));
        Device device = new Device(Kind.CUDA, index);
        if (devices.contains(device)) {
          throw malformed(list, device + " is there twice");
        }
        devices.add(device);
      }
    }
    if (devices.stream().map(Device::kind).distinct().count() > 1) {
      throw malformed(list, "they are of two kinds");
    }
    if (devices.size() > MOST_REPLICAS) {
      throw malformed(list, "there can be " + MOST_REPLICAS + " replicas at most");
    }
    return List.copyOf(devices);
  }

  /**
   * Makes sure that devices can be used, before anything is computed.
   *
   * @throws IllegalArgumentException if not; the message says what is missing and how to get it
   */
  public static void require(List<Device> devices) {
    Optional<String> problem = problem(devices);
    if (problem.isPresent()) {
      throw new ArgumentException(problem.get());
    }
  }

  /** What {@link #require} would say, or nothing if the devices can be used. */
  public static Optional<String> problem(List<Device> devices) {
    return Cuda.problem(devices);
  }

  public Device withKernels(KernelSet kernels) {
    return new Device(kind, index, kernels, spinning, memory, tf32);
  }

  public Device withSpinning(boolean spinning) {
    return new Device(kind, index, kernelSet, spinning, memory, tf32);
  }

  /**
   * @param memory MiB for each arena on a GPU, at least 1
   * @throws IllegalArgumentException if it is less
   */
  public Device withMemory(int memory) {
    return new Device(kind, index, kernelSet, spinning, memory, tf32);
  }

  public Device withTf32(boolean tf32) {
    return new Device(kind, index, kernelSet, spinning, memory, tf32);
  }

  /**
   * What graphs for this device are made for: the one place that decides which kernels there are.
   */
  public Target target() {
    if (kind == Kind.CUDA) {
      return Target.CUDA;
    }
    return usesOwnKernels() ? Target.CPU_WITH_OWN_KERNELS : Target.CPU;
  }

  private boolean usesOwnKernels() {
    return kernelSet == KernelSet.OWN && OwnKernels.problem().isEmpty();
  }

  /**
   * The precision in which it multiplies fastest and trains as well: bf16 where a CPU has
   * instructions for it that were found to compute right, and else float32.
   */
  public TrainingPrecision fastestPrecision() {
    return kind == Kind.CPU && usesOwnKernels() && NativeBfloat16Products.problem().isEmpty()
        ? TrainingPrecision.BFLOAT16
        : TrainingPrecision.FLOAT32;
  }

  /**
   * Whose kernels compute on it, for people, and if they are not this project's why not; and how it
   * computes in a precision that it may have no instructions for.
   */
  public String kernels(TrainingPrecision precision) {
    return kernels() + (kind == Kind.CPU ? products(precision) : "");
  }

  private String products(TrainingPrecision precision) {
    if (!precision.products().isHalf()) {
      return "";
    }
    if (precision != TrainingPrecision.BFLOAT16 || !usesOwnKernels()) {
      return "; %s is emulated, with every result rounded, and slower than float32"
          .formatted(precision);
    }
    return NativeBfloat16Products.problem()
        .map(why -> "; bf16 is emulated and no faster than float32: " + why)
        .orElse("; products in bf16 with the processor's instructions for it");
  }

  private String kernels() {
    if (kind == Kind.CUDA) {
      return "kernels of ONNX Runtime for CUDA";
    }
    if (usesOwnKernels()) {
      return OwnKernels.describe();
    }
    return kernelSet == KernelSet.ONNX_RUNTIME
        ? "kernels of ONNX Runtime alone, as asked for"
        : "kernels of ONNX Runtime alone: oneDNN cannot be used, " + OwnKernels.problem().get();
  }

  private static IllegalArgumentException malformed(String list, String why) {
    return new ArgumentException(
        "The devices '%s' cannot be: %s. Expected a list such as cuda:0,cuda:1, or cpu:2 for two replicas on the CPU."
            .formatted(list, why));
  }

  @Override
  public String toString() {
    return kind == Kind.CPU ? "cpu" : "cuda:" + index;
  }
}
