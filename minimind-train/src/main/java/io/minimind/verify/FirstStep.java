package io.minimind.verify;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.graph.ElementType;
import io.minimind.model.Parameter;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What graphs give for one batch, gradients included. It is computed by the inference API, whose
 * training build has no way to a GPU.
 */
record FirstStep(Map<String, FloatBuffer> outputs) {

  private static final double GRADIENTS_LIMIT = 1e-3;

  static FirstStep of(TrainingArtifacts artifacts, Batch batch, List<NamedTensor> weights) {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = environment.createSession(artifacts.gradients().toByteArray())) {
      for (Batch.Part part : batch.parts()) {
        OnnxJavaType type =
            part.input().type() == ElementType.INT64 ? OnnxJavaType.INT64 : OnnxJavaType.FLOAT;
        inputs.put(
            part.input().name(),
            OnnxTensor.createTensor(environment, part.memory(), batch.shape(part.input()), type));
      }
      inputs.put(TrainingArtifacts.GRADIENT_SCALE, OnnxTensor.createTensor(environment, 1f));
      for (NamedTensor weight : weights) {
        inputs.put(
            weight.name(), OnnxTensor.createTensor(environment, weight.floats(), weight.shape()));
      }
      inputs.keySet().retainAll(session.getInputNames());
      Map<String, FloatBuffer> outputs = new HashMap<>();
      try (OrtSession.Result result = session.run(inputs)) {
        for (Map.Entry<String, ?> output : result) {
          outputs.put(output.getKey(), ((OnnxTensor) output.getValue()).getFloatBuffer());
        }
      }
      return new FirstStep(outputs);
    } catch (OrtException e) {
      throw new IllegalStateException("The gradient graph failed to compute.", e);
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  FloatBuffer values(String output) {
    return outputs.get(output);
  }

  /**
   * Each difference is relative to the largest element, if one is not 0.
   *
   * @param prefix of the names in the file
   */
  Case gradients(String name, List<Parameter> parameters, SafetensorsFile file, String prefix)
      throws IOException {
    Worst worst = new Worst();
    for (Parameter parameter : parameters) {
      String theirs = prefix + TensorNames.TRANSFORMERS.of(parameter);
      FloatBuffer expected = GoldenFolder.tensor(file, theirs).floats();
      FloatBuffer found = values(parameter.name() + TrainingArtifacts.GRADIENT);
      double size = Worst.difference(expected, FloatBuffer.allocate(expected.remaining()));
      double difference = Worst.difference(expected, found);
      worst.add(theirs, size == 0 ? difference : difference / size);
    }
    return worst.against(name + " gradients", GRADIENTS_LIMIT);
  }
}
