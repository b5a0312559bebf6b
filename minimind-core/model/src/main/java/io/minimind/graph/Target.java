package io.minimind.graph;

import java.util.stream.Stream;

/** What a graph will run on, and so which kernels there are for its operators. */
public enum Target {
  /**
   * There are no kernels for half precision: such operators are computed in float32 and their
   * results rounded, so that the numbers are those of a device that has the kernels.
   */
  CPU {
    @Override
    Stream<Node> kernels(Node node) {
      return HalfPrecision.emulated(node);
    }
  },

  /**
   * A CPU, in sessions that also have the kernels of the domain {@link Specification#OWN}. A tensor
   * of bf16 is one of float32 whose numbers the kernel of a product rounds when it multiplies with
   * them; nothing else rounds, and float16 is as on {@link #CPU}.
   */
  CPU_WITH_OWN_KERNELS {
    @Override
    Stream<Node> kernels(Node node) {
      return HalfPrecision.has(ElementType.BFLOAT16, node)
          ? Stream.of(HalfPrecision.unrounded(withOwnKernel(node)))
          : HalfPrecision.emulated(node).map(Target::withOwnKernel);
    }
  },

  /** Operators say themselves where their kernels do not take what the CPU's do. */
  CUDA {
    @Override
    Stream<Node> kernels(Node node) {
      return Stream.of(node);
    }
  };

  private static Node withOwnKernel(Node node) {
    return Stream.concat(node.inputs().stream(), node.outputs().stream())
            .allMatch(tensor -> CPU_WITH_OWN_KERNELS.hasOwnKernels(tensor.type()))
        ? node.operator()
            .own(node)
            .map(own -> new Node(own, node.inputs(), node.outputs()))
            .orElse(node)
        : node;
  }

  /** Whether sessions have kernels of this project, for operators on a type of numbers. */
  public boolean hasOwnKernels(ElementType type) {
    return this == CPU_WITH_OWN_KERNELS
        && (type == ElementType.FLOAT32 || type == ElementType.BFLOAT16);
  }

  /** What a model has in a node's place. */
  abstract Stream<Node> kernels(Node node);
}
