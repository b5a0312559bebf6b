package io.minimind.model;

import io.minimind.graph.Shape;
import io.minimind.model.InitialLaw.Constant;
import io.minimind.model.InitialLaw.Normal;
import io.minimind.model.InitialLaw.Uniform;
import io.minimind.model.ModelConfig.Part;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The parameters of an architecture, declared once: which there are, in which order, and of which
 * shape and law of start values. Graphs, counts, start weights, adapters, quantization, checkpoints
 * and other formats read it here.
 */
public record Parameters(ModelConfig config) {

  /** The deviation of matrices in MiniMind's first version. */
  private static final double DEVIATION = 0.02;

  /** All of them, in the order in which graphs declare them. */
  public List<Parameter> all() {
    List<Parameter> all = new ArrayList<>();
    all.add(get(Role.EMBEDDING));
    for (int layer = 0; layer < config.layers(); layer++) {
      for (Role role : block()) {
        all.add(get(role, layer));
      }
      for (int expert = 0; expert < config.experts().routed(); expert++) {
        for (Role role : expert()) {
          all.add(get(role, layer, expert));
        }
      }
      for (Role role : shared()) {
        all.add(get(role, layer));
      }
    }
    last().forEach(role -> all.add(get(role)));
    return all;
  }

  /** Start weights; equal seeds give equal ones. */
  public List<NamedTensor> start(long seed) {
    return all().stream().map(parameter -> parameter.start(seed)).toList();
  }

  /** How many numbers there are. */
  public long count() {
    return count(config.experts().routed());
  }

  /** How many of them a token meets, which passes through some of the experts. */
  public long activeCount() {
    return count(config.experts().perToken());
  }

  private long count(int experts) {
    double block = count(Stream.concat(block().stream(), shared().stream()).toList());
    double expert = count(expert());
    double outside = get(Role.EMBEDDING).elements() + count(last());
    return (long) (outside + config.layers() * (block + experts * expert));
  }

  private double count(List<Role> roles) {
    return roles.stream().mapToDouble(role -> get(role, 0, 0).elements()).sum();
  }

  /** Of a layer, but for its experts. */
  private List<Role> block() {
    List<Role> roles =
        new ArrayList<>(List.of(Role.ATTENTION_NORM, Role.QUERY, Role.KEY, Role.VALUE));
    if (config.has(Part.QUERY_KEY_VALUE_BIAS)) {
      roles.addAll(List.of(Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS));
    }
    if (config.has(Part.QUERY_KEY_NORM)) {
      roles.addAll(List.of(Role.QUERY_NORM, Role.KEY_NORM));
    }
    roles.add(Role.OUTPUT);
    if (config.has(Part.OUTPUT_BIAS)) {
      roles.add(Role.OUTPUT_BIAS);
    }
    roles.add(Role.FEED_FORWARD_NORM);
    if (config.experts().isMixture()) {
      roles.add(Role.ROUTER);
    } else if (config.has(Part.FEED_FORWARD_BIAS)) {
      roles.addAll(
          List.of(Role.GATE, Role.UP, Role.GATE_BIAS, Role.UP_BIAS, Role.DOWN, Role.DOWN_BIAS));
    } else {
      roles.addAll(List.of(Role.GATE, Role.UP, Role.DOWN));
    }
    return roles;
  }

  private static List<Role> expert() {
    return List.of(Role.EXPERT_GATE, Role.EXPERT_UP, Role.EXPERT_DOWN);
  }

  private List<Role> shared() {
    return config.experts().shared() == 0
        ? List.of()
        : List.of(Role.SHARED_GATE, Role.SHARED_UP, Role.SHARED_DOWN);
  }

  private List<Role> last() {
    return config.has(Part.OWN_HEAD) ? List.of(Role.NORM, Role.HEAD) : List.of(Role.NORM);
  }

  /** One outside the layers. */
  public Parameter get(Role role) {
    return get(role, Parameter.NONE);
  }

  /** One of a layer. */
  public Parameter get(Role role, int layer) {
    return get(role, layer, Parameter.NONE);
  }

  /** One of an expert of a layer. */
  public Parameter get(Role role, int layer, int expert) {
    String module = TensorNames.MINIMIND.module(role, layer, expert);
    Shape shape = role.isBias() ? Shape.of(shape(role.weight()).dimension(0)) : shape(role);
    return new Parameter(module, role, layer, expert, shape, law(role));
  }

  private Shape shape(Role role) {
    long width = config.hiddenSize();
    long inner = config.feedForwardSize();
    return switch (role) {
      case EMBEDDING, HEAD -> Shape.of(config.vocabularySize(), width);
      case ATTENTION_NORM, FEED_FORWARD_NORM, NORM -> Shape.of(width);
      case QUERY -> Shape.of(config.queryWidth(), width);
      case KEY, VALUE -> Shape.of(config.keyValueWidth(), width);
      case QUERY_NORM, KEY_NORM -> Shape.of(config.headSize());
      case OUTPUT -> Shape.of(width, config.queryWidth());
      case GATE, UP, EXPERT_GATE, EXPERT_UP, SHARED_GATE, SHARED_UP -> Shape.of(inner, width);
      case DOWN, EXPERT_DOWN, SHARED_DOWN -> Shape.of(width, inner);
      case ROUTER -> Shape.of(config.experts().routed(), width);
      default -> throw new IllegalArgumentException("A model has no parameter " + role + ".");
    };
  }

  /**
   * Norms are 1 and biases 0. Matrices are normal with the configuration's deviation; where it has
   * none, as in MiniMind's first version: normal with deviation 0.02, those that write into the
   * residual stream ({@link Role#OUTPUT} and, as in the original, {@link Role#UP}) with 0.02 /
   * sqrt(2 · layers), routers uniform within 1 / sqrt(width).
   */
  private InitialLaw law(Role role) {
    if (role.isBias()) {
      return new Constant(0);
    }
    return switch (role) {
      case ATTENTION_NORM, QUERY_NORM, KEY_NORM, FEED_FORWARD_NORM, NORM -> new Constant(1);
      case OUTPUT, UP, EXPERT_UP, SHARED_UP ->
          deviation(DEVIATION / Math.sqrt(2.0 * config.layers()));
      case ROUTER ->
          config.initializerRange() > 0
              ? deviation(0)
              : new Uniform(1 / Math.sqrt(config.hiddenSize()));
      default -> deviation(DEVIATION);
    };
  }

  private Normal deviation(double otherwise) {
    return new Normal(config.initializerRange() > 0 ? config.initializerRange() : otherwise);
  }
}
