package io.minimind.interchange;

import io.minimind.artifact.StoredAdapter;
import io.minimind.graph.operator.RotaryLayout;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;

/**
 * A low-rank adapter of another project: a folder of PEFT, or a file of MiniMind's. It is merged, a
 * matrix W becomes {@code W + scale · B · A} while it is read, or it becomes one of this project.
 *
 * <p>What is added is rounded as PEFT rounds it: B · A to float32, then its product with the scale,
 * then the sum. Rounded otherwise, the merged model would be another than PEFT's by the last bit of
 * every weight, which some texts show.
 */
final class LowRankAdapter {

  private final Path file;
  private final List<Module> modules = new ArrayList<>();
  private final Map<String, StreamedTensor> whole = new LinkedHashMap<>();

  /**
   * What belongs to one matrix.
   *
   * @param name of the layer, in its base
   * @param down A, [rank, in]
   * @param up B, [out, rank]
   * @param magnitude the norms that the rows of the sum are given, [out], where there are some
   */
  private record Module(
      String name,
      StreamedTensor down,
      StreamedTensor up,
      double scale,
      Optional<StreamedTensor> magnitude) {}

  private LowRankAdapter(Path file) {
    this.file = file;
  }

  /**
   * Opens an adapter; of its tensors only the header is read.
   *
   * @param adapter a folder of PEFT or a file of MiniMind's
   * @throws IOException if it is damaged, or asks for what cannot be computed
   */
  static LowRankAdapter open(Path adapter) throws IOException {
    if (!Files.isDirectory(adapter)) {
      LowRankAdapter opened = new LowRankAdapter(adapter);
      opened.read("", ".lora.A.weight", ".lora.B.weight", (module, rank) -> 1);
      return opened;
    }
    PeftConfig config = PeftConfig.read(adapter);
    LowRankAdapter opened = new LowRankAdapter(PeftConfig.weights(adapter));
    opened.read(PeftConfig.PREFIX, PeftConfig.A, PeftConfig.B, config::scale);
    for (Module module : opened.modules) {
      config.checkMagnitude(module.name, module.magnitude.isPresent());
    }
    return opened;
  }

  private interface Scale {
    double of(String module, long rank) throws IOException;
  }

  private void read(String prefix, String first, String second, Scale scale) throws IOException {
    Map<String, StreamedTensor> left = new TreeMap<>(WeightFiles.open(file));
    if (left.isEmpty()) {
      throw new IOException(file + " holds no tensors.");
    }
    for (String name : List.copyOf(left.keySet())) {
      if (name.startsWith(prefix) && name.endsWith(first)) {
        String stored = name.substring(0, name.length() - first.length());
        String module = stored.substring(prefix.length());
        StreamedTensor down = left.remove(name);
        StreamedTensor up = left.remove(stored + second);
        if (up == null) {
          throw new IOException("%s holds %s but no %s.".formatted(file, name, stored + second));
        }
        Optional<StreamedTensor> magnitude =
            Optional.ofNullable(left.remove(stored + PeftConfig.MAGNITUDE));
        down.requireReal();
        up.requireReal();
        modules.add(new Module(module, down, up, scale.of(module, down.rows()), magnitude));
      } else if (!prefix.isEmpty() && name.startsWith(prefix) && !name.contains("lora_")) {
        // A module that was saved as a whole.
        String weight = name.substring(prefix.length());
        whole.put(weight, left.remove(name).named(weight));
      }
    }
    if (!left.isEmpty()) {
      throw new IOException(
          "%s holds %s, which is not understood here."
              .formatted(file, left.keySet().iterator().next()));
    }
  }

  /**
   * Merges the adapter into the tensors of its base.
   *
   * @throws IOException if it does not belong to the base
   */
  void mergeInto(TensorSet base) throws IOException {
    for (Module module : modules) {
      String weight = module.name + ".weight";
      base.replace(weight, merged(base.peek(weight), module));
    }
    whole.forEach(base::replace);
  }

