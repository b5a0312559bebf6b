package io.minimind.artifact;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.minimind.graph.ElementType;
import io.minimind.graph.Specification;
import io.minimind.graph.Target;
import java.util.List;
import java.util.Optional;

/**
 * The optimizer artifact: AdamW over sequences of tensors. ONNX Runtime's training API compares the
 * names and the order of its inputs literally. On a target with kernels of this project the
 * operator is this project's, too, which no session runs: the file says what it is to do.
 */
final class OptimizerModel {

  private static final String BETA_1 = "alpha";
  private static final String BETA_2 = "beta";
  private static final String EPSILON = "epsilon";
  private static final String WEIGHT_DECAY = "weight_decay";

  private OptimizerModel() {}

  static ModelProto create(OptimizerSettings settings, Target target) {
    String domain =
        target.hasOwnKernels(ElementType.FLOAT32) ? Specification.OWN : Specification.MICROSOFT;
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("optimizer")
            .addInput(vector("learning_rate", DataType.FLOAT))
            .addInput(vector("step", DataType.INT64))
            .addInput(sequence("params"))
            .addInput(sequence("gradients"))
            .addInput(sequence("first_order_moments"))
            .addInput(sequence("second_order_moments"))
            .addOutput(vector("updated_flag", DataType.BOOL));
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType("AdamWOptimizer")
            .setDomain(domain)
            .addAllInput(
                List.of(
                    "learning_rate",
                    "step",
                    "params",
                    "gradients",
                    "first_order_moments",
                    "second_order_moments"))
            // The operator writes into its inputs. Its other outputs would be copies of these,
            // which
            // the training API fetches in each step, from a GPU to the host.
            .addOutput("updated_flag")
            .addAttribute(real(BETA_1, settings.beta1()))
            .addAttribute(real(BETA_2, settings.beta2()))
            .addAttribute(real(EPSILON, settings.epsilon()))
            .addAttribute(real(WEIGHT_DECAY, settings.weightDecay()))
            // Mode 0 decays the weights first and corrects the bias, as PyTorch's AdamW does.
            .addAttribute(integer("adam_mode", 0))
            .addAttribute(integer("correct_bias", 1)));
    return ModelProto.newBuilder()
        .setIrVersion(9)
        .setProducerName("minimind")
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(1))
        .setGraph(graph)
        .build();
  }

  /** What an optimizer of this project is to do; nothing if the model is one of the runtime's. */
  static Optional<OptimizerSettings> ownSettings(ModelProto model) {
    return model.getGraph().getNodeList().stream()
        .filter(node -> node.getDomain().equals(Specification.OWN))
        .findFirst()
        .map(
            node ->
                new OptimizerSettings(
                    real(node, BETA_1),
                    real(node, BETA_2),
                    real(node, EPSILON),
                    real(node, WEIGHT_DECAY),
                    Float.POSITIVE_INFINITY));
  }

  private static float real(NodeProto node, String name) {
    return node.getAttributeList().stream()
        .filter(attribute -> attribute.getName().equals(name))
        .findFirst()
        .map(AttributeProto::getF)
        .orElse(Float.NaN);
  }

  private static AttributeProto real(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.FLOAT)
        .setF(value)
        .build();
  }

  private static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private static ValueInfoProto vector(String name, DataType type) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    shape.addDimBuilder().setDimValue(1);
    return value(name, TypeProto.newBuilder().setTensorType(tensor(type).setShape(shape)));
  }

  private static ValueInfoProto sequence(String name) {
    TypeProto element = TypeProto.newBuilder().setTensorType(tensor(DataType.FLOAT)).build();
    return value(
        name,
        TypeProto.newBuilder()
            .setSequenceType(TypeProto.Sequence.newBuilder().setElemType(element)));
  }

  private static TypeProto.Tensor.Builder tensor(DataType type) {
    return TypeProto.Tensor.newBuilder().setElemType(type.getNumber());
  }

  private static ValueInfoProto value(String name, TypeProto.Builder type) {
    return ValueInfoProto.newBuilder().setName(name).setType(type).build();
  }
}
