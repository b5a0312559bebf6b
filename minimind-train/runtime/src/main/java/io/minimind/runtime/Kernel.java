package io.minimind.runtime;

import io.minimind.graph.ElementType;
import io.minimind.graph.Specification;
import java.util.List;

/**
 * What computes an operator of this project within ONNX Runtime. There is one for each node of a
 * session. It keeps nothing from call to call, so that sessions and threads can share what it uses.
 */
@FunctionalInterface
interface Kernel {

  /** Computes the outputs of a call; what it throws becomes the failure of the step. */
  void compute(KernelCall call);

  /** Makes the kernel of a node. */
  @FunctionalInterface
  interface Factory {
    Kernel create(KernelNode node);
  }

  /**
   * An operator and its kernel.
   *
   * @param specification what the graph says of it
   * @param inputs the types of the operands
   * @param outputs the types of the results
   * @param replaced operands, at most one, in whose memory the first result may come to lie where
   *     nobody needs them any more; the kernel must then read each number before it writes there
   */
  record Declaration(
      Specification specification,
      List<ElementType> inputs,
      List<ElementType> outputs,
      List<Integer> replaced,
      Factory factory) {

    /** An operator whose results always have memory of their own. */
    Declaration(
        Specification specification,
        List<ElementType> inputs,
        List<ElementType> outputs,
        Factory factory) {
      this(specification, inputs, outputs, List.of(), factory);
    }

    public Declaration {
      inputs = List.copyOf(inputs);
      outputs = List.copyOf(outputs);
      replaced = List.copyOf(replaced);
      if (inputs.size() != specification.mostInputs()) {
        throw new IllegalArgumentException(
            "%s has %d operands, but types are given for %d."
                .formatted(specification.name(), specification.mostInputs(), inputs.size()));
      }
    }
  }
}
