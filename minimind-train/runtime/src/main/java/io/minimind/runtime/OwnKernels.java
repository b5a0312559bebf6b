package io.minimind.runtime;

import static io.minimind.graph.ElementType.BOOL;
import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT64;

import io.minimind.graph.ElementType;
import io.minimind.graph.Specification;
import io.minimind.graph.operator.Bfloat16Gemm;
import io.minimind.graph.operator.FusedAttention;
import io.minimind.graph.operator.FusedCrossEntropy;
import io.minimind.graph.operator.GradientReady;
import io.minimind.graph.operator.OwnGemm;
import io.minimind.graph.operator.RmsNorm;
import io.minimind.graph.operator.ScaleInPlace;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.onnxruntime.OrtSessionOptions;

/** The kernels of this project, for sessions on the CPU. */
final class OwnKernels {

  private static final List<Kernel.Declaration> DECLARATIONS =
      List.of(
          new Kernel.Declaration(
              FusedAttention.SPECIFICATION,
              floatsAndPositions(3),
              floats(2),
              node -> new FusedAttentionKernel(node)::forward),
          new Kernel.Declaration(
              FusedAttention.Gradient.SPECIFICATION,
              floatsAndPositions(6),
              floats(3),
              node -> new FusedAttentionKernel(node)::backward),
          new Kernel.Declaration(
              OwnGemm.SPECIFICATION, floats(3), floats(1), List.of(2), GemmKernel::new),
          new Kernel.Declaration(
              Bfloat16Gemm.SPECIFICATION, floats(3), floats(1), Bfloat16GemmKernel::new),
          new Kernel.Declaration(
              RmsNorm.Gradient.SPECIFICATION,
              floats(4),
              floats(2),
              node -> RmsNormKernel::backward),
          new Kernel.Declaration(
              FusedCrossEntropy.SPECIFICATION,
              List.of(FLOAT32, INT64),
              floats(2),
              node -> new CrossEntropyKernel(node)::forward),
          new Kernel.Declaration(
              FusedCrossEntropy.Gradient.SPECIFICATION,
              List.of(FLOAT32, FLOAT32, INT64, FLOAT32),
              floats(1),
              List.of(1),
              node -> new CrossEntropyKernel(node)::backward),
          new Kernel.Declaration(
              ScaleInPlace.SPECIFICATION,
              floats(2),
              List.of(BOOL, INT64),
              node -> ScaleInPlaceKernel::compute),
          new Kernel.Declaration(
              GradientReady.SPECIFICATION,
              floats(1),
              List.of(BOOL),
              node -> GradientBuffer::announce));

  /** Made when the first session needs it. */
  private static final class Registered {
    private static final KernelDomain DOMAIN = new KernelDomain(Specification.OWN, DECLARATIONS);
  }

  private OwnKernels() {}

  private static List<ElementType> floats(int count) {
    return Collections.nCopies(count, FLOAT32);
  }

  private static List<ElementType> floatsAndPositions(int count) {
    return Stream.concat(floats(count).stream(), Stream.of(INT64)).toList();
  }

  /** Why this machine cannot use them, or nothing if it can. */
  static Optional<String> problem() {
    return OneDnn.problem();
  }

  /** What they compute, and with what, for people. */
  static String describe() {
    return "own kernels for products, attention, cross entropy and norms, with oneDNN for %s"
        .formatted(OneDnn.instructions());
  }

  /**
   * Gives the sessions that are opened with some options these kernels, where there are any.
   *
   * @param threads of these sessions within an operator
   */
  static void addTo(OrtSessionOptions options, int threads) {
    if (problem().isEmpty()) {
      KernelNode.tellThreads(options, threads);
      Registered.DOMAIN.addTo(options);
    }
  }

  /** How many nodes of open sessions have a kernel of this project. */
  static int open() {
    return problem().isEmpty() ? Registered.DOMAIN.kernels() : 0;
  }
}