  /**
   * The same as an adapter of this project, which has one rank and one strength, and the same
   * layers in every block; empty where this one has not.
   *
   * @param config of the model that it is merged into
   */
  Optional<StoredAdapter> own(ModelConfig config) throws IOException {
    if (modules.isEmpty() || !whole.isEmpty()) {
      return Optional.empty();
    }
    Module first = modules.get(0);
    Map<String, Module> byName = new HashMap<>();
    for (Module module : modules) {
      if (module.down.rows() != first.down.rows()
          || module.scale != first.scale
          || module.magnitude.isPresent()) {
        return Optional.empty();
      }
      byName.put(module.name, module);
    }
    boolean theirs = first.name.startsWith("model.");
    TensorNames names = theirs ? TensorNames.TRANSFORMERS : TensorNames.MINIMIND;
    Map<Parameter, Module> adapted = new LinkedHashMap<>();
    TreeSet<String> targets = new TreeSet<>();
    List<Parameter> all = new Parameters(config).all();
    for (Parameter parameter : all) {
      Module module =
          byName.get(names.module(parameter.role(), parameter.layer(), parameter.expert()));
      if (module != null && parameter.role().adapterTarget().isPresent()) {
        adapted.put(parameter, module);
        targets.add(parameter.role().adapterTarget().get());
      }
    }
    long wanted =
        all.stream()
            .filter(one -> one.role().adapterTarget().filter(targets::contains).isPresent())
            .count();
    if (adapted.size() != modules.size() || wanted != modules.size()) {
      return Optional.empty();
    }
    List<NamedTensor> tensors = new ArrayList<>();
    for (Map.Entry<Parameter, Module> one : adapted.entrySet()) {
      String name = one.getKey().module();
      tensors.add(loaded(one.getValue().down, name + PeftConfig.A));
      LongUnaryOperator order =
          theirs ? HeadOrder.of(one.getKey(), config, RotaryLayout.HALVES) : row -> row;
      tensors.add(loaded(one.getValue().up.reordered(order), name + PeftConfig.B));
    }
    int rank = Math.toIntExact(first.down.rows());
    return Optional.of(
        new StoredAdapter(
            new LowRankAdapters(rank, first.scale * rank, List.copyOf(targets)), tensors));
  }

  private static NamedTensor loaded(StreamedTensor tensor, String name) throws IOException {
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    return NamedTensor.ofFloats(name, tensor.load(), shape);
  }

  private StreamedTensor merged(StreamedTensor matrix, Module module) throws IOException {
    int rank = (int) module.down.rows();
    int in = (int) matrix.rowElements();
    if (matrix.shape().size() != 2
        || module.down.rowElements() != in
        || module.up.rows() != matrix.rows()
        || module.up.rowElements() != rank
        || module.magnitude.isPresent() && module.magnitude.get().elements() != matrix.rows()) {
      throw new IOException(
          "The adapter %s has %s and %s for %s, which do not fit."
              .formatted(file, module.down, module.up, matrix));
    }
    float[] a = module.down.load();
    float[] b = module.up.load();
    StreamedTensor sum =
        new StreamedTensor(
            matrix.name(),
            matrix.shape(),
            matrix.type(),
            (start, into, offset, count) -> {
              matrix.values().read(start, into, offset, count);
              for (int i = 0; i < count; i++) {
                int row = (int) ((start + i) / in);
                int column = (int) ((start + i) % in);
                double product = 0;
                for (int k = 0; k < rank; k++) {
                  product += (double) b[row * rank + k] * a[k * in + column];
                }
                into[offset + i] += (float) product * (float) module.scale;
              }
            });
    return module.magnitude.isEmpty() ? sum : withNorms(sum, module.magnitude.get().load());
  }

  /** DoRA (Liu et al. 2024): each row has the given norm. */
  private static StreamedTensor withNorms(StreamedTensor matrix, float[] norms) throws IOException {
    int width = (int) matrix.rowElements();
    double[] factors = new double[norms.length];
    long[] done = {0};
    matrix.forEachPiece(
        (values, count) -> {
          for (int i = 0; i < count; i++) {
            factors[(int) (done[0]++ / width)] += (double) values[i] * values[i];
          }
        });
    for (int row = 0; row < factors.length; row++) {
      factors[row] = norms[row] / Math.sqrt(factors[row]);
    }
    return new StreamedTensor(
        matrix.name(),
        matrix.shape(),
        matrix.type(),
        (start, into, offset, count) -> {
          matrix.values().read(start, into, offset, count);
          for (int i = 0; i < count; i++) {
            into[offset + i] *= (float) factors[(int) ((start + i) / width)];
          }
        });
  }
}
