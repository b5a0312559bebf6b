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
import java.util.List;

/**
 * The optimizer artifact: AdamW over sequences of tensors. ONNX Runtime's training API compares the
 * names and the order of its inputs literally.
 */
final class OptimizerModel {

  private static final String MICROSOFT = "com.microsoft";

  private OptimizerModel() {}

  static ModelProto create(OptimizerSettings settings) {
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
            .setDomain(MICROSOFT)
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
            .addAttribute(real("alpha", settings.beta1()))
            .addAttribute(real("beta", settings.beta2()))
            .addAttribute(real("epsilon", settings.epsilon()))
            .addAttribute(real("weight_decay", settings.weightDecay()))
            // Mode 0 decays the weights first and corrects the bias, as PyTorch's AdamW does.
            .addAttribute(integer("adam_mode", 0))
            .addAttribute(integer("correct_bias", 1)));
    return ModelProto.newBuilder()
        .setIrVersion(9)
        .setProducerName("minimind")
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1))
        .setGraph(graph)
        .build();
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
