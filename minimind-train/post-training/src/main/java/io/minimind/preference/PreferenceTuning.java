package io.minimind.preference;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.minimind.data.ChatEncoder;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.data.Variation;
import io.minimind.model.ModelConfig;
import io.minimind.task.FrozenModel;
import io.minimind.task.Preparation;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model that answers learns which of two answers people prefer.
 *
 * @param from the folder of the model to start from, which is the reference too
 * @param fromWeights the digest of its weights, to notice when they have changed
 * @param maxLength tokens to which a prompt with its answer is cut, at least 4
 * @param conversations what varies where the pairs are conversations, of which every answer counts;
 *     nothing where a prompt has two answers
 */
public record PreferenceTuning(
    FrozenModel.Folder from,
    String fromWeights,
    int maxLength,
    PreferenceObjective objective,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<Variation> conversations)
    implements Task {

  public static final String NAME = "dpo";

  /**
   * The task for a model as it is now.
   *
   * @param from the folder of the model to start from
   * @throws IOException if its weights or configuration are missing
   */
  public static PreferenceTuning of(Path from, int maxLength, PreferenceObjective objective)
      throws IOException {
    FrozenModel reference = FrozenModel.of(from);
    return new PreferenceTuning(
        reference.folder(), reference.digest(), maxLength, objective, Optional.empty());
  }

  /**
   * The same from pairs of whole conversations, in which every answer counts. They are cut at their
   * end.
   *
   * @param variation what is drawn for each of them
   */
  public PreferenceTuning onConversations(Variation variation) {
    return new PreferenceTuning(from, fromWeights, maxLength, objective, Optional.of(variation));
  }

  /** The model to start from. */
  FrozenModel reference() {
    return new FrozenModel(from, fromWeights);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return conversations.isEmpty()
        ? PreferenceEncoder.load(tokenizer, maxLength)
        : new ConversationPairs(
            ChatEncoder.load(tokenizer, maxLength, Loss.ALL_TURNS).with(conversations.get()));
  }

  @Override
  public Samples prepare(Samples samples, Preparation preparation) throws IOException {
    return objective.variant().hasReference()
        ? new ReferenceLogProbabilities(reference(), "").openOrCompute(samples, preparation)
        : samples;
  }
}
