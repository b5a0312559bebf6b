package io.minimind.infer.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.minimind.artifact.ModelFolder;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.model.Rotary;
import io.minimind.model.RotaryScaling.Linear;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DecoderGraphTest {
  /** So many bits of some 20,000 bytes are tried. */
  private static final int BITS = Integer.getInteger("minimind.fuzz", 100) * 50;

  @TempDir private Path folder;

  /**
   * Heads that fit the attention operator and heads that are filled up, with and without experts;
   * and all that a configuration can have besides.
   */
  static Stream<ModelConfig> configs() {
    ModelConfig fitting = ModelConfig.of(64, 2, 2, 1, 40, 32);
    ModelConfig padded = ModelConfig.of(72, 2, 4, 2, 90, 64);
    ModelConfig third = ModelConfig.minimind3(48, 2, 4, 2, 40, 32);
    ModelConfig.Builder all = third.toBuilder().headSize(20);
    Stream.of(Part.values()).forEach(all::part);
    Rotary rotary = third.rotary();
    all.rotary(new Rotary(rotary.layout(), rotary.base(), new Linear(2), List.of(1)));
    return Stream.concat(
        Stream.of(fitting, padded)
            .flatMap(
                config -> Stream.of(0, 1, 4, 5).map(experts -> config.with(Experts.of(experts)))),
        Stream.of(third, third.with(Experts.minimind3(3)), all.build()));
  }

  static Stream<Arguments> all() {
    return configs()
        .flatMap(
            config ->
                Stream.of(Precision.values()).map(precision -> Arguments.of(config, precision)));
  }

  @ParameterizedTest
  @MethodSource("all")
  void whatIsExportedIsTaken(ModelConfig config, Precision precision) throws IOException {
    Path model = write(config, precision);
    DecoderGraph graph = check(Files.readAllBytes(model));
    assertEquals(config.maxLength(), graph.positions());
    List<NamedTensor> weights = precision.store(config, weights(config));
    assertEquals(
        weights.stream().map(NamedTensor::name).sorted().toList(),
        graph.weights().stream().map(DecoderGraph.Weight::name).sorted().toList());
    for (DecoderGraph.Weight weight : graph.weights()) {
      boolean isTable = weight.name().startsWith("tok_embeddings.");
      if (!weight.isFloat() || precision == Precision.FLOAT32) {
        assertEquals(
            isTable || weight.shape().size() == 1,
            graph.lasting().contains(weight.name()),
            weight.name());
      }
    }
  }

  /** Whatever bit is flipped, the graph is refused or another one that fits together. */
  @Test
  void oneBitMakesNoOtherExceptionThanASentence() throws IOException {
    byte[] model = Files.readAllBytes(write(configs().findFirst().orElseThrow(), Precision.INT4));
    List<Integer> taken = new ArrayList<>();
    int[] bits = new SplittableRandom(1).ints(BITS, 0, model.length * 8).toArray();
    for (int bit : bits) {
      model[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        check(model);
        taken.add(bit);
      } catch (IOException e) {
        assertTrue(e.getMessage().endsWith("again."), e.getMessage());
        assertTrue(e.getMessage().length() < 1000, e.getMessage());
      }
      model[bit / 8] ^= (byte) (1 << bit % 8);
    }
    ModelProto whole = ModelProto.parseFrom(model);
    for (int bit : taken) {
      model[bit / 8] ^= (byte) (1 << bit % 8);
      ModelProto changed = ModelProto.parseFrom(model);
      model[bit / 8] ^= (byte) (1 << bit % 8);
      assertEquals(operators(whole), operators(changed), "bit " + bit);
    }
  }

  /** What decides how much memory operators read and write. */
  private static List<String> operators(ModelProto model) {
    return model.getGraph().getNodeList().stream()
        .map(
            node ->
                node.getOpType()
                    + node.getAttributeList().stream()
                        .filter(attribute -> !harmless(attribute))
                        .toList())
        .toList();
  }

  private static boolean harmless(AttributeProto attribute) {
    return List.of("epsilon", "alpha", "beta", "accuracy_level", "rotary_interleaved", "largest")
        .contains(attribute.getName());
  }

  static Stream<Arguments> damages() {
    return Stream.of(
        damage("num_heads", g -> attribute(g, "GroupQueryAttention", "num_heads", 0)),
        damage("num_heads", g -> attribute(g, "GroupQueryAttention", "num_heads", 1L << 40)),
        damage("num_heads", g -> attribute(g, "GroupQueryAttention", "num_heads", -2)),
        damage("kv_num_heads", g -> attribute(g, "GroupQueryAttention", "kv_num_heads", 0)),
        damage("do_rotary", g -> attribute(g, "GroupQueryAttention", "do_rotary", 0)),
        damage("\"smooth\"", g -> attribute(g, "GroupQueryAttention", "smooth", 1)),
        damage("K", g -> attribute(g, "MatMulNBits", "K", 1L << 33)),
        damage("inputs have the shapes", g -> attribute(g, "MatMulNBits", "N", 1)),
        damage("block_size", g -> attribute(g, "MatMulNBits", "block_size", 0)),
        damage("quantize_axis", g -> attribute(g, "GatherBlockQuantized", "quantize_axis", 7)),
        damage("axis", g -> attribute(g, "Concat", "axis", 9)),
        damage("axis", g -> attribute(g, "SimplifiedLayerNormalization", "axis", 5)),
        damage("no decoder has this operator", g -> node(g, "Concat").setOpType("Loop")),
        damage("no decoder has this operator", g -> node(g, "Concat").setDomain("ai.onnx.ml")),
        damage("a graph within a graph", DecoderGraphTest::subgraph),
        damage("is not there before it", g -> node(g, "Add").setInput(0, "nowhere")),
        damage("is not there before it", g -> node(g, "Add").setInput(0, "logits")),
        damage("stands for two tensors", g -> node(g, "Add").setOutput(0, "input_ids")),
        damage("has 65 outputs", g -> addOutputs(node(g, "Split"))),
        damage("is not computed", g -> g.getOutputBuilder(0).setName("nowhere")),
        damage("and not", g -> g.getOutputBuilder(0).getTypeBuilder().clearTensorType()),
        damage("lies in another file", g -> external(g, 0, "../../etc/passwd")),
        damage("lies in another file", g -> external(g, 0, "*/_ORT_MEM_ADDR_/*")),
        damage("at another place", g -> external(g, 1, "1024")),
        damage("has no place", g -> external(g, 1, "-8")),
        damage("has another length", g -> external(g, 2, "99999999999")),
        damage("has another length", g -> g.getInitializerBuilder(0).setDims(0, 1L << 40)),
        damage("more than", g -> g.getInitializerBuilder(0).setDims(0, Long.MAX_VALUE)),
        damage("has an extent of -1", g -> g.getInitializerBuilder(0).setDims(0, -1)),
        damage("of the type 8", g -> g.getInitializerBuilder(0).setDataType(8)),
        damage("has 3 bytes", DecoderGraphTest::shortData));
  }

  @ParameterizedTest
  @MethodSource("damages")
  void whatIsNotWrittenIsRefused(String part, Consumer<GraphProto.Builder> damage)
      throws IOException {
    Path file = write(configs().findFirst().orElseThrow(), Precision.INT4);
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    damage.accept(model.getGraphBuilder());
    String message =
        assertThrows(IOException.class, () -> check(model.build().toByteArray())).getMessage();
    assertTrue(message.contains(part), message);
    assertTrue(message.startsWith(file + " is damaged, incomplete, or not written"), message);
    assertTrue(message.endsWith("; export or download the model again."), message);
  }

  @Test
  void functionsAndOtherOperatorSetsAreRefused() throws IOException {
    ModelProto model =
        ModelProto.parseFrom(
            Files.readAllBytes(write(configs().findFirst().orElseThrow(), Precision.FLOAT32)));
    assertRefused("functions", model.toBuilder().addFunctions(FunctionProto.newBuilder()).build());
    ModelProto.Builder older = model.toBuilder();
    older.getOpsetImportBuilder(0).setVersion(13);
    assertRefused("operator sets", older.build());
    assertRefused("version 2", model.toBuilder().setIrVersion(2).build());
    assertRefused("no graph", model.toBuilder().clearGraph().build());
  }

  /** Whole numbers that are divided by zero stop a process. */
  @Test
  void whatIsDividedByZeroIsRefused() throws IOException {
    ModelConfig mixture = configs().skip(2).findFirst().orElseThrow();
    ModelProto.Builder model =
        ModelProto.parseFrom(Files.readAllBytes(write(mixture, Precision.FLOAT32))).toBuilder();
    model.getGraphBuilder().getInitializerBuilderList().stream()
        .filter(tensor -> tensor.getName().contains("per_token"))
        .forEach(tensor -> tensor.setRawData(ByteString.copyFrom(new byte[8])));
    assertRefused("divides whole numbers", model.build());
  }

  /** A constant that doubles with every node would take all memory before the first token. */
  @Test
  void constantsThatGrowAreRefused() throws IOException {
    ModelProto.Builder model =
        ModelProto.parseFrom(
            Files.readAllBytes(write(configs().findFirst().orElseThrow(), Precision.FLOAT32)))
            .toBuilder();
    String last = "norm.weight";
    for (int i = 0; i < 40; i++) {
      String next = "double" + i;
      model
          .getGraphBuilder()
          .addNode(
              NodeProto.newBuilder()
                  .setOpType("Concat")
                  .addInput(last)
                  .addInput(last)
                  .addOutput(next)
                  .addAttribute(integer("axis", 0)));
      last = next;
    }
    assertRefused("elements are computed", model.build());
  }

  @Test
  void weightsOfAnotherModelAreRefused() throws IOException {
    byte[] model =
        Files.readAllBytes(write(configs().findFirst().orElseThrow(), Precision.FLOAT32));
    write(configs().skip(4).findFirst().orElseThrow(), Precision.FLOAT32);
    assertRefused("at another place, or of another type or shape", ModelProto.parseFrom(model));
    Path weights = folder.resolve("model.safetensors");
    Files.write(weights, new byte[4]);
    String message = assertThrows(IOException.class, () -> check(model)).getMessage();
    assertEquals(
        weights
            + " is damaged or incomplete: it ends after 4 bytes; export or download the model"
            + " again.",
        message);
  }

  private void assertRefused(String part, ModelProto model) {
    String message = assertThrows(IOException.class, () -> check(model.toByteArray())).getMessage();
    assertTrue(message.contains(part), message);
    assertFalse(message.contains("\n"), message);
  }

  private DecoderGraph check(byte[] model) throws IOException {
    return DecoderGraph.check(ByteBuffer.wrap(model), folder.resolve("model.onnx"));
  }

  private Path write(ModelConfig config, Precision precision) throws IOException {
    ModelFolder.writeDecoder(folder, config, precision, weights(config));
    return folder.resolve("model.onnx");
  }

  private static List<NamedTensor> weights(ModelConfig config) {
    return new Parameters(config).start(3);
  }

  private static Arguments damage(String part, Consumer<GraphProto.Builder> damage) {
    return Arguments.of(part, damage);
  }

  private static NodeProto.Builder node(GraphProto.Builder graph, String operator) {
    return graph.getNodeBuilderList().stream()
        .filter(node -> node.getOpType().equals(operator))
        .findFirst()
        .orElseThrow();
  }

  private static void attribute(
      GraphProto.Builder graph, String operator, String name, long value) {
    NodeProto.Builder node = node(graph, operator);
    for (int i = node.getAttributeCount() - 1; i >= 0; i--) {
      if (node.getAttribute(i).getName().equals(name)) {
        node.removeAttribute(i);
      }
    }
    node.addAttribute(integer(name, value));
  }

  private static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private static void subgraph(GraphProto.Builder graph) {
    node(graph, "Add")
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("body")
                .setType(AttributeProto.AttributeType.GRAPH)
                .setG(GraphProto.newBuilder()));
  }

  private static void addOutputs(NodeProto.Builder node) {
    int before = node.getOutputCount();
    for (int i = before; i < 65; i++) {
      node.addOutput("more" + i);
    }
  }

  private static void external(GraphProto.Builder graph, int entry, String value) {
    graph.getInitializerBuilder(0).getExternalDataBuilder(entry).setValue(value);
  }

  private static void shortData(GraphProto.Builder graph) {
    graph.getInitializerBuilderList().stream()
        .filter(tensor -> tensor.getDataLocation() == TensorProto.DataLocation.DEFAULT)
        .findFirst()
        .orElseThrow()
        .setRawData(ByteString.copyFrom(new byte[3]));
  }
}
