package io.minimind.verify;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.model.Routing;
import io.minimind.model.TensorNames;
import io.minimind.model.Transformer;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How the routers of MiniMind's third version choose, and the loss that balances them. */
final class HeadRoutingCases {

  private static final double LIMIT = 1e-5;

  /**
   * @param weights the file of the weights
   * @param inputIds [micro-batches][rows][length]
   * @param firstBatchLayers of the first micro-batch
   */
  private record Reference(
      JsonNode config, String weights, long[][][] inputIds, List<Layer> firstBatchLayers) {}

  /**
   * @param scores [tokens][experts]
   * @param experts [tokens][chosen], in any order
   * @param weights of these experts
   */
  private record Layer(float[][] scores, long[][] experts, float[][] weights, double auxLoss) {}

  private HeadRoutingCases() {}

  /**
   * @param name of the run's files in the folder
   * @throws IOException if the references are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, String name) throws IOException {
    Reference reference = golden.read(name, Reference.class);
    ModelConfig config = HeadConfig.of(reference.config);
    String file = reference.weights.replace(".safetensors", "");
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = environment.createSession(graph(config).toModel().toByteArray())) {
      inputs.put("input_ids", OnnxTensor.createTensor(environment, reference.inputIds[0]));
      for (NamedTensor weight : golden.parameters(file, config, TensorNames.TRANSFORMERS)) {
        inputs.put(
            weight.name(), OnnxTensor.createTensor(environment, weight.floats(), weight.shape()));
      }
      try (OrtSession.Result outputs = session.run(inputs)) {
        return compare(name, reference, outputs);
      }
    } catch (OrtException e) {
      throw new IllegalStateException("The graph of the routers failed to compute.", e);
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private static Graph graph(ModelConfig config) {
    Operators op = new Operators(new Graph("routers"));
    Graph graph = op.graph();
    Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
    Tensor ids = graph.input("input_ids", ElementType.INT64, rows);
    Transformer transformer = new Transformer(op, config);
    graph.output("logits", transformer.logits(ids));
    for (int layer = 0; layer < config.layers(); layer++) {
      Routing routing = transformer.routings().get(layer);
      graph.output("scores." + layer, routing.scores());
      graph.output("chosen." + layer, routing.chosen());
      graph.output("weights." + layer, routing.weights());
    }
    transformer.balanceLoss(rows).ifPresent(loss -> graph.output("balance_loss", loss));
    return graph;
  }

  private static List<Case> compare(String name, Reference reference, OrtSession.Result outputs) {
    Worst scores = new Worst();
    Worst experts = new Worst();
    Worst weights = new Worst();
    double balance = 0;
    for (int layer = 0; layer < reference.firstBatchLayers.size(); layer++) {
      Layer expected = reference.firstBatchLayers.get(layer);
      FloatBuffer scored = output(outputs, "scores." + layer).getFloatBuffer();
      LongBuffer chosen = output(outputs, "chosen." + layer).getLongBuffer();
      FloatBuffer weighted = output(outputs, "weights." + layer).getFloatBuffer();
      for (int token = 0; token < expected.experts.length; token++) {
        String place = "layer " + layer + ", token " + token;
        for (float score : expected.scores[token]) {
          scores.add(place, Math.abs(score - scored.get()));
        }
        Map<Long, Float> found = new HashMap<>();
        for (int i = 0; i < expected.experts[token].length; i++) {
          found.put(chosen.get(), weighted.get());
        }
        int others = 0;
        for (int i = 0; i < expected.experts[token].length; i++) {
          Float weight = found.get(expected.experts[token][i]);
          others += weight == null ? 1 : 0;
          weights.add(place, weight == null ? 1 : Math.abs(weight - expected.weights[token][i]));
        }
        experts.add(place, others);
      }
      balance += expected.auxLoss;
    }
    Worst loss = new Worst();
    // There is none where its weight is 0.
    double found =
        outputs
            .get("balance_loss")
            .map(tensor -> ((OnnxTensor) tensor).getFloatBuffer().get())
            .orElse(0f);
    loss.add("the sum over the layers", Math.abs(found - balance));
    return List.of(
        scores.against(name + " scores", LIMIT),
        experts.against(name + " experts", 0),
        weights.against(name + " weights", LIMIT),
        loss.against(name + " balance loss", LIMIT));
  }

  private static OnnxTensor output(OrtSession.Result outputs, String name) {
    return (OnnxTensor) outputs.get(name).orElseThrow();
  }
}
