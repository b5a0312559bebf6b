package io.minimind.infer;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Writes small MiniMind decoders with the weights inside {@code model.onnx}. */
record TestModel(
    int width, int layers, int heads, int keyValueHeads, int hidden, int vocabulary, int context) {
  static final TestModel TINY = new TestModel(32, 2, 2, 1, 48, 64, 200);

  /** The model of a reference file. */
  static TestModel of(JsonNode config) {
    return new TestModel(
        config.required("dim").intValue(),
        config.required("n_layers").intValue(),
        config.required("n_heads").intValue(),
        config.required("n_kv_heads").intValue(),
        192,
        config.required("vocab_size").intValue(),
        config.required("max_seq_len").intValue());
  }

  /** Gives the elements of a weight by its MiniMind name and shape. */
  interface Weights {
    float[] get(String name, long... shape);
  }

  static Weights random(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return (name, shape) -> {
      float[] values = new float[(int) (shape[0] * (shape.length == 2 ? shape[1] : 1))];
      for (int i = 0; i < values.length; i++) {
        values[i] = shape.length == 1 ? 1 : (float) random.nextDouble(-0.6, 0.6);
      }
      return values;
    };
  }

  /** Writes a model that ends a text with the given id. */
  Path write(Path folder, Weights weights, int endOfText) throws IOException {
    return write(folder, true, weights, endOfText);
  }

  /**
   * @param choosesPositions whether the graph computes logits where it is asked to; if not, it does
   *     so at every position, as graphs did before
   */
  Path write(Path folder, boolean choosesPositions, Weights weights, int endOfText)
      throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve("model.onnx"), model(choosesPositions, weights).toByteArray());
    Files.writeString(
        folder.resolve("config.json"), "{\"max_position_embeddings\": %d}".formatted(context));
    Files.writeString(
        folder.resolve("generation_config.json"), "{\"eos_token_id\": %d}".formatted(endOfText));
    return folder;
  }

  /** The weights as they are asked for when a model is written. */
  Map<String, float[]> weightsInOrder(Weights weights) {
    Map<String, float[]> all = new HashMap<>();
    model(
        true,
        (name, shape) -> {
          all.put(name, weights.get(name, shape));
          return all.get(name);
        });
    return all;
  }

  private ModelProto model(boolean choosesPositions, Weights weights) {
    int headSize = width / heads;
    GraphProto.Builder graph = GraphProto.newBuilder().setName("decoder");
    graph.addInput(value("input_ids", TensorProto.DataType.INT64, "batch", "length"));
    graph.addInput(value("seqlens_k", TensorProto.DataType.INT32, "batch"));
    graph.addInput(value("total_sequence_length", TensorProto.DataType.INT32));
    if (choosesPositions) {
      graph.addInput(value("logit_positions", TensorProto.DataType.INT64, "positions"));
      graph.addOutput(value("logits", TensorProto.DataType.FLOAT, "positions", vocabulary));
    } else {
      graph.addOutput(value("logits", TensorProto.DataType.FLOAT, "batch", "length", vocabulary));
    }
    graph.addOutput(value("hidden_states", TensorProto.DataType.FLOAT, "batch", "length", width));
    weight(graph, weights, "tok_embeddings.weight", vocabulary, width);
    rotary(graph, headSize);
    add(graph, "Gather", "x0", "tok_embeddings.weight", "input_ids");
    for (int layer = 0; layer < layers; layer++) {
      String p = "layers." + layer + ".";
      String x = "x" + layer;
      norm(graph, weights, p + "attention_norm.weight", x, p + "a");
      linear(graph, weights, p + "attention.wq.weight", p + "a", p + "q", width, width);
      int keyValueWidth = keyValueHeads * headSize;
      linear(graph, weights, p + "attention.wk.weight", p + "a", p + "k", keyValueWidth, width);
      linear(graph, weights, p + "attention.wv.weight", p + "a", p + "v", keyValueWidth, width);
      attention(graph, layer);
      for (String part : List.of("key", "value")) {
        Object[] buffer = {"batch", keyValueHeads, "max_length", headSize};
        String past = "past_key_values." + layer + "." + part;
        graph.addInput(value(past, TensorProto.DataType.FLOAT, buffer));
        String present = "present." + layer + "." + part;
        graph.addOutput(value(present, TensorProto.DataType.FLOAT, buffer));
      }
      linear(graph, weights, p + "attention.wo.weight", p + "o", p + "wo", width, width);
      add(graph, "Add", p + "h", x, p + "wo");
      norm(graph, weights, p + "ffn_norm.weight", p + "h", p + "f");
      linear(graph, weights, p + "feed_forward.w1.weight", p + "f", p + "u1", hidden, width);
      linear(graph, weights, p + "feed_forward.w3.weight", p + "f", p + "u3", hidden, width);
      add(graph, "Sigmoid", p + "s", p + "u1");
      add(graph, "Mul", p + "silu", p + "u1", p + "s");
      add(graph, "Mul", p + "m", p + "silu", p + "u3");
      linear(graph, weights, p + "feed_forward.w2.weight", p + "m", p + "w2", width, hidden);
      add(graph, "Add", "x" + (layer + 1), p + "h", p + "w2");
    }
    norm(graph, weights, "norm.weight", "x" + layers, "hidden_states");
    String judged = "hidden_states";
    if (choosesPositions) {
      graph.addInitializer(
          TensorProto.newBuilder()
              .setName("flat")
              .setDataType(TensorProto.DataType.INT64.getNumber())
              .addDims(2)
              .addInt64Data(-1)
              .addInt64Data(width));
      add(graph, "Reshape", "tokens", "hidden_states", "flat");
      judged = "judged";
      add(graph, "Gather", judged, "tokens", "logit_positions");
    }
    linear(graph, weights, "output.weight", judged, "logits", vocabulary, width);
    return ModelProto.newBuilder()
        .setIrVersion(9)
        .setGraph(graph)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("com.microsoft").setVersion(1))
        .build();
  }

  private void attention(GraphProto.Builder graph, int layer) {
    String p = "layers." + layer + ".";
    String past = "past_key_values." + layer;
    NodeProto.Builder node =
        NodeProto.newBuilder().setOpType("GroupQueryAttention").setDomain("com.microsoft");
    node.addAllInput(List.of(p + "q", p + "k", p + "v", past + ".key", past + ".value"));
    node.addAllInput(List.of("seqlens_k", "total_sequence_length", "cos", "sin"));
    node.addAllOutput(List.of(p + "o", "present." + layer + ".key", "present." + layer + ".value"));
    node.addAttribute(attribute("num_heads", heads));
    node.addAttribute(attribute("kv_num_heads", keyValueHeads));
    node.addAttribute(attribute("do_rotary", 1));
    node.addAttribute(attribute("rotary_interleaved", 1));
    graph.addNode(node);
  }

  private void rotary(GraphProto.Builder graph, int headSize) {
    float[] cos = new float[context * headSize / 2];
    float[] sin = new float[cos.length];
    for (int i = 0; i < cos.length; i++) {
      int pair = i % (headSize / 2);
      double angle = i / (headSize / 2) / Math.pow(10000, 2.0 * pair / headSize);
      cos[i] = (float) Math.cos(angle);
      sin[i] = (float) Math.sin(angle);
    }
    graph.addInitializer(tensor("cos", cos, context, headSize / 2));
    graph.addInitializer(tensor("sin", sin, context, headSize / 2));
  }

  private void norm(GraphProto.Builder graph, Weights weights, String name, String in, String out) {
    weight(graph, weights, name, width);
    NodeProto.Builder node = node("SimplifiedLayerNormalization", out, in, name);
    node.addAttribute(
        AttributeProto.newBuilder()
            .setName("epsilon")
            .setType(AttributeProto.AttributeType.FLOAT)
            .setF(1e-5f));
    graph.addNode(node.addAttribute(attribute("axis", -1)));
  }

  private static void linear(
      GraphProto.Builder graph,
      Weights weights,
      String name,
      String in,
      String out,
      long outputs,
      long inputs) {
    weight(graph, weights, name, outputs, inputs);
    add(graph, "Transpose", name + ".t", name);
    add(graph, "MatMul", out, in, name + ".t");
  }

  private static void weight(
      GraphProto.Builder graph, Weights weights, String name, long... shape) {
    graph.addInitializer(tensor(name, weights.get(name, shape), shape));
  }

  private static void add(GraphProto.Builder graph, String type, String output, String... inputs) {
    graph.addNode(node(type, output, inputs));
  }

  private static NodeProto.Builder node(String type, String output, String... inputs) {
    return NodeProto.newBuilder().setOpType(type).addOutput(output).addAllInput(List.of(inputs));
  }

  private static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private static TensorProto tensor(String name, float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT.getNumber())
            .setRawData(ByteString.copyFrom(bytes));
    for (long dimension : shape) {
      tensor.addDims(dimension);
    }
    return tensor.build();
  }

  private static ValueInfoProto value(String name, TensorProto.DataType type, Object... shape) {
    var tensor = TypeProto.Tensor.newBuilder().setElemType(type.getNumber());
    var dimensions = tensor.getShapeBuilder();
    for (Object dimension : shape) {
      if (dimension instanceof String symbol) {
        dimensions.addDimBuilder().setDimParam(symbol);
      } else {
        dimensions.addDimBuilder().setDimValue((Integer) dimension);
      }
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }
}
