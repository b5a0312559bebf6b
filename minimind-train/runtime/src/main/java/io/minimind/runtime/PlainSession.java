package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.minimind.weights.NamedTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.onnxruntime.OrtRunOptions;
import org.bytedeco.onnxruntime.OrtSession;
import org.bytedeco.onnxruntime.OrtSessionOptions;

/**
 * A graph that is run and not trained, on the CPU, by the runtime and with the kernels that train:
 * to see what training computes. It runs once at a time, and closing it waits for that.
 */
final class PlainSession implements AutoCloseable {

  private final OrtSession session = new OrtSession();
  private final List<String> inputs;
  private final List<String> outputs;

  private PlainSession(List<String> inputs, List<String> outputs) {
    this.inputs = inputs;
    this.outputs = outputs;
  }

  /**
   * @param threads threads within an operator, at least 1
   * @throws OnnxRuntimeException if the runtime refuses the graph
   */
  static PlainSession open(ModelProto model, int threads) {
    return open(model, threads, options -> OwnKernels.addTo(options, threads));
  }

  static PlainSession open(ModelProto model, int threads, Consumer<OrtSessionOptions> kernels) {
    OnnxRuntime.load();
    GraphProto graph = model.getGraph();
    PlainSession plain =
        new PlainSession(names(graph.getInputList()), names(graph.getOutputList()));
    OrtSessionOptions options = new OrtSessionOptions();
    byte[] bytes = model.toByteArray();
    try (BytePointer content = new BytePointer(bytes)) {
      check(API.CreateSessionOptions(options));
      check(API.SetIntraOpNumThreads(options, threads));
      kernels.accept(options);
      check(
          API.CreateSessionFromArray(
              OnnxRuntime.ENVIRONMENT, content, bytes.length, options, plain.session));
      return plain;
    } catch (RuntimeException | Error e) {
      plain.close();
      throw e;
    } finally {
      API.ReleaseSessionOptions(options);
    }
  }

  private static List<String> names(List<ValueInfoProto> values) {
    return values.stream().map(ValueInfoProto::getName).toList();
  }

  /**
   * Runs the graph.
   *
   * @param given its inputs by their names, and perhaps more
   * @return its outputs, which must be float32, by their names
   * @throws OnnxRuntimeException if an input is missing or an operator fails
   */
  synchronized Map<String, float[]> run(Collection<NamedTensor> given) {
    if (session.isNull()) {
      throw new IllegalStateException("The session is closed.");
    }
    Map<String, NamedTensor> byName =
        given.stream().collect(Collectors.toMap(NamedTensor::name, Function.identity()));
    List<Pointer> data = new ArrayList<>();
    try (Values in = new Values(inputs.size());
        Values out = new Values(outputs.size());
        PointerPointer<Pointer> inputNames = pointers(inputs, data);
        PointerPointer<Pointer> outputNames = pointers(outputs, data)) {
      for (int i = 0; i < inputs.size(); i++) {
        NamedTensor tensor = byName.get(inputs.get(i));
        if (tensor == null) {
          throw new OnnxRuntimeException(
              "The graph asks for the input %s, which is not given.".formatted(inputs.get(i)));
        }
        ByteBuffer bytes = tensor.data();
        BytePointer copy = new BytePointer(Math.max(1, bytes.remaining()));
        data.add(copy);
        copy.asByteBuffer().put(bytes);
        in.put(i, OnnxRuntime.CPU, copy, bytes.capacity(), tensor.type(), tensor.shape());
      }
      check(
          API.Run(
              session,
              (OrtRunOptions) null,
              inputNames,
              in.pointers,
              in.count,
              outputNames,
              out.count,
              out.pointers));
      Map<String, float[]> found = new LinkedHashMap<>();
      for (int i = 0; i < outputs.size(); i++) {
        found.put(outputs.get(i), Outputs.copy(out.floats(i)));
      }
      return found;
    } finally {
      data.forEach(Pointer::close);
    }
  }

  private static PointerPointer<Pointer> pointers(List<String> names, List<Pointer> owned) {
    PointerPointer<Pointer> pointers = new PointerPointer<>(names.size());
    for (int i = 0; i < names.size(); i++) {
      BytePointer name = new BytePointer(names.get(i));
      owned.add(name);
      pointers.put(i, name);
    }
    return pointers;
  }

  @Override
  public synchronized void close() {
    if (!session.isNull()) {
      API.ReleaseSession(session);
      session.setNull();
    }
  }
}
