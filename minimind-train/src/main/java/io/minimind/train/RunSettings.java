package io.minimind.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.distributed.ProcessGroup;
import io.minimind.files.ArgumentException;
import io.minimind.graph.Target;
import io.minimind.model.Experts;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.task.Preparation;
import io.minimind.task.Task;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * What a run is to be, kept in {@code settings.json} so that it can be resumed without being told
 * again.
 *
 * @param task what it teaches, {@code stage} in the file; runs of earlier versions, which do not
 *     say, are pretraining
 * @param lora the adapters that are trained in place of the model's own weights, if any
 * @param precision of the matrix products; float32 in runs of earlier versions, which do not say
 * @param data name of the rows that it learns from, of a file its path
 * @param validationData name of the rows that it validates on, if there are any of their own
 * @param validationFraction the share of the rows that is held out where there are none; 0 for none
 */
public record RunSettings(
    @JsonProperty("stage") Task task,
    ModelConfig model,
    Optional<LowRankAdapters> lora,
    TrainingPrecision precision,
    TrainingSettings training,
    String data,
    Optional<String> validationData,
    double validationFraction) {

  /** A checkpoint of more would exceed the runtime's 2 GB. */
  private static final long MOST_NUMBERS = Integer.MAX_VALUE / Float.BYTES;

  /**
   * @throws IllegalArgumentException if the model is too large to be saved, or cannot learn what
   *     the task teaches
   */
  public RunSettings {
    Experts.Balance balance = model.experts().balance();
    if (task.objective().takesPackedRows()
        && balance.weight() > 0
        && balance.scope() == Experts.Balance.Scope.ROW) {
      throw new ArgumentException(
          "The balance loss of this model's experts is one of each row, so that no row may hold"
              + " several samples: train it without packing, or set its aux_loss_alpha to 0.");
    }
    // What is trained is saved with Adam's two moments.
    long frozen =
        (lora.isPresent() ? model.parameterCount() : 0)
            + task.objective().frozenModels().values().stream()
                .mapToLong(ModelConfig::parameterCount)
                .sum();
    long most = (MOST_NUMBERS - frozen) / 3;
    if (trained(task, model, lora) > most) {
      throw new ArgumentException(
          String.format(
              Locale.ROOT,
              "A model of %,d parameters cannot be trained%s: checkpoints hold at most %,d.",
              model.parameterCount(),
              lora.isPresent()
                  ? " with these adapters"
                  : frozen > 0 ? " with the models that it learns from" : "",
              lora.isPresent() ? MOST_NUMBERS : most));
    }
  }

  /** Number of parameters that are trained: those of the adapters where there are some. */
  public long trainedParameters() {
    return trained(task, model, lora);
  }

  private static long trained(Task task, ModelConfig model, Optional<LowRankAdapters> lora) {
    return lora.isEmpty()
        ? model.parameterCount()
        : new TrainingArtifacts(model, task.objective(), lora)
            .trainableParameters().stream()
                .mapToLong(parameter -> parameter.shape().elements().extent())
                .sum();
  }

  /** With a task that is equal, and the places where the rows are now. */
  RunSettings movedTo(Task task, String data, Optional<String> validationData) {
    return new RunSettings(
        task, model, lora, precision, training, data, validationData, validationFraction);
  }

  /** The first setting that other settings have another value for, in words. */
  Optional<String> difference(RunSettings other) {
    return difference("", Json.MAPPER.valueToTree(this), Json.MAPPER.valueToTree(other));
  }

  private static Optional<String> difference(String name, JsonNode begun, JsonNode given) {
    if (!begun.isObject() || !given.isObject()) {
      return begun.equals(given)
          ? Optional.empty()
          : Optional.of("%s was %s, and is %s now".formatted(name, begun, given));
    }
    return begun.properties().stream()
        .flatMap(
            field ->
                difference(field.getKey(), field.getValue(), given.path(field.getKey())).stream())
        .findFirst();
  }

  /** The graphs that train this run on a kind of device. */
  TrainingArtifacts artifacts(Target target) {
    return new TrainingArtifacts(model, task.objective(), lora).with(precision, target);
  }

  /** For whom and where its task computes what it must know of samples beforehand. */
  Preparation preparation(
      Corpora.Place place, Path folder, ProcessGroup group, Preparation.Progress progress) {
    return new Preparation(
        model, precision, on(place.device()), place.threads(), folder, group, progress);
  }

  /** A device, used as this run uses it. */
  Device on(Device device) {
    return device.withTf32(precision == TrainingPrecision.TF32);
  }
}
