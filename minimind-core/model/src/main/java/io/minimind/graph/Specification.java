package io.minimind.graph;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What ONNX or a runtime says of an operator.
 *
 * @param name as in {@code NodeProto.op_type}
 * @param domain the operator set, empty for the ONNX one
 * @param since the version of the domain that defined the operator as it is used here
 * @param fewestInputs inputs that cannot be left out
 * @param mostInputs all inputs, optional ones included
 * @param attributes the kind of each attribute that a node may have
 */
public record Specification(
    String name,
    String domain,
    int since,
    int fewestInputs,
    int mostInputs,
    Map<String, Attribute> attributes) {

  /** The domain of ONNX Runtime's own operators. */
  public static final String MICROSOFT = "com.microsoft";

  /** The domain of this project's operators, whose kernels training registers with its sessions. */
  public static final String OWN = "io.minimind";

  /** For operators that take as many inputs as there are. */
  public static final int ANY = Integer.MAX_VALUE;

  /** Kinds of attributes. */
  public enum Attribute {
    INTEGER(Long.class),
    REAL(Float.class),
    TEXT(String.class),
    INTEGERS(List.class);

    private final Class<?> type;

    Attribute(Class<?> type) {
      this.type = type;
    }
  }

  public Specification {
    attributes = Map.copyOf(attributes);
  }

  /** An operator of ONNX that has so many inputs and no attributes yet. */
  public static Specification onnx(String name, int since, int inputs) {
    return new Specification(name, "", since, inputs, inputs, Map.of());
  }

  /** An operator of ONNX Runtime that has so many inputs and no attributes yet. */
  public static Specification microsoft(String name, int inputs) {
    return new Specification(name, MICROSOFT, 1, inputs, inputs, Map.of());
  }

  /** An operator of this project that has so many inputs and no attributes yet. */
  public static Specification own(String name, int inputs) {
    return new Specification(name, OWN, 1, inputs, inputs, Map.of());
  }

  /** This one with optional inputs, up to so many in all. */
  public Specification upTo(int inputs) {
    return new Specification(name, domain, since, fewestInputs, inputs, attributes);
  }

  /** This one with another attribute. */
  public Specification with(String attribute, Attribute kind) {
    Map<String, Attribute> more = new TreeMap<>(attributes);
    more.put(attribute, kind);
    return new Specification(name, domain, since, fewestInputs, mostInputs, more);
  }

  /**
   * @throws IllegalArgumentException if there are too few or too many inputs, or an attribute that
   *     the operator does not have or that is of another kind
   */
  void check(List<Tensor> inputs, Map<String, Object> values) {
    long given = inputs.stream().limit(fewestInputs).filter(Tensor::isPresent).count();
    if (given < fewestInputs || inputs.size() > mostInputs) {
      String most = mostInputs == ANY ? " or more" : " to " + mostInputs;
      String count = fewestInputs + (mostInputs == fewestInputs ? "" : most);
      throw new IllegalArgumentException(
          "%s expects %s operands, got %s.".formatted(name, count, inputs));
    }
    values.forEach(
        (attribute, value) -> {
          Attribute kind = attributes.get(attribute);
          if (kind == null || !kind.type.isInstance(value)) {
            throw new IllegalArgumentException(
                "%s has no attribute %s = %s; it has %s."
                    .formatted(name, attribute, value, new TreeMap<>(attributes)));
          }
        });
  }
}
