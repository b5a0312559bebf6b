package io.minimind.infer.graph;

import io.minimind.files.ProtobufReader;
import io.minimind.files.Quoted;
import io.minimind.infer.graph.OnnxModel.Initializer;
import io.minimind.infer.graph.OnnxModel.Node;
import io.minimind.infer.graph.OnnxModel.Port;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads an ONNX model. It takes no field that it does not know, and none twice that may stand once:
 * another reader could understand such a file in another way.
 */
final class OnnxReader {

  /** Longer names are no names. */
  private static final int LONGEST_NAME = 512;

  /** More axes than any operator takes. */
  private static final int MOST_AXES = 8;

  private OnnxReader() {}

  static OnnxModel read(ByteBuffer file) throws IOException {
    Message message = new Message("the model", new ProtobufReader(file));
    long irVersion = 0;
    Map<String, Long> operatorSets = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    OnnxModel graph = null;
    while (message.next()) {
      switch (message.field()) {
        case 1 -> irVersion = message.once().number();
        case 2, 3, 4, 6 -> message.once().text();
        case 5 -> message.once().number();
        case 7 -> graph = graph(message.once().message("the graph"));
        case 8 -> operatorSet(message.message("an operator set"), operatorSets);
        case 14 -> entry(message.message("an entry of the metadata"), metadata);
        case 25 -> throw new GraphException("it defines functions");
        default -> throw message.unknown();
      }
    }
    if (graph == null) {
      throw new GraphException("it has no graph");
    }
    return new OnnxModel(
        irVersion,
        operatorSets,
        metadata,
        graph.inputs(),
        graph.outputs(),
        graph.initializers(),
        graph.nodes());
  }

  private static void operatorSet(Message message, Map<String, Long> sets) throws IOException {
    String domain = "";
    long version = 0;
    while (message.next()) {
      switch (message.field()) {
        case 1 -> domain = message.once().name();
        case 2 -> version = message.once().number();
        default -> throw message.unknown();
      }
    }
    if (sets.put(domain, version) != null) {
      throw new GraphException("it names an operator set twice");
    }
  }

  private static void entry(Message message, Map<String, String> entries) throws IOException {
    String key = "";
    String value = "";
    while (message.next()) {
      switch (message.field()) {
        case 1 -> key = message.once().name();
        case 2 -> value = message.once().text();
        default -> throw message.unknown();
      }
    }
    if (entries.put(key, value) != null) {
      throw new GraphException("it has the entry " + Quoted.text(key) + " twice");
    }
  }

  private static OnnxModel graph(Message message) throws IOException {
    List<Port> inputs = new ArrayList<>();
    List<Port> outputs = new ArrayList<>();
    List<Initializer> initializers = new ArrayList<>();
    List<Node> nodes = new ArrayList<>();
    while (message.next()) {
      switch (message.field()) {
        case 1 -> nodes.add(node(message.message("a node")));
        case 2, 10 -> message.once().text();
        case 5 -> initializers.add(initializer(message.message("a tensor")));
        case 11 -> inputs.add(port(message.message("an input")));
        case 12 -> outputs.add(port(message.message("an output")));
        default -> throw message.unknown();
      }
    }
    return new OnnxModel(0, Map.of(), Map.of(), inputs, outputs, initializers, nodes);
  }

  private static Port port(Message message) throws IOException {
    String name = "";
    List<Extent> extents = new ArrayList<>();
    int type = 0;
    while (message.next()) {
      switch (message.field()) {
        case 1 -> name = message.once().name();
        case 2 -> type = type(message.once().message("a type"), extents);
        default -> throw message.unknown();
      }
    }
    return new Port(name, type, extents);
  }

  private static int type(Message message, List<Extent> extents) throws IOException {
    int type = 0;
    while (message.next()) {
      if (message.field() != 1) {
        throw new GraphException("an input or output is no tensor");
      }
      Message tensor = message.once().message("a type");
      while (tensor.next()) {
        switch (tensor.field()) {
          case 1 -> type = tensor.once().integer();
          case 2 -> shape(tensor.once().message("a shape"), extents);
          default -> throw tensor.unknown();
        }
      }
    }
    return type;
  }

  private static void shape(Message message, List<Extent> extents) throws IOException {
    while (message.next()) {
      if (message.field() != 1) {
        throw message.unknown();
      }
      Message axis = message.message("an axis");
      Extent extent = null;
      while (axis.next()) {
        if (extent != null) {
          throw new GraphException("an axis has two extents");
        }
        extent =
            switch (axis.field()) {
              case 1 -> Extent.of(axis.number());
              case 2 -> Extent.symbol(axis.name());
              default -> throw axis.unknown();
            };
      }
      if (extent == null || extent.factor() < 0 || extents.size() == MOST_AXES) {
        throw new GraphException("an input or output has a shape that cannot be");
      }
      extents.add(extent);
    }
  }

