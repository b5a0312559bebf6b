package io.minimind.preference;

import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.model.ModelConfig;
import io.minimind.task.FrozenModel;
import io.minimind.task.Preparation;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A model that answers learns from answers that people found good or bad, each by itself. Rows are
 * {@code prompt}, {@code completion} or {@code answer}, and {@code label}; or where the objective
 * has two answers to a row, pairs as for {@link PreferenceTuning}, of which the chosen one is good
 * and the rejected one bad.
 *
 * @param from the folder of the model to start from, which is the reference too
 * @param fromWeights the digest of its weights, to notice when they have changed
 * @param maxLength tokens to which a prompt with its answer is cut, at least 4
 */
public record KahnemanTverskyOptimization(
    FrozenModel.Folder from, String fromWeights, int maxLength, KahnemanTverskyObjective objective)
    implements Task {

  public static final String NAME = "kto";

  /**
   * The task for a model as it is now.
   *
   * @param from the folder of the model to start from
   * @throws IOException if its weights or configuration are missing
   */
  public static KahnemanTverskyOptimization of(
      Path from, int maxLength, KahnemanTverskyObjective objective) throws IOException {
    FrozenModel reference = FrozenModel.of(from);
    return new KahnemanTverskyOptimization(
        reference.folder(), reference.digest(), maxLength, objective);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return objective.answers() == 1
        ? new JudgedAnswers(AnswerEncoder.load(tokenizer, maxLength))
        : PreferenceEncoder.load(tokenizer, maxLength);
  }

  @Override
  public Samples prepare(Samples samples, Preparation preparation) throws IOException {
    FrozenModel reference = new FrozenModel(from, fromWeights);
    return new ReferenceLogProbabilities(reference, "mismatched-")
        .openOrCompute(MismatchedAnswers.of(samples), preparation);
  }
}
