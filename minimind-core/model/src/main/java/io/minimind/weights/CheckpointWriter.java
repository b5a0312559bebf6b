package io.minimind.weights;

import com.google.flatbuffers.FlatBufferBuilder;
import io.minimind.files.AtomicFile;
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
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Lays a {@link TrainingCheckpoint} out as a flatbuffer: first all tables, built in memory, then
 * the values of the tensors, which are streamed. The builder never sees the values: the fields that
 * point to them are plain numbers to it, set once the size of the tables is known.
 */
final class CheckpointWriter {

  private static final int ALIGNMENT = Long.BYTES;

  private final FlatBufferBuilder builder = new FlatBufferBuilder();
  private final List<Values> values = new ArrayList<>();
  private final ByteBuffer tables;
  private final long fileBytes;

  /**
   * Values to be streamed, and how far from the end of the tables the field that points to them
   * lies.
   */
  private record Values(int field, ByteBuffer data) {}

  CheckpointWriter(TrainingCheckpoint checkpoint) {
    // Fields that equal their default would be left out: also a zero that has a sign.
    builder.forceDefaults(true);
    builder.finish(checkpoint(checkpoint), CheckpointSchema.IDENTIFIER);
    tables = builder.dataBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
    long end = tables.limit();
    for (Values tensor : values) {
      int field = tables.limit() - tensor.field;
      long start = valuesStart(end);
      tables.putInt(field, (int) (start - Integer.BYTES - field));
      end = start + tensor.data.limit();
    }
    fileBytes = end;
  }

  void write(Path path) throws IOException {
    if (fileBytes >= Integer.MAX_VALUE) {
      throw new IOException(
          "Cannot write %s: the checkpoint needs %d bytes, and its format allows less than %d."
              .formatted(path, fileBytes, Integer.MAX_VALUE));
    }
    AtomicFile.replace(
        path,
        channel -> {
          AtomicFile.write(channel, tables.duplicate());
          for (Values tensor : values) {
            int gap = (int) (valuesStart(channel.position()) - channel.position());
            ByteBuffer length = ByteBuffer.allocate(gap).order(ByteOrder.LITTLE_ENDIAN);
            length.putInt(gap - Integer.BYTES, tensor.data.limit());
            AtomicFile.write(channel, length);
            AtomicFile.write(channel, tensor.data.duplicate());
          }
        });
  }

  /** Where values start that follow the given end: aligned, after room for their length. */
  private static long valuesStart(long end) {
    return (end + Integer.BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private int checkpoint(TrainingCheckpoint checkpoint) {
    int trainable = tensors(checkpoint.trainable());
    int frozen = tensors(checkpoint.frozen());
    start(ModuleState.values());
    offset(ModuleState.REQUIRES_GRAD_PARAMS, trainable);
    offset(ModuleState.FROZEN_PARAMS, frozen);
    int module = builder.endTable();
    int groups = vector(checkpoint.optimizer().stream().mapToInt(this::optimizerGroup).toArray());
    int properties = properties(checkpoint.properties());
    start(Checkpoint.values());
    builder.addInt(Checkpoint.VERSION.ordinal(), CheckpointSchema.VERSION, 0);
    offset(Checkpoint.MODULE_STATE, module);
    offset(Checkpoint.OPTIMIZER_GROUPS, groups);
    offset(Checkpoint.PROPERTY_BAG, properties);
    return builder.endTable();
  }

  private int tensors(List<NamedTensor> tensors) {
    return vector(tensors.stream().mapToInt(tensor -> tensor(tensor.name(), tensor)).toArray());
  }

  private int tensor(String name, NamedTensor tensor) {
    int nameText = builder.createString(name);
    long[] shape = tensor.shape();
    builder.startVector(Long.BYTES, shape.length, Long.BYTES);
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      builder.addLong(shape[axis]);
    }
    int dims = builder.endVector();
    start(Tensor.values());
    offset(Tensor.NAME, nameText);
    offset(Tensor.DIMS, dims);
    builder.addInt(Tensor.DATA_TYPE.ordinal(), tensor.type().onnxCode(), 0);
    builder.addInt(Tensor.RAW_DATA.ordinal(), -1, 0);
    values.add(new Values(builder.offset(), tensor.data()));
    return builder.endTable();
  }

  private int optimizerGroup(OptimizerState optimizer) {
    int[] states = new int[optimizer.firstMoments().size()];
    for (int i = 0; i < states.length; i++) {
      NamedTensor first = optimizer.firstMoments().get(i);
      int name = builder.createString(first.name());
      int moments =
          vector(
              tensor(CheckpointSchema.FIRST_MOMENT, first),
              tensor(CheckpointSchema.SECOND_MOMENT, optimizer.secondMoments().get(i)));
      start(ParameterOptimizerState.values());
      offset(ParameterOptimizerState.PARAM_NAME, name);
      offset(ParameterOptimizerState.MOMENTUMS, moments);
      states[i] = builder.endTable();
    }
    int all = vector(states);
    int name = builder.createString(CheckpointSchema.OPTIMIZER_GROUP);
    start(OptimizerGroup.values());
    offset(OptimizerGroup.GROUP_NAME, name);
    builder.addLong(OptimizerGroup.STEP.ordinal(), optimizer.step(), 0);
    builder.addFloat(
        OptimizerGroup.INITIAL_LEARNING_RATE.ordinal(), optimizer.initialLearningRate(), 0);
    offset(OptimizerGroup.OPTIMIZER_STATES, all);
    return builder.endTable();
  }

  private int properties(Properties properties) {
    int integers = properties(properties.integers());
    int floats = properties(properties.floats());
    int strings = properties(properties.strings());
    start(PropertyBag.values());
    offset(PropertyBag.INTS, integers);
    offset(PropertyBag.FLOATS, floats);
    offset(PropertyBag.STRINGS, strings);
    return builder.endTable();
  }

  private int properties(Map<String, ?> properties) {
    return vector(
        new TreeMap<>(properties)
            .entrySet().stream()
                .mapToInt(property -> property(property.getKey(), property.getValue()))
                .toArray());
  }

  private int property(String name, Object value) {
    int nameText = builder.createString(name);
    int text = value instanceof String string ? builder.createString(string) : 0;
    start(Property.values());
    offset(Property.NAME, nameText);
    if (value instanceof Long integer) {
      builder.addLong(Property.VALUE.ordinal(), integer, 0);
    } else if (value instanceof Float number) {
      builder.addFloat(Property.VALUE.ordinal(), number, 0);
    } else {
      offset(Property.VALUE, text);
    }
    return builder.endTable();
  }

  private int vector(int... tables) {
    return builder.createVectorOfTables(tables);
  }

  private void start(Enum<?>[] fields) {
    builder.startTable(fields.length);
  }

  private void offset(Enum<?> field, int target) {
    builder.addOffset(field.ordinal(), target, 0);
  }
}
