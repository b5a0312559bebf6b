package io.minimind.infer;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A session of the runtime over {@code model.onnx}, with weights in memory of its own: whatever
 * happens to the files afterwards, it goes on. The graph was checked, and what was checked is what
 * the runtime gets. Or one over a graph and weights in memory of others.
 *
 * @param weights that are read where they lie
 * @param positions how many positions the graph knows
 */
record GraphSession(OrtSession session, WeightTensors weights, long positions)
    implements AutoCloseable {

  /** Where the runtime looks for the weights of a graph in memory. */
  private static final String FOLDER = "session.model_external_initializers_file_folder_path";

  static GraphSession open(ModelFolder files, LoadOptions settings)
      throws IOException, OrtException {
    Path model = files.file(ModelFiles.DECODER);
    OrtEnvironment environment = RuntimeEnvironment.start();
    try (OrtSession.SessionOptions options = options(settings)) {
      if (settings.foreignGraphs()) {
        OrtSession session = environment.createSession(model.toString(), options);
        return new GraphSession(session, WeightTensors.none(), Integer.MAX_VALUE);
      }
      ByteBuffer bytes = read(model);
      DecoderGraph graph = DecoderGraph.check(bytes.duplicate(), model);
      if (settings.mappedWeights()) {
        options.addConfigEntry(FOLDER, files.path().toAbsolutePath().toString());
      }
      Path file = model.resolveSibling(ModelFiles.WEIGHTS);
      return open(environment, bytes, graph, file, options, settings.mappedWeights());
    }
  }

  /**
   * @param mapped whether the runtime maps what does not last while it makes its copies of it, laid
   *     out as its products want them
   */
  private static GraphSession open(
      OrtEnvironment environment,
      ByteBuffer model,
      DecoderGraph graph,
      Path file,
      OrtSession.SessionOptions options,
      boolean mapped)
      throws IOException, OrtException {
    Map<Boolean, List<DecoderGraph.Weight>> weights =
        graph.weights().stream()
            .collect(Collectors.partitioningBy(each -> graph.lasting().contains(each.name())));
    try (WeightTensors copied =
        mapped ? WeightTensors.none() : WeightTensors.read(environment, file, weights.get(false))) {
      WeightTensors lasting = WeightTensors.read(environment, file, weights.get(true));
      try {
        for (Map.Entry<String, OnnxTensor> tensor : lasting.tensors().entrySet()) {
          options.addInitializer(tensor.getKey(), tensor.getValue()); // Is read where it lies.
        }
        Map<String, OnnxTensorLike> all = new HashMap<>(copied.tensors());
        all.putAll(lasting.tensors());
        options.addExternalInitializers(all);
        return new GraphSession(
            environment.createSession(model, options), lasting, graph.positions());
      } catch (OrtException | RuntimeException | Error e) {
        lasting.close();
        throw e;
      }
    }
  }

  /** Over a graph in memory, with weights that stay where they are. */
  static GraphSession open(DecoderInMemory model, LoadOptions settings)
      throws IOException, OrtException {
    OrtEnvironment environment = RuntimeEnvironment.start();
    WeightTensors weights = WeightTensors.of(environment, model.weights());
    try (OrtSession.SessionOptions options = options(settings)) {
      for (Map.Entry<String, OnnxTensor> weight : weights.tensors().entrySet()) {
        // Not addExternalInitializers: the runtime would copy them.
        options.addInitializer(weight.getKey(), weight.getValue());
      }
      if (!model.fixed()) {
        options.addConfigEntry("session.disable_prepacking", "1");
      }
      OrtSession session = environment.createSession(model.graph(), options);
      return new GraphSession(session, weights, Integer.MAX_VALUE);
    } catch (OrtException | RuntimeException | Error e) {
      weights.close();
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
    weights.close();
  }
}
