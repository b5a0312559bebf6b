package io.minimind.infer.graph;

import io.minimind.files.ModelFiles;
import io.minimind.files.ProtobufReader;
import io.minimind.files.Quoted;
import io.minimind.infer.graph.OnnxModel.Initializer;
import io.minimind.infer.graph.OnnxModel.Node;
import io.minimind.infer.graph.OnnxModel.Port;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A decoder graph that was found to consist of nothing but what the exporter writes, with shapes
 * that fit together from the inputs to the outputs, so that the runtime can be given it.
 *
 * @param weights the tensors that lie in {@code model.safetensors}
 * @param lasting names of the tensors that every step reads as they are, unlike those that it
 *     multiplies with, of which the runtime makes copies, and those from which it computes others
 *     once
 * @param positions how many positions its attention has angles for
 */
public record DecoderGraph(List<Weight> weights, Set<String> lasting, long positions) {

  private static final Map<String, Long> OPERATOR_SETS =
      Map.of("", 17L, OperatorRules.MICROSOFT, 1L);

  /** The versions of ONNX's format that go with these operators. */
  private static final long OLDEST_FORMAT = 8;

  private static final long NEWEST_FORMAT = 10;

  /** The runtime's optimizer would take minutes for more. */
  private static final int MOST_NODES = 50_000;

  /** Elements of a tensor for each token; a hidden state or the logits have far fewer. */
  private static final long MOST_ELEMENTS = 1 << 24;

  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

  /** Whole numbers whose values matter, such as shapes, are short vectors. */
  private static final int LONGEST_VECTOR = 4096;

  /**
   * A tensor in another file.
   *
   * @param isFloat whether its elements are float32; if not, they are uint8
   * @param offset of its first byte in the file
   * @param length in bytes
   */
  public record Weight(String name, boolean isFloat, List<Long> shape, long offset, long length) {}

  /**
   * Checks a graph.
   *
   * @param model all of {@code model.onnx}
   * @param file its path, for messages
   * @throws IOException in a sentence, if there is anything in it that no exporter of this library
   *     writes
   */
  public static DecoderGraph check(ByteBuffer model, Path file) throws IOException {
    try {
      return new Check(file.resolveSibling(ModelFiles.WEIGHTS)).check(OnnxReader.read(model));
    } catch (GraphException | ProtobufReader.MalformedException e) {
      throw new IOException(
          "%s is damaged, incomplete, or not written by MiniMind: %s; export or download the model again."
              .formatted(file, e.getMessage()),
          e);
    }
  }

  private static final class Check {
    private final Path weightsPath;
    private final Map<String, Value> values = new HashMap<>();
    private final List<Weight> weights = new ArrayList<>();
    private final Set<String> constants = new HashSet<>();
    private final Set<String> lasting = new HashSet<>();
    private final GraphState state = new GraphState();
    private WeightsFile weightsFile;
    private long constantElements;
    private long computedElements;

    Check(Path weightsPath) {
      this.weightsPath = weightsPath;
    }

    DecoderGraph check(OnnxModel model) throws IOException {
      if (model.irVersion() < OLDEST_FORMAT || model.irVersion() > NEWEST_FORMAT) {
        throw new GraphException("its format is of version " + model.irVersion());
      }
      if (!model.operatorSets().equals(OPERATOR_SETS)) {
        throw new GraphException(
            "it wants the operator sets %.80s".formatted(model.operatorSets()));
      }
      if (model.nodes().size() > MOST_NODES) {
        throw new GraphException("it has " + model.nodes().size() + " nodes");
      }
      for (Port input : model.inputs()) {
        checkType(input.name(), input.type());
        define(input.name(), Value.of(input.type(), input.extents()));
      }
      for (Initializer tensor : model.initializers()) {
        define(tensor.name(), value(tensor));
        constants.add(tensor.name());
      }
      for (Node node : model.nodes()) {
        check(node);
      }
      for (Port output : model.outputs()) {
        check(output);
      }
      return new DecoderGraph(List.copyOf(weights), Set.copyOf(lasting), state.positions());
    }

    private void define(String name, Value value) throws GraphException {
      if (name.isEmpty() || values.put(name, value) != null) {
        throw new GraphException("the name " + Quoted.text(name) + " stands for two tensors");
      }
    }

    private static void checkType(String name, int type) throws GraphException {
      if (Value.bytes(type) == 0) {
        throw new GraphException(Quoted.text(name) + " has elements of the type " + type);
      }
    }

    private Value value(Initializer tensor) throws IOException {
      checkType(tensor.name(), tensor.type());
      List<Extent> shape = new ArrayList<>();
      for (long extent : tensor.extents()) {
        if (extent < 1) {
          throw new GraphException(Quoted.text(tensor.name()) + " has an extent of " + extent);
        }
        shape.add(Extent.of(extent));
      }
      long elements = Extent.product(shape).factor();
      long length = Math.multiplyExact(elements, Value.bytes(tensor.type()));
      constantElements += elements;
      List<Extent> contents = List.of();
      if (!tensor.external().isEmpty()) {
        checkAlone(tensor, 0, 0);
        weights.add(weight(tensor, length));
      } else if (!tensor.integers().isEmpty()) {
        checkAlone(tensor, 0, elements);
        contents = tensor.integers().stream().map(Extent::of).toList();
      } else {
        checkAlone(tensor, length, 0);
        contents = contents(tensor);
      }
      boolean known = tensor.type() == Value.INT64 && contents.size() <= LONGEST_VECTOR;
      return new Value(tensor.type(), shape, known ? contents : List.of());
    }

