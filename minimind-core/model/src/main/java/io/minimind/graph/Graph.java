package io.minimind.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * An ONNX graph under construction: inputs, parameters, constants, nodes in execution order, and
 * outputs. A node is added with {@link #add}, which checks its operands.
 *
 * <p>Inputs, parameters and outputs have names of the caller's choice. The names of constants and
 * of the tensors between are the graph's own: they all have a {@code #}, which no other name may
 * have, so that nothing that two callers add to a graph can collide.
 */
public final class Graph {

  /** What begins the number in a name of the graph's own. */
  private static final char OWN = '#';

  /** The version of each operator set of which a graph may have operators. */
  private static final Map<String, Integer> DOMAINS = Map.of("", 17, Specification.MICROSOFT, 1);

  private static final int IR_VERSION = 9;

  /** Where the bytes of a parameter lie in a file next to the model. */
  public record ExternalData(String file, long offset, long length) {}

  private final String name;
  private final Target target;
  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();
  private final Set<String> frozen = new HashSet<>();
  private final Map<String, TensorProto> constants = new LinkedHashMap<>();
  private final Map<String, Tensor> outputs = new LinkedHashMap<>();
  private final List<Node> nodes = new ArrayList<>();
  private final Map<List<Object>, Tensor> shared = new HashMap<>();
  private int ownNames;

  /** A graph for the CPU. */
  public Graph(String name) {
    this(name, Target.CPU);
  }

  public Graph(String name, Target target) {
    this.name = name;
    this.target = target;
  }

  public Target target() {
    return target;
  }

  public Tensor input(String name, ElementType type, Shape shape) {
    Tensor tensor = new Tensor(name, type, shape);
    requireNew(name);
    inputs.put(name, tensor);
    return tensor;
  }

  /** A trainable tensor; asking again for the same name gives the same tensor. */
  public Tensor parameter(String name, long... extents) {
    return parameter(name, ElementType.FLOAT32, extents);
  }

  /** A tensor of weights; asking again for the same name gives the same tensor. */
  public Tensor parameter(String name, ElementType type, long... extents) {
    Tensor known = parameters.get(name);
    Tensor tensor = new Tensor(name, type, Shape.of(extents));
    if (known == null) {
      requireNew(name);
      parameters.put(name, tensor);
    } else if (!known.equals(tensor)) {
      throw new IllegalArgumentException(
          "Parameter " + name + " is declared as " + known + " and as " + tensor + ".");
    }
    return tensor;
  }

  /** A parameter that training leaves alone. */
  public Tensor frozenParameter(String name, long... extents) {
    Tensor tensor = parameter(name, extents);
    frozen.add(name);
    return tensor;
  }

  /** The parameters that training changes, in the order of their declaration. */
  public List<Tensor> trainableParameters() {
    return parameters.values().stream().filter(p -> !frozen.contains(p.name())).toList();
  }

  /** All parameters in the order of their declaration. */
  public List<Tensor> parameters() {
    return List.copyOf(parameters.values());
  }

  public List<Tensor> inputs() {
    return List.copyOf(inputs.values());
  }

  /** Makes a tensor an output of the graph. The name replaces the tensor's own in the model. */
  public void output(String name, Tensor tensor) {
    requireNew(name);
    // A tensor has one name in a model: what has one already is passed on under the new one.
    boolean named = isDeclared(tensor.name()) || outputs.containsValue(tensor);
    outputs.put(name, named ? add(new Identity(), tensor).output(0) : tensor);
  }

  /**
   * A float32 constant.
   *
   * @param name for people who look at the graph; it need not be unique
   */
  public Tensor constant(String name, Shape shape, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return constant(name, ElementType.FLOAT32, shape, bytes);
  }

  /** An int64 constant, as {@link #constant(String, Shape, float...)}. */
  public Tensor constant(String name, Shape shape, long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return constant(name, ElementType.INT64, shape, bytes);
  }

  private Tensor constant(String name, ElementType type, Shape shape, ByteBuffer bytes) {
    if (bytes.remaining() != shape.elements().extent() * type.bytes()) {
      throw new IllegalArgumentException(
          "Constant " + name + " of shape " + shape + " got " + bytes.remaining() + " bytes.");
    }
    Tensor tensor = new Tensor(ownName(name), type, shape);
    TensorProto.Builder proto =
        TensorProto.newBuilder()
            .setName(tensor.name())
            .setDataType(type.onnxCode())
            .setRawData(ByteString.copyFrom(bytes));
    for (long extent : shape.extents()) {
      proto.addDims(extent);
    }
    constants.put(tensor.name(), proto.build());
    return tensor;
  }

  private boolean isDeclared(String name) {
    return inputs.containsKey(name) || parameters.containsKey(name) || constants.containsKey(name);
  }

  private void requireNew(String name) {
    if (isDeclared(name) || outputs.containsKey(name)) {
      throw new IllegalArgumentException("The graph already has a tensor named " + name + ".");
    }
    if (name.indexOf(OWN) >= 0) {
      throw new IllegalArgumentException(
          "Names with a %s are the graph's own, but a tensor is to be named %s."
              .formatted(OWN, name));
    }
  }

  /** A name that no other tensor has. */
  private String ownName(String stem) {
    return stem + OWN + ownNames++;
  }

  /**
   * Adds an operator.
   *
   * @param inputs {@link Tensor#ABSENT} for an optional one that is left out
   * @throws IllegalArgumentException if the operands do not fit
   */
  public Node add(Operator operator, Tensor... inputs) {
    return add(operator, List.of(inputs));
  }

  /** Adds an operator, as {@link #add(Operator, Tensor...)}. */
  public Node add(Operator operator, List<Tensor> inputs) {
    Specification specification = operator.specification();
    specification.check(inputs, operator.attributes());
    int version = DOMAINS.getOrDefault(specification.domain(), specification.since());
    if (specification.since() > version) {
      throw new IllegalArgumentException(
          "%s is there since version %d of its domain, but graphs here have version %d."
              .formatted(specification.name(), specification.since(), version));
    }
    List<Tensor> outputs =
        operator.results(inputs).stream()
            .map(r -> new Tensor(ownName(specification.name()), r.type(), r.shape()))
            .toList();
    Node node = new Node(operator, inputs, outputs);
    nodes.add(node);
    return node;
  }

  /**
   * Adds what the runtime has no operator for, as one node with one gradient rule.
   *
   * @param body adds the nodes that a model has in its place, and gives the outputs
   */
  public Node add(Operator operator, List<Tensor> inputs, Supplier<List<Tensor>> body) {
    operator.specification().check(inputs, operator.attributes());
    List<Operator.Result> results = operator.results(inputs);
    int before = nodes.size();
    List<Tensor> outputs = body.get();
    if (!outputs.stream().map(Operator.Result::like).toList().equals(results)) {
      throw new IllegalStateException(
          "The outputs of %s came out as %s, not as %s."
              .formatted(operator.specification().name(), outputs, results));
    }
    List<Node> added = nodes.subList(before, nodes.size());
    Node node = new Node(operator, inputs, outputs, added);
    added.clear();
    nodes.add(node);
    return node;
  }

  /** The node that was added last. */
  public Node lastNode() {
    return nodes.get(nodes.size() - 1);
  }

  /** Gives the node that was added last another input, which its operator takes as optional. */
  public void extendLast(Tensor input) {
    Node last = nodes.remove(nodes.size() - 1);
    List<Tensor> inputs = new ArrayList<>(last.inputs());
    inputs.add(input);
    last.operator().specification().check(inputs, last.operator().attributes());
    nodes.add(new Node(last.operator(), inputs, last.outputs(), last.body()));
  }

  /** The nodes in the order of execution. */
  public List<Node> nodes() {
    return List.copyOf(nodes);
  }

  /**
   * A tensor that is computed once per graph.
   *
   * @param owner whose tensor it is
   * @param key what it is to its owner
   */
  public Tensor shared(Class<?> owner, Object key, Supplier<Tensor> compute) {
    List<Object> place = List.of(owner, key);
    Tensor known = shared.get(place);
    if (known == null) {
      known = compute.get();
      shared.put(place, known);
    }
    return known;
  }

  /**
   * The graph as an ONNX model whose parameters are inputs, as the training API wants them: after
   * the graph's own inputs, in the order of their declaration.
   */
  public ModelProto toModel() {
    return model(Map.of());
  }

  /** The graph as an ONNX model whose parameters lie in a file next to it. */
  public ModelProto toModel(Map<String, ExternalData> weights) {
    for (String parameter : parameters.keySet()) {
      if (!weights.containsKey(parameter)) {
        throw new IllegalArgumentException(
            "There is no weight for the parameter " + parameter + ".");
      }
    }
    return model(weights);
  }

  private ModelProto model(Map<String, ExternalData> weights) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName(name);
    inputs.values().forEach(input -> graph.addInput(valueInfo(input)));
    for (Tensor parameter : parameters.values()) {
      ExternalData data = weights.get(parameter.name());
      if (data == null) {
        graph.addInput(valueInfo(parameter));
      } else {
        graph.addInitializer(externalTensor(parameter, data));
      }
    }
    graph.addAllInitializer(constants.values());
    Map<String, String> outputNames = new HashMap<>();
    outputs.forEach((outputName, tensor) -> outputNames.put(tensor.name(), outputName));
    withBodies().flatMap(target::kernels).forEach(node -> graph.addNode(proto(node, outputNames)));
    outputs.forEach(
        (outputName, tensor) ->
            graph.addOutput(valueInfo(new Tensor(outputName, tensor.type(), tensor.shape()))));
    ModelProto.Builder model =
        ModelProto.newBuilder()
            .setIrVersion(IR_VERSION)
            .setProducerName("minimind")
            .setGraph(graph);
    domains()
        .forEach(
            (domain, version) ->
                model.addOpsetImport(
                    OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version)));
    return model.build();
  }

  /** Those that every graph has, and those of operators that others wrote. */
  private Map<String, Integer> domains() {
    Map<String, Integer> domains = new TreeMap<>(DOMAINS);
    withBodies()
        .map(node -> node.operator().specification())
        .filter(specification -> !DOMAINS.containsKey(specification.domain()))
        .forEach(
            specification ->
                domains.merge(specification.domain(), specification.since(), Math::max));
    return domains;
  }

  private Stream<Node> withBodies() {
    return nodes.stream()
        .flatMap(node -> node.body().isEmpty() ? Stream.of(node) : node.body().stream());
  }

  private static TensorProto externalTensor(Tensor tensor, ExternalData data) {
    TensorProto.Builder proto =
        TensorProto.newBuilder()
            .setName(tensor.name())
            .setDataType(tensor.type().onnxCode())
            .setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(entry("location", data.file()))
            .addExternalData(entry("offset", Long.toString(data.offset())))
            .addExternalData(entry("length", Long.toString(data.length())));
    for (long extent : tensor.shape().extents()) {
      proto.addDims(extent);
    }
    return proto.build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private static ValueInfoProto valueInfo(Tensor tensor) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Dimension dimension : tensor.shape().dimensions()) {
      TensorShapeProto.Dimension.Builder proto = shape.addDimBuilder();
      if (dimension.isKnown()) {
        proto.setDimValue(dimension.extent());
      } else {
        proto.setDimParam(dimension.toString());
      }
    }
    TypeProto.Tensor.Builder type =
        TypeProto.Tensor.newBuilder().setElemType(tensor.type().onnxCode()).setShape(shape);
    return ValueInfoProto.newBuilder()
        .setName(tensor.name())
        .setType(TypeProto.newBuilder().setTensorType(type))
        .build();
  }

  private static NodeProto proto(Node node, Map<String, String> outputNames) {
    NodeProto.Builder proto =
        NodeProto.newBuilder()
            .setName(node.output(0).name())
            .setOpType(node.operator().specification().name())
            .setDomain(node.operator().specification().domain());
    UnaryOperator<String> naming = name -> outputNames.getOrDefault(name, name);
    node.inputs().forEach(input -> proto.addInput(naming.apply(input.name())));
    node.outputs().forEach(output -> proto.addOutput(naming.apply(output.name())));
    node.operator().attributes().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(attribute -> proto.addAttribute(proto(attribute.getKey(), attribute.getValue())));
    return proto.build();
  }

  private static AttributeProto proto(String name, Object value) {
    AttributeProto.Builder proto = AttributeProto.newBuilder().setName(name);
    if (value instanceof Long integer) {
      proto.setType(AttributeProto.AttributeType.INT).setI(integer);
    } else if (value instanceof Float real) {
      proto.setType(AttributeProto.AttributeType.FLOAT).setF(real);
    } else if (value instanceof String text) {
      proto.setType(AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8(text));
    } else if (value instanceof List<?> integers) {
      proto.setType(AttributeProto.AttributeType.INTS);
      integers.forEach(integer -> proto.addInts((Long) integer));
    } else {
      throw new IllegalArgumentException("Attribute " + name + " has the value " + value + ".");
    }
    return proto.build();
  }
}
