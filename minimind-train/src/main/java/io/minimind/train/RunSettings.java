package io.minimind.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.graph.Target;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
import io.minimind.task.Preparation;
import io.minimind.task.Pretraining;
import io.minimind.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a run is made of, kept in {@code settings.json} so that it can be resumed without being told
 * again.
 *
 * @param task what it teaches, {@code stage} in the file; runs of earlier versions, which do not
 *     say, are pretraining
 * @param lora the adapters that are trained in place of the model's own weights, if any
 * @param precision of the matrix products; float32 in runs of earlier versions, which do not say
 * @param data the corpus file
 * @param validationData a corpus file to validate on
 * @param validationFraction the share of the rows that is held out where there is no such file; 0
 *     for none
 * @param samples rows that the run learns from, to notice when the data has changed
 * @param checksums for the same reason those of the encoded files, {@code data} first; none in runs
 *     of earlier versions
 */
public record RunSettings(
    @JsonProperty("stage") Task task,
    ModelConfig model,
    Optional<LowRankAdapters> lora,
    TrainingPrecision precision,
    TrainingSettings training,
    String data,
    Optional<String> validationData,
    double validationFraction,
    long samples,
    List<String> checksums) {

  /** A checkpoint of more would exceed the runtime's 2 GB. */
  private static final long MOST_NUMBERS = Integer.MAX_VALUE / Float.BYTES;

  /**
   * @throws IllegalArgumentException if the model is too large to be saved
   */
  public RunSettings {
    checksums = List.copyOf(checksums);
    // What is trained is saved with Adam's two moments.
    long frozen = lora.isPresent() ? model.parameterCount() : 0;
    long most = (MOST_NUMBERS - frozen) / 3;
    if (trained(task, model, lora) > most) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A model of %,d parameters cannot be trained%s: checkpoints hold at most %,d.",
              model.parameterCount(),
              lora.isPresent() ? " with these adapters" : "",
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

  public RunSettings withCorpora(long samples, List<String> checksums) {
    return new RunSettings(
        task,
        model,
        lora,
        precision,
        training,
        data,
        validationData,
        validationFraction,
        samples,
        checksums);
  }

  /** These settings where the files have moved. */
  public RunSettings withFiles(Task task, Path data, Optional<Path> validationData) {
    return new RunSettings(
        task,
        model,
        lora,
        precision,
        training,
        data.toAbsolutePath().toString(),
        validationData.map(file -> file.toAbsolutePath().toString()),
        validationFraction,
        samples,
        checksums);
  }

  /** The files that are learnt from and validated on. */
  public List<Path> files() {
    return Stream.concat(Stream.of(data), validationData.stream()).map(Path::of).toList();
  }

  /**
   * @param given what it may name besides what is on the class path
   * @throws JsonProcessingException if the JSON is broken or lacks a setting
   */
  static RunSettings fromJson(byte[] json, Catalog given) throws IOException {
    JsonNode settings = Json.MAPPER.readTree(json);
    if (settings instanceof ObjectNode object) {
      if (!object.has("stage")) {
        object.putObject("stage").put("name", Pretraining.NAME);
      }
      if (!object.has("lora")) {
        object.putNull("lora");
      }
      if (!object.has("checksums")) {
        object.putArray("checksums");
      }
      if (!object.has("precision")) {
        object.put("precision", TrainingPrecision.FLOAT32.name());
      }
      if (object.get("training") instanceof ObjectNode training) {
        if (!training.has("replicas")) {
          training.put("replicas", 1);
        }
        if (!training.has("schedule")) {
          training.set("schedule", Json.MAPPER.valueToTree(Schedules.cosine()));
        }
      }
    }
    return Json.with(given).treeToValue(settings, RunSettings.class);
  }

  /** The graphs that train this run on a kind of device. */
  TrainingArtifacts artifacts(Target target) {
    return new TrainingArtifacts(model, task.objective(), lora).with(precision, target);
  }

  /** For whom and where its task computes what it must know of samples beforehand. */
  public Preparation preparation(Device device, int threads, Preparation.Progress progress) {
    return new Preparation(model, precision, on(device), threads, progress);
  }

  /** A device, used as this run uses it. */
  Device on(Device device) {
    return device.with(device.cuda().withTf32(precision == TrainingPrecision.TF32));
  }

  byte[] toJson() throws IOException {
    return Json.MAPPER.writeValueAsBytes(this);
  }
}
