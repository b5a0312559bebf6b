package io.minimind.task;

import io.minimind.data.ChatEncoder;
import io.minimind.data.SampleEncoder;
import io.minimind.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A pretrained model learns to answer.
 *
 * @param maxLength tokens to which conversations are cut, at least 2
 * @param loss which answers count
 */
public record FineTuning(int maxLength, ChatEncoder.Loss loss) implements Task {

  public static final String NAME = "sft";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return ChatEncoder.load(tokenizer, maxLength, loss);
  }
}
