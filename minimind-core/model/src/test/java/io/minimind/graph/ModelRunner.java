package io.minimind.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.minimind.weights.NamedTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Runs a model through ONNX Runtime on the CPU. */
public final class ModelRunner implements AutoCloseable {

  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  private final OrtSession session;

  private ModelRunner(OrtSession session) {
    this.session = session;
  }

  public static ModelRunner of(ModelProto model) {
    return open(options -> ENVIRONMENT.createSession(model.toByteArray(), options));
  }

  /** A model whose weights may lie in files next to it. */
  public static ModelRunner load(Path file) {
    return open(options -> ENVIRONMENT.createSession(file.toString(), options));
  }

  private interface Opening {
    OrtSession apply(OrtSession.SessionOptions options) throws OrtException;
  }

  private static ModelRunner open(Opening opening) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      return new ModelRunner(opening.apply(options));
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  /** All outputs of the model by their names. */
  public Map<String, NamedTensor> run(Collection<NamedTensor> inputs) {
    Map<String, OnnxTensor> feeds = new HashMap<>();
    try {
      for (NamedTensor input : inputs) {
        feeds.put(input.name(), tensor(input));
      }
      try (OrtSession.Result result = session.run(feeds)) {
        Map<String, NamedTensor> outputs = new LinkedHashMap<>();
        for (Map.Entry<String, OnnxValue> output : result) {
          outputs.put(output.getKey(), copy(output.getKey(), (OnnxTensor) output.getValue()));
        }
        return outputs;
      }
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    } finally {
      feeds.values().forEach(OnnxTensor::close);
    }
  }

  /** An int64 tensor. */
  public static NamedTensor longs(String name, long[] values, long... shape) {
    ByteBuffer data = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    data.asLongBuffer().put(values);
    return new NamedTensor(name, ElementType.INT64, shape, data);
  }

  /** An int32 tensor. */
  public static NamedTensor integers(String name, int[] values, long... shape) {
    ByteBuffer data = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asIntBuffer().put(values);
    return new NamedTensor(name, ElementType.INT32, shape, data);
  }

  /** The elements of a floating point tensor. */
  public static double[] doubles(NamedTensor tensor) {
    ByteBuffer data = tensor.data();
    boolean wide = tensor.type() == ElementType.FLOAT64;
    return IntStream.range(0, (int) tensor.elements())
        .mapToDouble(i -> wide ? data.getDouble(8 * i) : data.getFloat(4 * i))
        .toArray();
  }

  private static OnnxTensor tensor(NamedTensor input) throws OrtException {
    ByteBuffer data = ByteBuffer.allocateDirect(input.data().capacity());
    data.order(ByteOrder.nativeOrder()).put(input.data()).rewind();
    return OnnxTensor.createTensor(ENVIRONMENT, data, input.shape(), javaType(input.type()));
  }

  /** What a run of a decoder leaves behind, as the past of the next one. */
  public static List<NamedTensor> pastOf(Map<String, NamedTensor> outputs) {
    return outputs.values().stream()
        .filter(output -> output.name().startsWith("present."))
        .map(
            output ->
                new NamedTensor(
                    output.name().replace("present.", "past_key_values."),
                    output.type(),
                    output.shape(),
                    output.data()))
        .toList();
  }

  private static OnnxJavaType javaType(ElementType type) {
    return switch (type) {
      case FLOAT32 -> OnnxJavaType.FLOAT;
      case FLOAT64 -> OnnxJavaType.DOUBLE;
      case UINT8 -> OnnxJavaType.UINT8;
      case INT32 -> OnnxJavaType.INT32;
      case INT64 -> OnnxJavaType.INT64;
      case BOOL -> OnnxJavaType.BOOL;
      case FLOAT16 -> OnnxJavaType.FLOAT16;
      case BFLOAT16 -> OnnxJavaType.BFLOAT16;
    };
  }

  private static NamedTensor copy(String name, OnnxTensor tensor) {
    for (ElementType type : ElementType.values()) {
      if (javaType(type) == tensor.getInfo().type) {
        return new NamedTensor(name, type, tensor.getInfo().getShape(), tensor.getByteBuffer());
      }
    }
    throw new IllegalStateException("Output " + name + " has the type " + tensor.getInfo().type);
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
