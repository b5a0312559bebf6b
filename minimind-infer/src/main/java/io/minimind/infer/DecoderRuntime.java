package io.minimind.infer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The runtime's session of a decoder.
 *
 * @param weights handles on weights that lie in memory, none for a file
 */
record DecoderRuntime(OrtSession session, List<OnnxTensor> weights) implements AutoCloseable {

  /** Opens the decoder in a file, which refers to its weights. */
  static DecoderRuntime open(Path model, LoadOptions settings) throws OrtException {
    try (OrtSession.SessionOptions options = options(settings)) {
      return new DecoderRuntime(
          OrtEnvironment.getEnvironment().createSession(model.toString(), options), List.of());
    }
  }

  /** Opens a decoder in memory. */
  static DecoderRuntime open(DecoderInMemory model, LoadOptions settings) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    List<OnnxTensor> weights = new ArrayList<>();
    try (OrtSession.SessionOptions options = options(settings)) {
      for (DecoderInMemory.Weight weight : model.weights()) {
        OnnxTensor tensor =
            OnnxTensor.createTensor(environment, weight.values(), weight.shape());
        weights.add(tensor);
        // Not addExternalInitializers, which copies.
        options.addInitializer(weight.name(), tensor);
      }
      if (!model.fixed()) {
        options.addConfigEntry("session.disable_prepacking", "1");
      }
      OrtSession session = environment.createSession(model.graph(), options);
      return new DecoderRuntime(session, List.copyOf(weights));
    } catch (OrtException | RuntimeException | Error e) {
      weights.forEach(OnnxTensor::close);
      throw e;
    }
  }

  private static OrtSession.SessionOptions options(LoadOptions settings) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    try {
      options.setIntraOpNumThreads(settings.threads());
      settings.provider().addTo(options);
      // Failures arrive as exceptions; the log would only repeat them on the console.
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      return options;
    } catch (OrtException | RuntimeException | Error e) {
      options.close();
      throw e;
    }
  }

  /** Closes the session, and then the handles on what it reads. */
  @Override
  public void close() throws OrtException {
    session.close();
    weights.forEach(OnnxTensor::close);
  }
}
