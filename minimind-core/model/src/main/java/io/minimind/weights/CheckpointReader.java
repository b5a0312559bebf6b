package io.minimind.weights;

import io.minimind.graph.ElementType;
import io.minimind.weights.CheckpointSchema.Checkpoint;
import io.minimind.weights.CheckpointSchema.ModuleState;
import io.minimind.weights.CheckpointSchema.OptimizerGroup;
import io.minimind.weights.CheckpointSchema.ParameterOptimizerState;
import io.minimind.weights.CheckpointSchema.Property;
import io.minimind.weights.CheckpointSchema.PropertyBag;
import io.minimind.weights.CheckpointSchema.Tensor;
import io.minimind.weights.TrainingCheckpoint.OptimizerState;
import io.minimind.weights.TrainingCheckpoint.Properties;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds a {@link TrainingCheckpoint} in its flatbuffer. */
final class CheckpointReader {

  private CheckpointReader() {}

  /**
   * @throws IOException or {@link IllegalArgumentException} with the reason why the bytes are none
   */
  static TrainingCheckpoint read(ByteBuffer bytes) throws IOException {
    FlatTable checkpoint = FlatTable.root(bytes, CheckpointSchema.IDENTIFIER);
    int version = checkpoint.int32(Checkpoint.VERSION, 0);
    if (version != CheckpointSchema.VERSION) {
      throw new IOException(
          "it has format version %d where %d is understood"
              .formatted(version, CheckpointSchema.VERSION));
    }
    FlatTable module = checkpoint.table(Checkpoint.MODULE_STATE);
    if (module.bool(ModuleState.IS_NOMINAL_STATE)) {
      throw new IOException("it holds the names of parameters without their values");
    }
    if (module.bool(ModuleState.HAS_EXTERNAL_DATA)) {
      throw new IOException("it keeps its values in a second file, which is not supported");
    }
    return new TrainingCheckpoint(
        parameters(module, ModuleState.REQUIRES_GRAD_PARAMS),
        parameters(module, ModuleState.FROZEN_PARAMS),
        optimizer(checkpoint),
        properties(checkpoint));
  }

  private static List<NamedTensor> parameters(FlatTable module, ModuleState field)
      throws IOException {
    List<NamedTensor> parameters = new ArrayList<>();
    for (FlatTable parameter : module.tables(field)) {
      parameters.add(tensor(parameter.string(Tensor.NAME), parameter));
    }
    return parameters;
  }

  private static NamedTensor tensor(String name, FlatTable tensor) throws IOException {
    int code = tensor.int32(Tensor.DATA_TYPE, 0);
    ElementType type =
        ElementType.ofFiles().stream()
            .filter(known -> known.onnxCode() == code)
            .findFirst()
            .orElseThrow(
                () -> new IOException("tensor " + name + " has the unknown ONNX type " + code));
    if (tensor.has(Tensor.STRING_DATA) || tensor.int64(Tensor.EXTERNAL_DATA_OFFSET, -1) != -1) {
      throw new IOException("tensor " + name + " does not lie in this file as numbers");
    }
    if (tensor.has(Tensor.DOC_STRING)) {
      tensor.string(Tensor.DOC_STRING); // Of no use, but the runtime refuses a broken one.
    }
    return new NamedTensor(name, type, tensor.int64s(Tensor.DIMS), tensor.bytes(Tensor.RAW_DATA));
  }

  private static Optional<OptimizerState> optimizer(FlatTable checkpoint) throws IOException {
    List<FlatTable> groups = optional(checkpoint, Checkpoint.OPTIMIZER_GROUPS);
    if (groups.isEmpty()) {
      return Optional.empty();
    }
    FlatTable group = groups.get(0);
    if (groups.size() > 1
        || !group.string(OptimizerGroup.GROUP_NAME).equals(CheckpointSchema.OPTIMIZER_GROUP)) {
      throw new IOException("it has other optimizer groups than the runtime's only one");
    }
    List<NamedTensor> first = new ArrayList<>();
    List<NamedTensor> second = new ArrayList<>();
    for (FlatTable state : group.tables(OptimizerGroup.OPTIMIZER_STATES)) {
      String parameter = state.string(ParameterOptimizerState.PARAM_NAME);
      Map<String, NamedTensor> moments = new HashMap<>();
      for (FlatTable moment : state.tables(ParameterOptimizerState.MOMENTUMS)) {
        moments.put(moment.string(Tensor.NAME), tensor(parameter, moment));
      }
      first.add(moment(CheckpointSchema.FIRST_MOMENT, moments, parameter));
      second.add(moment(CheckpointSchema.SECOND_MOMENT, moments, parameter));
    }
    return Optional.of(
        new OptimizerState(
            group.int64(OptimizerGroup.STEP, 0),
            group.float32(OptimizerGroup.INITIAL_LEARNING_RATE, 0),
            first,
            second));
  }

  private static NamedTensor moment(String name, Map<String, NamedTensor> moments, String parameter)
      throws IOException {
    NamedTensor moment = moments.get(name);
    if (moment == null || moments.size() != 2) {
      throw new IOException("parameter " + parameter + " has not the two moments of Adam");
    }
    return moment;
  }

  private static Properties properties(FlatTable checkpoint) throws IOException {
    Map<String, Long> integers = new HashMap<>();
    Map<String, Float> floats = new HashMap<>();
    Map<String, String> strings = new HashMap<>();
    if (checkpoint.has(Checkpoint.PROPERTY_BAG)) {
      FlatTable bag = checkpoint.table(Checkpoint.PROPERTY_BAG);
      for (FlatTable property : optional(bag, PropertyBag.INTS)) {
        integers.put(property.string(Property.NAME), property.int64(Property.VALUE, 0));
      }
      for (FlatTable property : optional(bag, PropertyBag.FLOATS)) {
        floats.put(property.string(Property.NAME), property.float32(Property.VALUE, 0));
      }
      for (FlatTable property : optional(bag, PropertyBag.STRINGS)) {
        strings.put(property.string(Property.NAME), property.string(Property.VALUE));
      }
    }
    return new Properties(integers, floats, strings);
  }

  private static List<FlatTable> optional(FlatTable table, Enum<?> field) throws IOException {
    return table.has(field) ? table.tables(field) : List.of();
  }
}
