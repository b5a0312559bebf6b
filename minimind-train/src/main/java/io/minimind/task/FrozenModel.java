package io.minimind.task;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.files.InputException;
import io.minimind.files.Sha256;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.ModelInTraining;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * A model that a task asks and does not train: the reference of preferences, a teacher.
 *
 * @param folder of the model, float32; two are equal wherever they lie
 * @param digest of its weights and configuration, to notice when they have changed
 */
public record FrozenModel(Folder folder, String digest) {

  /**
   * Where a model lies. All are equal, because what a model is its digest tells: a run goes on with
   * it where it is now.
   */
  public record Folder(@JsonValue String name) {

    @JsonCreator
    public Folder {}

    public Path path() {
      return Path.of(name);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Folder;
    }

    @Override
    public int hashCode() {
      return 0;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** How many characters of a digest tell models apart in the names of files. */
  private static final int SHORT = 16;

  /**
   * The model of a folder as it is now.
   *
   * @throws IOException if its weights or configuration are missing
   */
  public static FrozenModel of(Path folder) throws IOException {
    return new FrozenModel(new Folder(folder.toAbsolutePath().toString()), fingerprint(folder));
  }

  private static String fingerprint(Path folder) throws IOException {
    return Sha256.of(folder.resolve(ModelFolder.CONFIG), folder.resolve(ModelFolder.WEIGHTS));
  }

  /** A name that other models do not have, for files of what it thinks. */
  public String shortDigest() {
    return digest.substring(0, SHORT);
  }

  /**
   * @throws IOException if it is missing or broken
   */
  public ModelConfig config() throws IOException {
    return ModelConfig.read(folder.path().resolve(ModelFolder.CONFIG));
  }

  /** Whether the folder still holds the model. */
  public boolean isUnchanged() throws IOException {
    try {
      return fingerprint(folder.path()).equals(digest);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /**
   * Compares its tokens with those of another model.
   *
   * @param other the folder of that model or its tokenizer, which may have fewer
   * @param role what this model is to the other, for people
   * @throws IOException if one of them is another
   */
  public void requireTokensOf(Path other, String role) throws IOException {
    Tokenizer theirs = Tokenizer.load(folder.path());
    Tokenizer own = Tokenizer.load(other);
    for (int id = 0; id < own.vocabularySize(); id++) {
      String token = own.token(id).orElse("");
      String here = id < theirs.vocabularySize() ? theirs.token(id).orElse("") : "";
      if (!token.equals(here)) {
        throw new InputException(
            "The %s in %s has other tokens than %s, first for id %d: they must be the same."
                .formatted(role, folder, other, id));
      }
    }
  }

  /**
   * Its weights as parameters of a graph in which it stands beside the model that learns.
   *
   * @param config of this model
   * @param name of the model in {@link Objective#frozenModels}
   * @throws IOException if they are missing, broken or quantized
   */
  public List<NamedTensor> weights(ModelConfig config, String name) throws IOException {
    return ModelFolder.weights(folder.path(), config).stream()
        .map(
            each ->
                new NamedTensor(name + "." + each.name(), each.type(), each.shape(), each.data()))
        .toList();
  }

  /**
   * Opens the model to evaluate it, with the roundings of the run that asks.
   *
   * @param work a folder for what the session is made from; made if it is missing
   * @throws IOException if its files are missing or broken, or were changed meanwhile
   */
  public ModelInTraining session(Objective objective, Preparation preparation, Path work)
      throws IOException {
    ModelConfig config = config();
    TrainingArtifacts graphs =
        new TrainingArtifacts(config, objective)
            .with(preparation.precision(), preparation.device().target());
    ModelInTraining session =
        ModelInTraining.builder(graphs)
            .weights(ModelFolder.weights(folder.path(), config))
            .folder(work)
            .device(preparation.device())
            .threads(preparation.threads())
            .openOne();
    // Another run may have written its model there meanwhile.
    if (!isUnchanged()) {
      session.close();
      throw new InputException(
          "The model in " + folder + " was changed while it was read: start again.");
    }
    return session;
  }
}
