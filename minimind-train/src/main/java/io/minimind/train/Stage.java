package io.minimind.train;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** What a run teaches, with the settings that only this kind of training has. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "name")
@JsonSubTypes(@JsonSubTypes.Type(value = Stage.Pretraining.class, name = Stage.Pretraining.NAME))
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
}
