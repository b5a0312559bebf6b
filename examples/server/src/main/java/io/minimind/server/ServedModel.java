package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.constraint.TokenConstraint;
import java.time.Instant;

/** A model by its name, with the places that its answers take and the queue before them. */
final class ServedModel {
  private final String name;
  private final LanguageModel model;
  private final int parallel;
  private final int places;
  private final Instant created = Instant.now();
  private int taken; // guarded by this
  private double seconds = 1; // that an answer took, averaged over the last ones; guarded by this

  /**
   * @param parallel answers that are computed together
   * @param queue answers that wait for a place
   */
  ServedModel(String name, LanguageModel model, int parallel, int queue) {
    this.name = name;
    this.model = model;
    this.parallel = parallel;
    places = parallel + queue;
  }

  String name() {
    return name;
  }

  LanguageModel model() {
    return model;
  }

  Instant created() {
    return created;
  }

  /** What may be asked for at once. */
  int places() {
    return places;
  }

  /**
   * Takes places for answers.
   *
   * @throws ApiError if there are not enough, with the time after which there may be
   */
  synchronized void enter(int answers) {
    if (taken + answers > places) {
      double wait = Math.ceil(seconds * Math.max(1, taken) / parallel);
      throw ApiError.busy((int) Math.max(1, Math.min(60, wait)));
    }
    taken += answers;
  }

  /** Gives a place back. */
  synchronized void leave(double took) {
    taken--;
    seconds = 0.8 * seconds + 0.2 * took;
  }

  /** Answers that are computed now. */
  synchronized int active() {
    return Math.min(taken, parallel);
  }

  /** Answers that wait. */
  synchronized int queued() {
    return Math.max(0, taken - parallel);
  }

  /** A constraint to any JSON object. */
  TokenConstraint anyObject() {
    return model.constraints().jsonSchema("{\"type\":\"object\"}");
  }

  /**
   * A constraint to JSON of a schema.
   *
   * @param field that holds the schema
   * @throws ApiError if the schema cannot be met
   */
  TokenConstraint schema(JsonNode schema, String field) {
    try {
      return model.constraints().jsonSchema(schema.toString());
    } catch (IllegalArgumentException e) {
      throw ApiError.invalid(field, e.getMessage());
    }
  }
}
