package io.minimind.verify;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.minimind.graph.Dimension;
import io.minimind.graph.ElementType;
import io.minimind.graph.Graph;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.model.Transformer;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the gates of a mixture of experts choose, and the loss that balances them. */
final class RoutingCases {

  private static final String NAME = "moe_gate";
  private static final double LIMIT = 1e-4;

  /**
   * @param inputIds [rows][length]
   */
  private record Reference(GoldenConfig config, long[][] inputIds, List<Layer> perLayer) {}

  /**
   * @param experts [tokens][chosen], in any order
   * @param weights of these experts
   */
  private record Layer(double auxLoss, long[][] experts, float[][] weights) {}

  private RoutingCases() {}

  /**
   * @throws IOException if the references are missing or damaged
   */
  static List<Case> of(GoldenFolder golden) throws IOException {
    Reference reference = golden.read(NAME, Reference.class);
    ModelConfig config = reference.config.balancedModel();
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = environment.createSession(graph(config).toModel().toByteArray())) {
      inputs.put("input_ids", OnnxTensor.createTensor(environment, reference.inputIds));
      for (NamedTensor weight : golden.parameters(NAME, config)) {
        inputs.put(
            weight.name(), OnnxTensor.createTensor(environment, weight.floats(), weight.shape()));
      }
      try (OrtSession.Result outputs = session.run(inputs)) {
        return compare(reference, outputs);
      }
    } catch (OrtException e) {
      throw new IllegalStateException("The graph of the gates failed to compute.", e);
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private static Graph graph(ModelConfig config) {
    Operators op = new Operators(new Graph("gates"));
    Graph graph = op.graph();
    Shape rows = Shape.of(Dimension.symbol("batch"), Dimension.symbol("length"));
    Tensor ids = graph.input("input_ids", ElementType.INT64, rows);
    Transformer transformer = new Transformer(op, config);
    // The training graphs declare all parameters, whether an output depends on them or not.
    graph.output("logits", transformer.logits(ids));
    for (int layer = 0; layer < config.layers(); layer++) {
      graph.output("chosen." + layer, transformer.routings().get(layer).chosen());
      graph.output("weights." + layer, transformer.routings().get(layer).weights());
    }
    transformer.balanceLoss(rows).ifPresent(loss -> graph.output("balance_loss", loss));
    return graph;
  }

  private static List<Case> compare(Reference reference, OrtSession.Result outputs) {
    Worst experts = new Worst();
    Worst weights = new Worst();
    double balance = 0;
    for (int layer = 0; layer < reference.perLayer.size(); layer++) {
      Layer expected = reference.perLayer.get(layer);
      LongBuffer chosen = output(outputs, "chosen." + layer).getLongBuffer();
      FloatBuffer weighted = output(outputs, "weights." + layer).getFloatBuffer();
      for (int token = 0; token < expected.experts.length; token++) {
        Map<Long, Float> found = new HashMap<>();
        for (int i = 0; i < expected.experts[token].length; i++) {
          found.put(chosen.get(), weighted.get());
        }
        String place = "layer " + layer + ", token " + token;
        int others = 0;
        for (int i = 0; i < expected.experts[token].length; i++) {
          Float weight = found.get(expected.experts[token][i]);
          others += weight == null ? 1 : 0;
          double difference = weight == null ? 1 : Math.abs(weight - expected.weights[token][i]);
          weights.add(place, difference);
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
        experts.against(NAME + " experts", 0),
        weights.against(NAME + " weights", LIMIT),
        loss.against(NAME + " balance loss", LIMIT));
  }

  private static OnnxTensor output(OrtSession.Result outputs, String name) {
    return (OnnxTensor) outputs.get(name).orElseThrow();
  }
}
