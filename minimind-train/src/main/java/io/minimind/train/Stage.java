package io.minimind.train;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.minimind.artifact.Objective;
import io.minimind.artifact.Objective.Preference;
import io.minimind.data.ChatEncoder;

/** What a run teaches, with the settings that only this kind of training has. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "name")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Stage.Pretraining.class, name = Stage.Pretraining.NAME),
  @JsonSubTypes.Type(value = Stage.FineTuning.class, name = Stage.FineTuning.NAME),
  @JsonSubTypes.Type(value = Stage.PreferenceTuning.class, name = Stage.PreferenceTuning.NAME)
})
public sealed interface Stage {

  /** The command that trains this stage, which is also its name in {@code settings.json}. */
  String command();

  /** What the training graphs compute. */
  default Objective objective() {
    return new Objective.NextToken();
  }

  /** A model learns to continue texts. */
  record Pretraining() implements Stage {
    static final String NAME = "pretrain";

    @Override
    public String command() {
      return NAME;
    }
  }

  /**
   * A pretrained model learns to answer.
   *
   * @param maxLength tokens to which conversations are cut, at least 2
   * @param loss which answers count
   */
  record FineTuning(int maxLength, ChatEncoder.Loss loss) implements Stage {
    static final String NAME = "sft";

    @Override
    public String command() {
      return NAME;
    }
  }

  /**
   * A model that answers learns which of two answers people prefer.
   *
   * @param from the folder of the model to start from, which is the reference too
   * @param fromWeights the digest of its weights, to notice when they have changed
   * @param maxLength tokens to which a prompt with its answer is cut, at least 4
   */
  record PreferenceTuning(String from, String fromWeights, int maxLength, Preference objective)
      implements Stage {
    static final String NAME = "dpo";

    @Override
    public String command() {
      return NAME;
    }
  }
}
