package program;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.artifact.ForwardPass;
import io.minimind.artifact.Objective;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import io.minimind.graph.Tensor;
import io.minimind.graph.operator.Operators;
import io.minimind.model.ModelConfig;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Texts of which some count more than others, and in each its first tokens more than the rest. */
public record WeightedTexts(int first, float factor) implements Task, Objective {
  private static final BatchInput LABELS = BatchInput.floats("label_weights", Extent.TOKEN);
  private static final BatchInput TEXTS = BatchInput.floats("text_weights", Extent.ROW);

  @Override
  public String name() {
    return "weighted-texts";
  }

  @Override
  public Objective objective() {
    return this;
  }

  @Override
  public List<BatchInput> inputs() {
    return List.of(LABELS, TEXTS);
  }

  @Override
  public Tensor loss(ForwardPass pass) {
    Operators op = pass.operators();
    Tensor losses = op.crossEntropy(pass.logits(), pass.labels(), PerToken.NO_LABEL);
    Tensor texts = pass.toTokens(pass.input(TEXTS.name()));
    return pass.mean(op.multiply(losses, op.multiply(texts, pass.input(LABELS.name()))));
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    PretrainingEncoder texts = PretrainingEncoder.load(tokenizer, model.maxLength());
    return texts.with(List.of("weight"), inputs(), toString(), this::weighted);
  }

  private Sample weighted(Sample text, List<String> cells) {
    float[] labels = new float[text.ids().length];
    Arrays.fill(labels, 1);
    Arrays.fill(labels, 0, Math.min(first, labels.length), factor);
    return text.with(LABELS.name(), labels).with(TEXTS.name(), Float.parseFloat(cells.get(0)));
  }
}
