package io.minimind.interchange;

import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.Role;
import io.minimind.model.TensorNames;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a model of another project is, and where its parameters are.
 *
 * @param layout finds a parameter among its tensors
 */
record Architecture(ModelConfig config, Layout layout) {

  /** Where the parameters of a model are among the tensors of a file. */
  @FunctionalInterface
  interface Layout {

    /** The tensor of a parameter, under any name. */
    StreamedTensor find(Parameter parameter, TensorSet tensors) throws IOException;

    /** Each parameter is a tensor, of a name. */
    static Layout named(TensorNames names) {
      return (parameter, tensors) -> tensors.require(names.of(parameter));
    }
  }

  /**
   * The parameters, under our names and checked: all are there, in their shapes, and nothing else
   * is.
   *
   * @throws IOException that names what is missing, of another shape, or left over
   */
  List<StreamedTensor> parameters(TensorSet tensors) throws IOException {
    // A damaged configuration must not ask for more than its file can hold.
    if (config.layers() > tensors.size() || config.experts().routed() > tensors.size() * 1024L) {
      throw new IOException(
          "The configuration has %d layers, but %s holds %d tensors in all."
              .formatted(config.layers(), tensors.source(), tensors.size()));
    }
    Parameters declared = new Parameters(config);
    check(declared.get(Role.EMBEDDING), layout.find(declared.get(Role.EMBEDDING), tensors));
    List<StreamedTensor> parameters = new ArrayList<>();
    for (Parameter parameter : declared.all()) {
      StreamedTensor tensor = layout.find(parameter, tensors);
      check(parameter, tensor);
      parameters.add(tensor.named(parameter.name()));
    }
    tensors.requireNothingElse();
    return parameters;
  }

  private static void check(Parameter parameter, StreamedTensor tensor) throws IOException {
    tensor.requireReal();
    List<Long> expected = Arrays.stream(parameter.shape().extents()).boxed().toList();
    if (!tensor.shape().equals(expected)) {
      throw new IOException(
          "The tensor %s has the shape %s; the configuration says %s."
              .formatted(tensor.name(), tensor.shape(), expected));
    }
  }
}
