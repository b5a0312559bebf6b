package io.minimind.examples;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.FolderLock;
import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.files.JsonErrors;
import io.minimind.files.SealedJson;
import io.minimind.files.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a course is made of and how far it is, kept in {@code course.json} in its folder.
 *
 * @param data the digests of the files that are learnt from
 * @param prompts what is put to the model after every stage
 * @param stages those that are finished
 */
record CourseRecord(
    Recipe recipe, Map<String, String> data, List<String> prompts, List<StageResult> stages) {

  /**
   * A finished stage.
   *
   * @param name its folder
   * @param summary what it did, in a line
   * @param seconds it took
   * @param answers to the prompts, by the model as it was then; none if there was no model yet
   */
  record StageResult(
      String name, String title, String summary, double seconds, List<String> answers) {

    /** What it did and how long it took. */
    String line() {
      return summary + ", " + ConsoleReport.duration(seconds) + ".";
    }
  }

  private static final String FILE = "course.json";

  private static final ObjectMapper JSON =
      StrictJson.mapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);

  /**
   * Begins a course, or goes on with the one in a folder.
   *
   * @throws IOException if the folder holds a course with another recipe or other data
   */
  static CourseRecord open(Path folder, Recipe recipe, CourseData data) throws IOException {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      CourseRecord begun = new CourseRecord(recipe, data.digests(), data.prompts(), List.of());
      begun.write(folder);
      return begun;
    }
    CourseRecord begun;
    try {
      begun = read(SealedJson.open(Files.readAllBytes(file), file));
    } catch (JsonProcessingException e) {
      throw new InputException(
          "%s is not valid: %s. Choose another --out, or delete the folder to start anew."
              .formatted(file, JsonErrors.reason(e)),
          e);
    }
    begun.requireSame(folder, recipe, data);
    return begun;
  }

  private static CourseRecord read(byte[] json) throws IOException {
    JsonNode record = JSON.readTree(json);
    if (record.get("recipe") instanceof ObjectNode recipe) { // Earlier versions had no choice.
      recipe.putIfAbsent("seed", LongNode.valueOf(Recipe.SEED));
      recipe.putIfAbsent("precision", TextNode.valueOf(ChosenPrecision.FLOAT32.toString()));
    }
    return JSON.treeToValue(record, CourseRecord.class);
  }

  /**
   * @throws IOException if a folder holds other files than those of a course
   */
  static void requireCourseOrNothing(Path folder) throws IOException {
    if (Files.isDirectory(folder) && !Files.exists(folder.resolve(FILE))) {
      try (Stream<Path> entries = Files.list(folder)) {
        // A process that was killed at the very start may have left an unfinished record.
        if (!entries.map(entry -> entry.getFileName().toString()).allMatch(CourseRecord::isOurs)) {
          throw new InputException(
              "%s holds other files than those of a course: choose another --out."
                  .formatted(folder));
        }
      }
    }
  }

  private static boolean isOurs(String name) {
    return name.startsWith(FILE) || name.equals(FolderLock.FILE);
  }

  /**
   * @throws IOException if the recipe or the data are no longer those that the course began with
   */
  void requireSame(Path folder, Recipe given, CourseData files) throws IOException {
    requireSame(folder, "recipe", recipe.name(), given.name());
    requireSame(folder, "seed", recipe.seed(), given.seed());
    requireSame(folder, "precision", recipe.precision(), given.precision());
    if (!recipe.equals(given)) {
      throw new InputException(
          "The recipe %s is no longer the one that the course in %s began with: choose another --out, or delete that folder to start anew."
              .formatted(recipe.name(), folder));
    }
    for (Map.Entry<String, String> file : files.digests().entrySet()) {
      if (!file.getValue().equals(data.get(file.getKey()))) {
        throw new InputException(
            "%s is no longer what the course in %s began with: restore it, or choose another --out."
                .formatted(files.folder().resolve(file.getKey()), folder));
      }
    }
  }

  private static void requireSame(Path folder, String option, Object begun, Object given)
      throws IOException {
    if (!begun.equals(given)) {
      throw new InputException(
          "%s holds a course of the %s %s: go on with --%s=%s, or choose another --out."
              .formatted(folder, option, begun, option, begun));
    }
  }

  Optional<StageResult> stage(String name) {
    return stages.stream().filter(stage -> stage.name().equals(name)).findFirst();
  }

  /** With one more stage finished, which is on disk when this returns. */
  CourseRecord finished(StageResult stage, Path folder) throws IOException {
    List<StageResult> all = new ArrayList<>(stages);
    all.add(stage);
    CourseRecord next = new CourseRecord(recipe, data, prompts, List.copyOf(all));
    next.write(folder);
    return next;
  }

  private void write(Path folder) throws IOException {
    Folders.create(folder);
    AtomicFile.replace(folder.resolve(FILE), SealedJson.seal(JSON.writeValueAsBytes(this)));
  }
}
