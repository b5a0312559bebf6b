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
 * @param positions how many positions the graph knows
 */
record GraphSession(OrtSession session, Map<String, OnnxTensor> weights, long positions)
    implements AutoCloseable {

  static GraphSession open(ModelFolder files, LoadOptions settings)
      throws IOException, OrtException {
    Path model = files.file(ModelFiles.DECODER);
    OrtEnvironment environment = RuntimeEnvironment.start();
    try (OrtSession.SessionOptions options = options(settings)) {
      if (settings.foreignGraphs()) {
        OrtSession session = environment.createSession(model.toString(), options);
        return new GraphSession(session, Map.of(), Integer.MAX_VALUE);
      }
      ByteBuffer bytes = read(model);
      DecoderGraph graph = DecoderGraph.check(bytes.duplicate(), model);
      if (settings.mappedWeights()) {
        OrtSession session = environment.createSession(model.toString(), options);
        return new GraphSession(session, Map.of(), graph.positions());
      }
      Path file = model.resolveSibling(ModelFiles.WEIGHTS);
      List<ByteBuffer> read = new ArrayList<>();
      Map<String, OnnxTensorLike> weights = new HashMap<>();
      try {
        readWeights(environment, file, graph, read, weights);
        options.addExternalInitializers(weights);
        return new GraphSession(
            environment.createSession(bytes, options), Map.of(), graph.positions());
      } finally {
        // The session has copies, laid out as its products want them.
        weights.values().forEach(OnnxTensorLike::close);
        read.forEach(NativeMemory::free);
      }
    }
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
      return new GraphSession(session, weights, Integer.MAX_VALUE);
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

  private static void readWeights(
      OrtEnvironment environment,
      Path file,
      DecoderGraph graph,
      List<ByteBuffer> read,
      Map<String, OnnxTensorLike> weights)
      throws IOException, OrtException {
    if (graph.weights().isEmpty()) {
      return;
    }
    try (FileChannel channel = FileChannel.open(file)) {
      for (DecoderGraph.Weight weight : graph.weights()) {
        ByteBuffer bytes = NativeMemory.read(channel, weight.offset(), weight.length(), file);
        read.add(bytes);
        weights.put(
            weight.name(),
            OnnxTensor.createTensor(
                environment,
                bytes,
                weight.shape().stream().mapToLong(extent -> extent).toArray(),
                weight.isFloat() ? OnnxJavaType.FLOAT : OnnxJavaType.UINT8));
      }
    }
  }

  /** Frees the session, and the weights after it. */
  @Override
  public void close() throws OrtException {
    session.close();
    weights.values().forEach(OnnxTensor::close);
  }
}
