package io.minimind.runtime;

import io.minimind.artifact.DecoderArtifact;
import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.infer.DecoderInMemory;
import io.minimind.infer.DecoderInMemory.Weight;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A model in training that writes with its present weights: no folder lies between.
 *
 * <pre>{@code
 * try (LiveModel live = LiveModel.open(training, config, Optional.empty(), folder, options)) {
 *   String before = live.model().generate("<s>Once", generation).text();
 *   training.optimizerStep(rate);
 *   String after = live.model().generate("<s>Once", generation).text();
 * }
 * }</pre>
 *
 * <p>With a batch size of 1 the model reads the weights where training keeps them. With a larger
 * one the runtime keeps a copy of them in the order in which the processor multiplies with several
 * rows, without which a step takes up to three times as long; the copy is made anew once for all
 * updates since the last call of {@link #model}.
 *
 * <p>What is written while an optimizer step runs comes from weights that are partly old and partly
 * new. A chat keeps what it has computed: begin another after an update. This and the model in
 * training may be closed in any order.
 */
public final class LiveModel implements AutoCloseable {

  private final SharedWeights weights;
  private final Set<String> names;
  private final byte[] graph;
  private final Path folder;
  private final LoadOptions options;
  private LanguageModel model; // null until it is asked for
  private boolean open = true;

  private LiveModel(
      SharedWeights weights, Set<String> names, byte[] graph, Path folder, LoadOptions options) {
    this.weights = weights;
    this.names = names;
    this.graph = graph;
    this.folder = folder;
    this.options = options;
  }

  /**
   * @param training a model on one device or several; the weights are those of the first
   * @param adapters those that are trained, if any
   * @param folder holds {@code config.json}, {@code generation_config.json}, the tokenizer and the
   *     chat template, as the folder of a run does
   */
  public static LiveModel open(
      ModelInTraining training,
      ModelConfig config,
      Optional<LowRankAdapters> adapters,
      Path folder,
      LoadOptions options) {
    byte[] graph = DecoderArtifact.inMemory(config, adapters).toByteArray();
    // What an objective trains besides is no part of the model.
    Set<String> names =
        new TrainingArtifacts(config, new Objective.NextToken(), adapters)
            .parameters().stream().map(Parameter::name).collect(Collectors.toSet());
    return new LiveModel(training.weights(), names, graph, folder, options);
  }

  /**
   * The model with the weights of the last update: the same each time, and it need not be closed.
   *
   * @throws IOException if a file is missing or broken
   * @throws IllegalStateException if this is closed
   */
  public synchronized LanguageModel model() throws IOException {
    if (!open) {
      throw new IllegalStateException("The model in training can no longer be asked to write.");
    }
    boolean changed = weights.refresh();
    if (model == null) {
      model = LanguageModel.open(folder, decoder(), options);
    } else if (changed && options.batchSize() > 1) {
      model.renew(decoder());
    }
    return model;
  }

  private DecoderInMemory decoder() {
    return new DecoderInMemory(graph, views(), options.batchSize() > 1);
  }

  private List<Weight> views() {
    return weights.tensors().stream()
        .filter(tensor -> names.contains(tensor.name()))
        .map(tensor -> new Weight(tensor.name(), tensor.floats(), tensor.shape()))
        .toList();
  }

  private void closeModel() {
    if (model != null) {
      model.close();
      model = null;
    }
  }

  /** Ends what is being written and lets go of the weights. */
  @Override
  public synchronized void close() {
    open = false;
    closeModel();
    weights.close();
  }
}
