package io.minimind.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.model.TrainingPrecision;
import io.minimind.task.Pretraining;
import io.minimind.train.TrainingHistory.CorpusFacts;
import java.io.IOException;

/**
 * What {@code settings.json} says: how a run was to be, and what it found when it began. The fields
 * of both lie side by side in the file.
 */
record RunRecord(RunSettings settings, CorpusFacts corpora) {

  private static final String SAMPLES = "samples";
  private static final String CHECKSUMS = "checksums";

  /**
   * @param given what it may name besides what is on the class path
   * @throws JsonProcessingException if the JSON is broken or lacks a setting
   */
  static RunRecord fromJson(byte[] json, Catalog given) throws IOException {
    return of(Json.MAPPER.readTree(json), given);
  }

  static RunRecord of(JsonNode record, Catalog given) throws IOException {
    ObjectNode corpora = Json.MAPPER.createObjectNode();
    if (record instanceof ObjectNode object) {
      addWhatEarlierVersionsLack(object);
      corpora.set(SAMPLES, object.remove(SAMPLES));
      corpora.set(CHECKSUMS, object.remove(CHECKSUMS));
    }
    return new RunRecord(
        Json.with(given).treeToValue(record, RunSettings.class),
        Json.MAPPER.treeToValue(corpora, CorpusFacts.class));
  }

  private static void addWhatEarlierVersionsLack(ObjectNode object) {
    if (!object.has("stage")) {
      object.putObject("stage").put("name", Pretraining.NAME);
    }
    if (!object.has(CHECKSUMS)) {
      object.putArray(CHECKSUMS);
    }
    if (!object.has("precision")) {
      object.put("precision", TrainingPrecision.FLOAT32.name());
    }
    if (object.get("training") instanceof ObjectNode training) {
      if (!training.has("replicas")) {
        training.put("replicas", 1);
      }
      if (!training.has("schedule")) {
        training.set("schedule", Json.MAPPER.valueToTree(LearningRateSchedule.cosine()));
      }
    }
  }

  ObjectNode toTree() {
    ObjectNode record = Json.MAPPER.valueToTree(settings);
    return record.setAll(Json.MAPPER.<ObjectNode>valueToTree(corpora));
  }

  byte[] toJson() throws IOException {
    return Json.MAPPER.writeValueAsBytes(toTree());
  }
}
