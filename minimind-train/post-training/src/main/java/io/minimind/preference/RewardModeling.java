package io.minimind.preference;

import io.minimind.artifact.Objective;
import io.minimind.data.ChatEncoder;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.SampleEncoder;
import io.minimind.data.Variation;
import io.minimind.model.ModelConfig;
import io.minimind.task.Task;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model that answers becomes one that says what answers are worth, from pairs as for {@link
 * PreferenceTuning}. What is exported is a {@link RewardModel}.
 *
 * @param maxLength tokens to which a prompt with its answer is cut, at least 4
 * @param conversations what varies where the pairs are conversations; nothing where a prompt has
 *     two answers
 */
public record RewardModeling(int maxLength, Optional<Variation> conversations) implements Task {

  public static final String NAME = "reward";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Objective objective() {
    return new RewardObjective();
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return new ScoredAnswers(
        conversations.isEmpty()
            ? PreferenceEncoder.load(tokenizer, maxLength)
            : new ConversationPairs(
                ChatEncoder.load(tokenizer, maxLength, Loss.ALL_TURNS).with(conversations.get())));
  }

  @Override
  public void export(
      Path folder, ModelConfig model, List<NamedTensor> weights, List<NamedTensor> own)
      throws IOException {
    RewardModel.write(folder, model, weights, own);
  }
}
