package io.minimind.train;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.minimind.data.ChatEncoder;

/** What a run teaches, with the settings that only this kind of training has. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "name")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Stage.Pretraining.class, name = Stage.Pretraining.NAME),
  @JsonSubTypes.Type(value = Stage.FineTuning.class, name = Stage.FineTuning.NAME)
})
public sealed interface Stage {

  /** The command that trains this stage, which is also its name in {@code settings.json}. */
  String command();

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
}
