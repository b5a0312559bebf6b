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
import io.minimind.model.Transformer;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the routers of a mixture of experts choose, and the loss that balances them. */
final class RoutingCases {

  private static final double LIMIT = 1e-5;

  /**
   * That of the first version.
   *
   * @param inputIds [rows][length]
   */
  private record First(GoldenConfig config, long[][] inputIds, List<Choice> perLayer) {}

  /**
   * That of the third version.
   *
   * @param weights the file of the weights
   * @param inputIds [micro-batches][rows][length]
   * @param firstBatchLayers of the first micro-batch
   */
  private record Third(
      JsonNode config, String weights, long[][][] inputIds, List<Scored> firstBatchLayers) {}

  private interface Layer {

    /** [tokens][experts], or none where they are not known. */
    default float[][] scores() {
      return new float[0][];
    }

    /** [tokens][chosen], in any order. */
    long[][] experts();

    /** Of these experts. */
    float[][] weights();

    double auxLoss();
  }

  private record Choice(long[][] experts, float[][] weights, double auxLoss) implements Layer {}

  private record Scored(float[][] scores, long[][] experts, float[][] weights, double auxLoss)
      implements Layer {}

  private RoutingCases() {}

  /**
   * Those of the first version.
   *
   * @param name of the files in the folder
   * @throws IOException if the references are missing or damaged
   */
  static List<Case> first(GoldenFolder golden, String name) throws IOException {
    First reference = golden.read(name, First.class);
    ModelConfig config = reference.config.balancedModel();
    return of(
        name, config, golden.parameters(name, config), reference.inputIds, reference.perLayer);
  }

  /**
   * Those of the third version.
   *
   * @param name of the run's files in the folder
   * @throws IOException if the references are missing or damaged
   */
  static List<Case> third(GoldenFolder golden, String name) throws IOException {
    Third reference = golden.read(name, Third.class);
    ModelConfig config = HeadConfig.of(reference.config);
    return of(
        name,
        config,
        HeadReference.parameters(golden, reference.weights, config),
        reference.inputIds[0],
        reference.firstBatchLayers);
  }

  private static List<Case> of(
      String name,
      ModelConfig config,
      List<NamedTensor> weights,
      long[][] inputIds,
      List<? extends Layer> layers) {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = environment.createSession(graph(config).toModel().toByteArray())) {
      inputs.put("input_ids", OnnxTensor.createTensor(environment, inputIds));
      for (NamedTensor weight : weights) {
        inputs.put(
            weight.name(), OnnxTensor.createTensor(environment, weight.floats(), weight.shape()));
      }
      try (OrtSession.Result outputs = session.run(inputs)) {
        return compare(name, layers, outputs);
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
    // The training graphs declare all parameters, whether an output depends on them or not.
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

  private static List<Case> compare(
      String name, List<? extends Layer> layers, OrtSession.Result outputs) {
    Worst scores = new Worst();
    Worst experts = new Worst();
    Worst weights = new Worst();
    double balance = 0;
    boolean scored = false;
    for (int layer = 0; layer < layers.size(); layer++) {
      Layer expected = layers.get(layer);
      FloatBuffer foundScores = output(outputs, "scores." + layer).getFloatBuffer();
      for (int token = 0; token < expected.scores().length; token++) {
        scored = true;
        for (float score : expected.scores()[token]) {
          scores.add(place(layer, token), Math.abs(score - foundScores.get()));
        }
      }
      LongBuffer chosen = output(outputs, "chosen." + layer).getLongBuffer();
      FloatBuffer weighted = output(outputs, "weights." + layer).getFloatBuffer();
      for (int token = 0; token < expected.experts().length; token++) {
        Map<Long, Float> found = new HashMap<>();
        for (int i = 0; i < expected.experts()[token].length; i++) {
          found.put(chosen.get(), weighted.get());
        }
        int others = 0;
        for (int i = 0; i < expected.experts()[token].length; i++) {
          Float weight = found.get(expected.experts()[token][i]);
          others += weight == null ? 1 : 0;
          double difference = weight == null ? 1 : Math.abs(weight - expected.weights()[token][i]);
          weights.add(place(layer, token), difference);
        }
        experts.add(place(layer, token), others);
      }
      balance += expected.auxLoss();
    }
    List<Case> cases = new ArrayList<>();
    if (scored) {
      cases.add(scores.against(name + " scores", LIMIT));
    }
    cases.add(experts.against(name + " experts", 0));
    cases.add(weights.against(name + " weights", LIMIT));
    cases.add(balance(outputs, balance).against(name + " balance loss", LIMIT));
    return cases;
  }

  private static Worst balance(OrtSession.Result outputs, double expected) {
    // There is none where its weight is 0.
    double found =
        outputs
            .get("balance_loss")
            .map(tensor -> ((OnnxTensor) tensor).getFloatBuffer().get())
            .orElse(0f);
    Worst worst = new Worst();
    worst.add("the sum over the layers", Math.abs(found - expected));
    return worst;
  }

  private static String place(int layer, int token) {
    return "layer " + layer + ", token " + token;
  }

  private static OnnxTensor output(OrtSession.Result outputs, String name) {
    return (OnnxTensor) outputs.get(name).orElseThrow();
  }
}
