package io.minimind.infer;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.minimind.files.ModelFiles;
import io.minimind.infer.graph.DecoderGraph;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A session of the runtime over {@code model.onnx}, with weights in memory of its own: whatever
 * happens to the files afterwards, it goes on. The graph was checked, and what was checked is what
 * the runtime gets. Or one over a graph and weights in memory of others.
 *
 * @param weights that are read where they lie
 * @param memory in which they lie, if it is freed with them
 * @param positions how many positions the graph knows
 */
record GraphSession(
    OrtSession session, List<OnnxTensor> weights, List<ByteBuffer> memory, long positions)
    implements AutoCloseable {

  static GraphSession open(ModelFolder files, LoadOptions settings)
      throws IOException, OrtException {
    Path model = files.file(ModelFiles.DECODER);
    OrtEnvironment environment = RuntimeEnvironment.start();
    try (OrtSession.SessionOptions options = options(settings)) {
      if (settings.foreignGraphs()) {
        OrtSession session = environment.createSession(model.toString(), options);
        return new GraphSession(session, List.of(), List.of(), Integer.MAX_VALUE);
      }
      ByteBuffer bytes = read(model);
      DecoderGraph graph = DecoderGraph.check(bytes.duplicate(), model);
      if (settings.mappedWeights()) {
        OrtSession session = environment.createSession(model.toString(), options);
        return new GraphSession(session, List.of(), List.of(), graph.positions());
      }
      return read(environment, bytes, graph, model.resolveSibling(ModelFiles.WEIGHTS), options);
    }
  }

  private static GraphSession read(
      OrtEnvironment environment,
      ByteBuffer model,
      DecoderGraph graph,
      Path file,
      OrtSession.SessionOptions options)
      throws IOException, OrtException {
    List<OnnxTensor> copied = new ArrayList<>();
    List<OnnxTensor> tables = new ArrayList<>();
    List<ByteBuffer> memoryOfCopied = new ArrayList<>();
    List<ByteBuffer> memoryOfTables = new ArrayList<>();
    try {
      Map<String, OnnxTensorLike> weights = new HashMap<>();
      try (FileChannel channel = graph.weights().isEmpty() ? null : FileChannel.open(file)) {
        for (DecoderGraph.Weight weight : graph.weights()) {
          boolean table = graph.tables().contains(weight.name());
          ByteBuffer bytes = NativeMemory.read(channel, weight.offset(), weight.length(), file);
          (table ? memoryOfTables : memoryOfCopied).add(bytes);
          OnnxTensor tensor = tensor(environment, weight, bytes);
          (table ? tables : copied).add(tensor);
          weights.put(weight.name(), tensor);
          if (table) {
            options.addInitializer(weight.name(), tensor); // Is read where it lies.
          }
        }
      }
      options.addExternalInitializers(weights);
      OrtSession session = environment.createSession(model, options);
      return new GraphSession(session, tables, memoryOfTables, graph.positions());
    } catch (IOException | OrtException | RuntimeException | Error e) {
      tables.forEach(OnnxTensor::close);
      memoryOfTables.forEach(NativeMemory::free);
      throw e;
    } finally {
      // The session has copies, laid out as its products want them.
      copied.forEach(OnnxTensor::close);
      memoryOfCopied.forEach(NativeMemory::free);
    }
  }

  private static OnnxTensor tensor(
      OrtEnvironment environment, DecoderGraph.Weight weight, ByteBuffer bytes)
      throws OrtException {
    long[] shape = weight.shape().stream().mapToLong(extent -> extent).toArray();
    return OnnxTensor.createTensor(
        environment, bytes, shape, weight.isFloat() ? OnnxJavaType.FLOAT : OnnxJavaType.UINT8);
  }

  /** Over a graph in memory, with weights that stay where they are. */
  static GraphSession open(DecoderInMemory model, LoadOptions settings)
      throws IOException, OrtException {
    OrtEnvironment environment = RuntimeEnvironment.start();
    Map<String, OnnxTensor> weights = new HashMap<>();
    try (OrtSession.SessionOptions options = options(settings)) {
      for (DecoderInMemory.Weight weight : model.weights()) {
        OnnxTensor tensor = OnnxTensor.createTensor(environment, weight.values(), weight.shape());
        weights.put(weight.name(), tensor);
        // Not addExternalInitializers: the runtime would copy them.
        options.addInitializer(weight.name(), tensor);
      }
      if (!model.fixed()) {
        options.addConfigEntry("session.disable_prepacking", "1");
      }
      OrtSession session = environment.createSession(model.graph(), options);
      return new GraphSession(session, List.copyOf(weights.values()), List.of(), Integer.MAX_VALUE);
    } catch (OrtException | RuntimeException | Error e) {
      weights.values().forEach(OnnxTensor::close);
      throw e;
    }
  }

  private static OrtSession.SessionOptions options(LoadOptions settings) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    try {
      options.setIntraOpNumThreads(settings.threads());
      if (!settings.spinning()) {
        options.addConfigEntry("session.intra_op.allow_spinning", "0");
      } else if (settings.batchSize() > 1) {
        // Readers need a processor between two steps, and threads that wait busily for the next
        // step would keep it from them.
        options.addConfigEntry("session.force_spinning_stop", "1");
      }
      settings.provider().addTo(options);
      // Failures arrive as exceptions; the log would only repeat them on the console.
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      return options;
    } catch (OrtException | RuntimeException | Error e) {
      options.close();
      throw e;
    }
  }

  private static ByteBuffer read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return NativeMemory.read(channel, 0, channel.size(), file);
    }
  }

  /** Frees the session, and the weights after it. */
  @Override
  public void close() throws OrtException {
    session.close();
    weights.forEach(OnnxTensor::close);
    memory.forEach(NativeMemory::free);
  }
}
