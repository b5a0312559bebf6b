package io.minimind.preference;

import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.data.TokenShards;
import io.minimind.model.ModelConfig;
import io.minimind.task.Preparation;
import io.minimind.task.Task;
import io.minimind.train.StartWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A model that answers learns which of two answers people prefer.
 *
 * @param from the folder of the model to start from, which is the reference too
 * @param fromWeights the digest of its weights, to notice when they have changed
 * @param maxLength tokens to which a prompt with its answer is cut, at least 4
 */
public record PreferenceTuning(
    String from, String fromWeights, int maxLength, PreferenceObjective objective) implements Task {

  public static final String NAME = "dpo";

  /**
   * The task for a model as it is now.
   *
   * @param from the folder of the model to start from
   * @throws IOException if its weights or configuration are missing
   */
  public static PreferenceTuning of(Path from, int maxLength, PreferenceObjective objective)
      throws IOException {
    return new PreferenceTuning(
        from.toAbsolutePath().toString(), StartWeights.fingerprint(from), maxLength, objective);
  }

  /** Wherever the folder lies: a run goes on with it where it is now. */
  @Override
  public boolean equals(Object other) {
    return other instanceof PreferenceTuning tuning
        && fromWeights.equals(tuning.fromWeights)
        && maxLength == tuning.maxLength
        && objective.equals(tuning.objective);
  }

  @Override
  public int hashCode() {
    return Objects.hash(fromWeights, maxLength, objective);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return PreferenceEncoder.load(tokenizer, maxLength);
  }

  @Override
  public Samples prepare(TokenShards shards, Preparation preparation) throws IOException {
    return ReferenceLogProbabilities.openOrCompute(shards, this, preparation);
  }
}