    /** The elements of a tensor stand at one place, and as many as its shape wants. */
    private static void checkAlone(Initializer tensor, long bytes, long integers)
        throws GraphException {
      if (tensor.data().remaining() != bytes || tensor.integers().size() != integers) {
        throw new GraphException(
            "%s of the shape %s has %d bytes"
                .formatted(
                    Quoted.text(tensor.name()), tensor.extents(), tensor.data().remaining()));
      }
    }

    private static List<Extent> contents(Initializer tensor) {
      if (tensor.type() != Value.INT64) {
        return List.of();
      }
      LongBuffer data = tensor.data().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
      List<Extent> contents = new ArrayList<>();
      while (data.hasRemaining() && contents.size() <= LONGEST_VECTOR) {
        contents.add(Extent.of(data.get()));
      }
      return contents;
    }

    private Weight weight(Initializer tensor, long length) throws IOException {
      Map<String, String> place = new HashMap<>(tensor.external());
      if (!ModelFiles.WEIGHTS.equals(place.remove("location"))) {
        throw new GraphException(
            Quoted.text(tensor.name()) + " lies in another file than " + ModelFiles.WEIGHTS);
      }
      long offset = number(tensor, place.remove("offset"));
      if (number(tensor, place.remove("length")) != length || !place.isEmpty()) {
        throw new GraphException(
            "%s of the shape %s has another length"
                .formatted(Quoted.text(tensor.name()), tensor.extents()));
      }
      if (weightsFile == null) {
        if (!Files.isRegularFile(weightsPath)) {
          throw new FileNotFoundException(
              "The model folder %s has no %s; export or download the model again."
                  .formatted(weightsPath.getParent(), ModelFiles.WEIGHTS));
        }
        weightsFile = WeightsFile.open(weightsPath);
      }
      String problem =
          weightsFile.problem(tensor.name(), tensor.type(), tensor.extents(), offset, length);
      if (!problem.isEmpty()) {
        throw new GraphException(
            "%s: %s %s".formatted(Quoted.text(tensor.name()), ModelFiles.WEIGHTS, problem));
      }
      boolean isFloat = tensor.type() == Value.FLOAT32;
      return new Weight(tensor.name(), isFloat, tensor.extents(), offset, length);
    }

    private static long number(Initializer tensor, String text) throws GraphException {
      if (text == null || !NUMBER.matcher(text).matches()) {
        throw new GraphException(
            Quoted.text(tensor.name()) + " has no place in " + ModelFiles.WEIGHTS);
      }
      return Long.parseLong(text);
    }

    private void check(Node node) throws GraphException {
      String operator = node.toString();
      try {
        List<Value> inputs = new ArrayList<>();
        for (String name : node.inputs()) {
          if (!name.isEmpty() && !values.containsKey(name)) {
            throw new GraphException("its input " + Quoted.text(name) + " is not there before it");
          }
          inputs.add(values.get(name));
        }
        NodeCheck check = new NodeCheck(node, inputs, state);
        List<Value> outputs = OperatorRules.outputs(operator, check);
        check.requireNoOtherAttributes();
        findLasting(node.inputs(), node.outputs(), OperatorRules.PRODUCTS.contains(operator));
        NodeCheck.require(
            !node.outputs().isEmpty() && node.outputs().size() <= outputs.size(),
            "it has %s outputs",
            node.outputs().size());
        for (int i = 0; i < node.outputs().size(); i++) {
          checkSize(outputs.get(i));
          define(node.outputs().get(i), outputs.get(i));
        }
      } catch (GraphException e) {
        throw new GraphException(
            "the node %s, %s: %s"
                .formatted(Quoted.text(node.name()), Quoted.text(operator), e.getMessage()));
      }
    }

    private void findLasting(List<String> inputs, List<String> outputs, boolean product) {
      if (constants.containsAll(inputs)) {
        constants.addAll(outputs);
        return;
      }
      for (int i = 0; i < inputs.size(); i++) {
        if (constants.contains(inputs.get(i)) && !(product && i == 1)) {
          lasting.add(inputs.get(i));
        }
      }
    }

    /** What is computed takes memory in proportion to the text and to the weights. */
    private void checkSize(Value value) throws GraphException {
      Extent elements = value.elements();
      boolean perToken = Set.copyOf(elements.symbols()).size() == elements.symbols().size();
      NodeCheck.require(
          elements.isKnown() || perToken && elements.factor() <= MOST_ELEMENTS,
          "it gives %s elements",
          elements);
      if (elements.isKnown()) {
        computedElements += elements.factor();
        NodeCheck.require(
            computedElements <= 4 * constantElements + MOST_ELEMENTS,
            "constants of %s elements are computed",
            computedElements);
      }
    }

    private void check(Port output) throws GraphException {
      Value value = values.get(output.name());
      boolean fits =
          value != null && value.type() == output.type() && value.rank() == output.extents().size();
      for (int i = 0; fits && i < value.rank(); i++) {
        Extent declared = output.extents().get(i);
        fits = declared.isKnown() == value.shape().get(i).isKnown();
        fits &= !declared.isKnown() || declared.equals(value.shape().get(i));
      }
      if (!fits) {
        throw new GraphException(
            "the output %s is %s and not %s"
                .formatted(
                    Quoted.text(output.name()),
                    value == null ? "not computed" : value,
                    output.extents()));
      }
    }
  }
}
