package io.minimind.artifact;

import static io.minimind.graph.ElementType.INT32;
import static io.minimind.graph.ElementType.INT64;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.minimind.files.DecoderNames;
import io.minimind.graph.Dimension;
import io.minimind.graph.Graph;
import io.minimind.graph.Graph.ExternalData;
import io.minimind.graph.Operator;
import io.minimind.graph.Shape;
import io.minimind.graph.Specification;
import io.minimind.graph.Specification.Attribute;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Attention.Past;
import io.minimind.graph.operator.Attention.Positions;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.model.Transformer;
import java.util.List;
import java.util.Map;

/**
 * A decoder graph as onnxruntime-genai feeds one. It differs from {@link DecoderArtifact} in how
 * positions are told and in which logits it gives:
 *
 * <ul>
 *   <li>input {@code input_ids}, int64 [batch, length];
 *   <li>input {@code attention_mask}, int64 [batch, past and new tokens], 1 for a token and 0 for
 *       what fills a row up behind;
 *   <li>keys and values as in {@link DecoderNames}, whose present may be the memory of the past;
 *   <li>output {@code logits}, float32 [batch, 1, vocabulary], after the last token of each row.
 * </ul>
 */
public final class GenaiDecoder {

  /** Which positions hold tokens. */
  public static final String ATTENTION_MASK = "attention_mask";

  private GenaiDecoder() {}

  /**
   * @param precision how matrices are kept
   * @param weights where each parameter lies in a file next to the model
   */
  public static ModelProto create(
      ModelConfig config, Precision precision, Map<String, ExternalData> weights) {
    Operators op = new Operators(new Graph("decoder"));
    Graph graph = op.graph();
    Transformer transformer = new Transformer(op, config, precision);
    Dimension batch = Dimension.symbol("batch");
    Dimension length = Dimension.symbol("length");
    Dimension total = Dimension.symbol("total");
    Tensor ids = graph.input(DecoderNames.INPUT_IDS, INT64, Shape.of(batch, length));
    Tensor mask = graph.input(ATTENTION_MASK, INT64, Shape.of(batch, total));
    List<Past> past = DecoderArtifact.past(graph, config, batch);
    Tensor last = op.subtract(op.sum(mask, 1), op.integers(1));
    Positions positions =
        new Positions(
            op.reshape(op.cast(last, INT32), Shape.of(batch)),
            op.reshape(op.cast(op.extent(total), INT32), Shape.SCALAR));
    Tensor hiddenStates = transformer.hiddenStates(ids, past, positions);
    Shape perRow = Shape.of(batch, length, Dimension.of(config.hiddenSize()));
    // Of a prompt that is filled up the last token is not the last column; of a step it is.
    Tensor column = op.minimum(last, op.subtract(op.extent(length), op.integers(1)));
    Tensor chosen = op.apply(new OneOfEachRow(), op.reshape(hiddenStates, perRow), column);
    Shape logits = Shape.of(batch, Dimension.of(1), Dimension.of(config.vocabularySize()));
    graph.output(DecoderNames.LOGITS, op.reshape(transformer.head(chosen), logits));
    DecoderArtifact.present(graph, transformer);
    return graph.toModel(weights);
  }

  /**
   * Of [rows, columns, width] and int64 [rows, 1] the columns with these indices, [rows, width].
   */
  private record OneOfEachRow() implements Operator {

    private static final Specification SPECIFICATION =
        Specification.onnx("GatherND", 13, 2).with("batch_dims", Attribute.INTEGER);

    @Override
    public Specification specification() {
      return SPECIFICATION;
    }

    @Override
    public Map<String, Object> attributes() {
      return Map.of("batch_dims", 1L);
    }

    @Override
    public List<Result> results(List<Tensor> inputs) {
      Shape rows = inputs.get(0).shape();
      return List.of(
          new Result(inputs.get(0).type(), Shape.of(rows.dimension(0), rows.dimension(2))));
    }
  }
}
