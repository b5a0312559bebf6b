package io.minimind.distillation;

import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.model.ModelConfig;
import io.minimind.task.FineTuning;
import io.minimind.task.FrozenModel;
import io.minimind.task.Preparation;
import io.minimind.task.Task;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A student learns to answer as a teacher does, a model of any size with the same tokens. The
 * teacher stands beside the student in training, or is asked beforehand, and what it thinks is kept
 * beside the encoded conversations.
 *
 * @param teacher the folder of its model
 * @param teacherWeights the digest of its weights, to notice when they have changed
 * @param conversations what is learnt from
 */
public record Distillation(
    FrozenModel.Folder teacher,
    String teacherWeights,
    FineTuning conversations,
    DistillationObjective objective)
    implements Task {

  public static final String NAME = "distill";

  /**
   * The task for a teacher as it is now.
   *
   * @param teacher the folder of its model, float32
   * @param student the folder of the student's tokenizer
   * @param conversations what is learnt from
   * @param top tokens of the teacher that are kept beforehand, or 0 for one beside the student
   * @param alpha the share of the text, {@link DistillationObjective}
   * @throws IOException if the teacher is missing or broken, or has other tokens than the student
   * @throws IllegalArgumentException if a value is out of its range, the teacher cannot read texts
   *     of that length, or conversations share rows
   */
  public static Distillation of(
      Path teacher,
      Path student,
      FineTuning conversations,
      int top,
      double alpha,
      double temperature)
      throws IOException {
    if (conversations.packing()) {
      throw new ArgumentException(
          "A teacher reads each conversation in a row of its own: leave out packing.");
    }
    FrozenModel model = FrozenModel.of(teacher);
    ModelConfig config = model.config();
    if (config.maxLength() < conversations.maxLength()) {
      throw new ArgumentException(
          "The teacher in %s reads %d tokens at most: conversations of %d are too long for it."
              .formatted(teacher, config.maxLength(), conversations.maxLength()));
    }
    model.requireTokensOf(student, "teacher");
    return new Distillation(
        model.folder(),
        model.digest(),
        conversations,
        new DistillationObjective(config, top, alpha, temperature));
  }

  private FrozenModel model() {
    return new FrozenModel(teacher, teacherWeights);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    if (objective.teacher().vocabularySize() < model.vocabularySize()) {
      throw new InputException(
          "The teacher in %s knows %d tokens, fewer than the %d of the student."
              .formatted(teacher, objective.teacher().vocabularySize(), model.vocabularySize()));
    }
    return conversations.encoder(model, tokenizer);
  }

  @Override
  public List<NamedTensor> frozenWeights() throws IOException {
    if (!objective.live()) {
      return List.of();
    }
    FrozenModel model = model();
    if (!model.isUnchanged()) {
      throw new InputException(
          teacher + " no longer holds the model that was to be the teacher: start again.");
    }
    return model.weights(objective.teacher(), DistillationObjective.TEACHER);
  }

  @Override
  public Samples prepare(Samples samples, Preparation preparation) throws IOException {
    return objective.live()
        ? samples
        : TeacherFile.openOrAsk(samples, model(), objective, preparation);
  }
}
