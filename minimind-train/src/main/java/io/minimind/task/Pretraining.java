package io.minimind.task;

import io.minimind.data.PretrainingEncoder;
import io.minimind.data.SampleEncoder;
import io.minimind.model.ModelConfig;
import io.minimind.tokenizer.TokenRoles;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/** A model learns to continue texts. */
public record Pretraining() implements Task {

  public static final String NAME = "pretrain";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return PretrainingEncoder.load(tokenizer, model.maxLength());
  }

  /** The text as training began it: the model goes on with it. */
  @Override
  public UnaryOperator<String> promptForm(Path model) throws IOException {
    String begin = TokenRoles.load(model, Tokenizer.load(model)).begin().orElse("");
    return text -> begin + text;
  }
}