  private static Initializer initializer(Message message) throws IOException {
    String name = "";
    int type = 0;
    List<Long> extents = new ArrayList<>();
    List<Long> integers = new ArrayList<>();
    ByteBuffer data = ByteBuffer.allocate(0);
    Map<String, String> external = new LinkedHashMap<>();
    long location = 0;
    while (message.next()) {
      switch (message.field()) {
        case 1 -> message.numbers(extents);
        case 2 -> type = message.once().integer();
        case 7 -> message.numbers(integers);
        case 8 -> name = message.once().name();
        case 9 -> data = message.once().bytes();
        case 13 -> entry(message.message("a place in a file"), external);
        case 14 -> location = message.once().number();
        default -> throw message.unknown();
      }
    }
    if (extents.size() > MOST_AXES || location != (external.isEmpty() ? 0 : 1)) {
      throw new GraphException("the tensor " + Quoted.text(name) + " is not written as it should");
    }
    return new Initializer(name, type, extents, data, integers, external);
  }

  private static Node node(Message message) throws IOException {
    List<String> inputs = new ArrayList<>();
    List<String> outputs = new ArrayList<>();
    String name = "";
    String operator = "";
    String domain = "";
    Map<String, Object> attributes = new LinkedHashMap<>();
    while (message.next()) {
      switch (message.field()) {
        case 1 -> inputs.add(message.name());
        case 2 -> outputs.add(message.name());
        case 3 -> name = message.once().name();
        case 4 -> operator = message.once().name();
        case 5 -> attribute(message.message("an attribute"), attributes);
        case 6 -> message.once().text();
        case 7 -> domain = message.once().name();
        default -> throw message.unknown();
      }
    }
    return new Node(name, operator, domain, inputs, outputs, attributes);
  }

  private static void attribute(Message message, Map<String, Object> attributes)
      throws IOException {
    String name = "";
    long type = 0;
    List<Long> integers = new ArrayList<>();
    Object value = 0L;
    long valueType = 0;
    while (message.next()) {
      int field = message.field();
      switch (field) {
        case 1 -> name = message.once().name();
        case 2 -> value = message.once().real();
        case 3 -> value = message.once().number();
        case 8 -> {
          message.numbers(integers);
          value = integers;
        }
        case 13 -> message.once().text();
        case 20 -> type = message.once().number();
        case 6, 11 -> throw new GraphException("it holds a graph within a graph");
        default -> throw message.unknown();
      }
      if (field == 2 || field == 3 || field == 8) {
        // ONNX's numbers of the types FLOAT, INT and INTS.
        long found = field == 2 ? 1 : field == 3 ? 2 : 7;
        if (valueType != 0 && valueType != found) {
          throw new GraphException("the attribute " + Quoted.text(name) + " has two values");
        }
        valueType = found;
      }
    }
    if (valueType != 0 && type != valueType || type != 1 && type != 2 && type != 7) {
      throw new GraphException("the attribute " + Quoted.text(name) + " has no number for a value");
    }
    if (valueType == 0) {
      // A field with its default value is not written.
      value = type == 1 ? (Object) 0f : type == 2 ? (Object) 0L : integers;
    }
    if (attributes.put(name, value) != null) {
      throw new GraphException("a node has the attribute " + Quoted.text(name) + " twice");
    }
  }

  /** A message whose fields are asked for one by one. */
  private static final class Message {
    private final String what;
    private final ProtobufReader in;
    private long seen; // a bit for each field, of which no message here has one above 63

    Message(String what, ProtobufReader in) {
      this.what = what;
      this.in = in;
    }

    boolean next() throws IOException {
      return in.next();
    }

    int field() {
      return in.field();
    }

    Message once() throws GraphException {
      long bit = 1L << in.field();
      if ((seen & bit) != 0) {
        throw new GraphException(what + " has the field " + in.field() + " twice");
      }
      seen |= bit;
      return this;
    }

    GraphException unknown() {
      return new GraphException(what + " has the field " + in.field());
    }

    long number() throws IOException {
      return in.number();
    }

    int integer() throws IOException {
      long number = in.number();
      if (number != (int) number) {
        throw new GraphException(what + " has the number " + number);
      }
      return (int) number;
    }

    float real() throws IOException {
      return in.float32();
    }

    String text() throws IOException {
      return in.text();
    }

    String name() throws IOException {
      if (in.bytes().remaining() > LONGEST_NAME) {
        throw new GraphException(what + " has a name of " + in.bytes().remaining() + " bytes");
      }
      return in.text();
    }

    ByteBuffer bytes() throws IOException {
      return in.bytes();
    }

    Message message(String name) throws IOException {
      return new Message(name, in.message());
    }

    void numbers(List<Long> numbers) throws IOException {
      in.numbers(numbers::add);
    }
  }
}
