package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;

/** What the model of a new run begins as. */
sealed interface StartModel {

  /** The folder of its tokenizer. */
  Path tokenizer();

  /**
   * Its architecture.
   *
   * @throws IOException if tokenizer or model cannot be read
   */
  ModelConfig config() throws IOException;

  /**
   * Every parameter of this architecture.
   *
   * @param seed of those that are random
   * @throws IOException if the model cannot be read
   */
  List<NamedTensor> weights(ModelConfig config, long seed) throws IOException;

  /**
   * How it came to be.
   *
   * @param catalog what its history may name besides what is on the class path
   * @throws IOException if its history is damaged
   */
  TrainingHistory history(Catalog catalog) throws IOException;

  /**
   * @param architecture by how many tokens the tokenizer has
   */
  record RandomWeights(Path tokenizer, IntFunction<ModelConfig> architecture)
      implements StartModel {

    @Override
    public ModelConfig config() throws IOException {
      int tokens = Tokenizer.load(tokenizer).vocabularySize();
      ModelConfig config = architecture.apply(tokens);
      if (tokens > config.vocabularySize()) {
        throw new InputException(
            "The tokenizer in %s has %d tokens, but the model is to know only %d: give it a vocabularySize of at least as many."
                .formatted(tokenizer, tokens, config.vocabularySize()));
      }
      return config;
    }

    @Override
    public List<NamedTensor> weights(ModelConfig config, long seed) {
      return new Parameters(config).start(seed);
    }

    @Override
    public TrainingHistory history(Catalog catalog) {
      return TrainingHistory.NONE;
    }
  }

  /** A float32 model in a folder. */
  record TrainedWeights(Path folder) implements StartModel {

    @Override
    public Path tokenizer() {
      return folder;
    }

    @Override
    public ModelConfig config() throws IOException {
      ModelConfig config = ModelConfig.read(folder.resolve(ModelFolder.CONFIG));
      int tokens = Tokenizer.load(folder).vocabularySize();
      if (tokens > config.vocabularySize()) {
        throw new InputException(
            "%s mixes two models: its tokenizer has %d tokens, its config.json only %d."
                .formatted(folder, tokens, config.vocabularySize()));
      }
      ModelFolder.weights(folder, config); // Says what is wrong before the rows are encoded.
      return config;
    }

    @Override
    public List<NamedTensor> weights(ModelConfig config, long seed) throws IOException {
      return ModelFolder.weights(folder, config);
    }

    @Override
    public TrainingHistory history(Catalog catalog) throws IOException {
      return TrainingHistory.of(folder, catalog);
    }
  }
}
