package io.minimind.artifact;

import static io.minimind.graph.ElementType.FLOAT32;
import static io.minimind.graph.ElementType.INT32;
import static io.minimind.graph.ElementType.INT64;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import io.minimind.files.DecoderNames;
import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Graph.ExternalData;
import io.minimind.graph.Shape;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.Operators;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.model.TrainingPrecision;
import io.minimind.model.Transformer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The decoder graph {@code model.onnx}: the next tokens' logits from new tokens and the key/value
 * cache of earlier ones.
 *
 * <p>{@link DecoderNames} has its inputs and outputs with their types and shapes. The present keys
 * and values may be the same memory as the past ones. The metadata {@link
 * DecoderNames#CONTEXT_LENGTH} is the number of positions that the graph knows.
 */
public final class DecoderArtifact {

  private DecoderArtifact() {}

  /**
   * @param precision how matrices are kept
   * @param weights where each parameter lies in a file next to the model
   */
  public static ModelProto create(
      ModelConfig config, Precision precision, Map<String, ExternalData> weights) {
    Operators op = new Operators(new Graph("decoder"));
    return model(op, config, new Transformer(op, config, precision), graph -> weights);
  }

  /**
   * A float32 decoder whose weights lie in memory: they are named as data of a file that does not
   * exist, and whoever opens the graph must give each of them.
   *
   * @param adapters if there are any, they are weights of their own beside those that they adapt
   */
  public static ModelProto inMemory(ModelConfig config, Optional<LowRankAdapters> adapters) {
    Operators op = new Operators(new Graph("decoder"));
    Transformer transformer = new Transformer(op, config, adapters, TrainingPrecision.FLOAT32);
    return model(op, config, transformer, DecoderArtifact::nowhere);
  }

  private static Map<String, ExternalData> nowhere(Graph graph) {
    Map<String, ExternalData> places = new HashMap<>();
    for (Tensor parameter : graph.parameters()) {
      long bytes = parameter.shape().elements().extent() * parameter.type().bytes();
      places.put(parameter.name(), new ExternalData("memory", 0, bytes));
    }
    return places;
  }

  private static ModelProto model(
      Operators op,
      ModelConfig config,
      Transformer transformer,
      Function<Graph, Map<String, ExternalData>> weights) {
    Graph graph = op.graph();
    Dimension batch = Dimension.symbol("batch");
    Shape rows = Shape.of(batch, Dimension.symbol("length"));
    Tensor ids = graph.input(DecoderNames.INPUT_IDS, INT64, rows);
    Tensor lastPosition = graph.input(DecoderNames.LAST_POSITION, INT32, Shape.of(batch));
    Tensor total = graph.input(DecoderNames.TOTAL_LENGTH, INT32, Shape.SCALAR);
    Tensor positions =
        graph.input(DecoderNames.LOGIT_POSITIONS, INT64, Shape.of(Dimension.symbol("positions")));
    List<Past> past = past(graph, config, batch);
    Tensor hiddenStates = transformer.hiddenStates(ids, past, new Positions(lastPosition, total));
    graph.output(DecoderNames.LOGITS, transformer.head(op.gather(hiddenStates, positions)));
    Dimension width = Dimension.of(config.hiddenSize());
    Shape perRow = Shape.of(rows.dimension(0), rows.dimension(1), width);
    graph.output(DecoderNames.HIDDEN_STATES, op.reshape(hiddenStates, perRow));
    present(graph, transformer);
    StringStringEntryProto contextLength =
        StringStringEntryProto.newBuilder()
            .setKey(DecoderNames.CONTEXT_LENGTH)
            .setValue(Integer.toString(config.maxLength()))
            .build();
    return graph.toModel(weights.apply(graph)).toBuilder().addMetadataProps(contextLength).build();
  }

  /** Inputs for the keys and values of earlier positions. */
  static List<Past> past(Graph graph, ModelConfig config, Dimension batch) {
    Shape cache =
        Shape.of(
            batch,
            Dimension.of(config.keyValueHeads()),
            Dimension.symbol("capacity"),
            Dimension.of(config.cachedHeadSize()));
    List<Past> past = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      past.add(
          new Past(
              graph.input(DecoderNames.past(layer, DecoderNames.KEY), FLOAT32, cache),
              graph.input(DecoderNames.past(layer, DecoderNames.VALUE), FLOAT32, cache)));
    }
    return past;
  }

  /** Outputs with the keys and values of all positions. */
  static void present(Graph graph, Transformer transformer) {
    List<Attention> attentions = transformer.attentions();
    for (int layer = 0; layer < attentions.size(); layer++) {
      Attention attention = attentions.get(layer);
      graph.output(DecoderNames.present(layer, DecoderNames.KEY), attention.presentKey());
      graph.output(DecoderNames.present(layer, DecoderNames.VALUE), attention.presentValue());
    }
  }
}
