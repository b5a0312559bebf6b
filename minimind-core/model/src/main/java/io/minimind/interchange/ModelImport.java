package io.minimind.interchange;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.StoredAdapter;
import io.minimind.files.NewFolder;
import io.minimind.files.TemporaryFolder;
import io.minimind.model.ModelConfig;
import io.minimind.model.Precision;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Makes a model folder of a model of another project.
 *
 * <pre>{@code
 * ModelImport.from(Path.of("Qwen3-0.6B")).precision(Precision.INT8).to(Path.of("qwen"));
 * }</pre>
 *
 * <p>The source is a folder of transformers (safetensors, in shards or not, or {@code
 * pytorch_model.bin}), a file of MiniMind's ({@code .pth}), a GGUF file, or an adapter of PEFT with
 * its base. Weights are read piece by piece, so memory stays below twice the largest tensor. What
 * cannot be computed exactly is refused with the field or tensor for which it cannot.
 */
public final class ModelImport {

  /** Told how far it is. */
  @FunctionalInterface
  public interface Progress {

    /**
     * @param done tensors written; two for a matrix that is quantized
     * @param total tensors to be read
     */
    void update(long done, long total);
  }

  /**
   * What was imported.
   *
   * @param notes sentences about what was taken for granted because the source does not say it
   */
  public record Result(ModelConfig config, List<String> notes) {}

  private final Path source;
  private Optional<Path> base = Optional.empty();
  private Optional<Path> adapter = Optional.empty();
  private Optional<Path> tokenizer = Optional.empty();
  private final ObjectNode settings = Json.MAPPER.createObjectNode();
  private OptionalInt contextLength = OptionalInt.empty();
  private Precision precision = Precision.FLOAT32;
  private Progress progress = (done, total) -> {};

  private ModelImport(Path source) {
    this.source = source;
  }

  /**
   * Begins an import.
   *
   * @param source a folder or a file
   */
  public static ModelImport from(Path source) {
    return new ModelImport(source);
  }

  /** The model to which the source, an adapter, belongs. */
  public ModelImport base(Path base) {
    this.base = Optional.of(base);
    return this;
  }

  /**
   * An adapter to merge into the source: a folder of PEFT, or a file of MiniMind's. Where it has
   * one rank and strength and the same layers in every block, it is also kept beside the model, as
   * training keeps one, and can be exported again.
   */
  public ModelImport adapter(Path adapter) {
    this.adapter = Optional.of(adapter);
    return this;
  }

  /** The folder of the tokenizer, where the source has none. */
  public ModelImport tokenizer(Path folder) {
    this.tokenizer = Optional.of(folder);
    return this;
  }

  /**
   * What the source does not say of the model, such as how many heads a {@code .pth} has.
   *
   * @param field as in {@code config.json}, for example {@code num_attention_heads}
   * @param value JSON
   * @throws IllegalArgumentException if the value is none
   */
  public ModelImport set(String field, String value) {
    try {
      settings.set(field, Json.MAPPER.readTree(value));
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "The setting %s is %s: expected a number, true or false.".formatted(field, value), e);
    }
    return this;
  }

  /** A context shorter than the source's, which saves memory; none longer. */
  public ModelImport contextLength(int positions) {
    this.contextLength = OptionalInt.of(positions);
    return this;
  }

  /** How matrices are kept; float32 at first, which is what can be trained further. */
  public ModelImport precision(Precision precision) {
    this.precision = precision;
    return this;
  }

  public ModelImport progress(Progress progress) {
    this.progress = progress;
    return this;
  }

  /**
   * Imports the model.
   *
   * @param folder created if it is not there; it must be empty, and is complete or not there at all
   * @throws IOException with one sentence, if the source cannot be read, is damaged, or is a model
   *     that cannot be computed exactly; or if the folder cannot be written
   */
  public Result to(Path folder) throws IOException {
    try {
      return run(folder);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException("%s cannot be imported: %s".formatted(source, e.getMessage()), e);
    }
  }

  private Result run(Path folder) throws IOException {
    if (Files.notExists(source)) {
      throw new IOException("There is no model at " + source + ": check the path.");
    }
    if (Files.isDirectory(source) && PeftConfig.isIn(source)) {
      if (base.isEmpty()) {
        throw new IOException(
            "%s is an adapter, which is no model by itself: name the folder of its base%s."
                .formatted(source, PeftConfig.base(source).map(", "::concat).orElse("")));
      }
      adapter = Optional.of(source);
    }
    Path model = base.orElse(source);
    Source read = Source.of(model, tokenizer, settings);
    Architecture architecture = read.architecture();
    ModelConfig config = withContext(architecture.config());
    Optional<StoredAdapter> kept = Optional.empty();
    if (adapter.isPresent()) {
      LowRankAdapter opened = LowRankAdapter.open(adapter.get());
      opened.mergeInto(read.tensors());
      kept = opened.own(config);
    }
    List<StreamedTensor> parameters =
        new Architecture(config, architecture.layout()).parameters(read.tensors());
    try (TemporaryFolder temporary = TemporaryFolder.create()) {
      Path tokenizerFolder = read.tokenizer(temporary.path());
      Tokenizer loaded = Tokenizer.load(tokenizerFolder);
      requireRoom(loaded, config);
      try (NewFolder made = NewFolder.at(folder)) {
        ModelFolder.writeConfiguration(made.path(), config, precision, tokenizerFolder);
        Json.write(
            made.path().resolve(ModelFolder.GENERATION_CONFIG),
            read.generation(loaded, tokenizerFolder));
        long total = parameters.size();
        long[] done = {0};
        ModelFolder.writeStreamed(
            made.path(), config, precision, parameters, () -> progress.update(++done[0], total));
        if (kept.isPresent()) {
          kept.get().write(made.path());
        }
        made.finish();
      }
    }
    return new Result(config, read.notes());
  }

  private ModelConfig withContext(ModelConfig config) throws IOException {
    int positions = contextLength.orElse(config.maxLength());
    if (positions > config.maxLength()) {
      throw new IOException(
          "The model knows %d positions: a context of %d is more."
              .formatted(config.maxLength(), positions));
    }
    // The angles of all positions are part of the graph, whose file may have 2 GB.
    if ((long) positions * config.headSize() > 1L << 27) {
      throw new IOException(
          "max_position_embeddings is %d, which is more than a graph holds: choose a shorter context."
              .formatted(positions));
    }
    return config.toBuilder().maxLength(positions).build();
  }

  private void requireRoom(Tokenizer tokenizer, ModelConfig config) throws IOException {
    if (tokenizer.vocabularySize() > config.vocabularySize()) {
      int id = tokenizer.vocabularySize() - 1;
      throw new IOException(
          "The tokenizer of %s has the token %s with the id %d, but the embedding has %d rows."
              .formatted(source, tokenizer.token(id).orElse("?"), id, config.vocabularySize()));
    }
  }
}
