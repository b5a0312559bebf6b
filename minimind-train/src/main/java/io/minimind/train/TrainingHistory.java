package io.minimind.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.task.Pretraining;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a model came to be: the stages of training that it went through, the first one first. Each
 * run keeps the history of the model that it started from, so that it outlives that model's folder;
 * an exported model has that of the run.
 */
public record TrainingHistory(List<TrainedStage> stages) {

  /** Nothing is known. */
  public static final TrainingHistory NONE = new TrainingHistory(List.of());

  private static final String FILE = "history.json";
  private static final String COMMAND = "command";
  private static final String EARLIER = "earlier";

  /**
   * What a run found when it read its corpora, to notice when they have changed.
   *
   * @param samples rows that the run learns from
   * @param checksums those of the encoded corpora, the one that is learnt from first; none in runs
   *     of earlier versions
   */
  public record CorpusFacts(long samples, List<String> checksums) {

    /** Of a run that has not begun. */
    static final CorpusFacts NONE = new CorpusFacts(0, List.of());

    public CorpusFacts {
      checksums = List.copyOf(checksums);
    }

    /**
     * What a run learns from must not change, lest it end as if it had never been stopped.
     *
     * @param now what is found now
     * @param names of the corpora
     */
    void requireSame(CorpusFacts now, List<String> names) throws IOException {
      if (now.samples != samples) {
        throw new InputException(
            "%s now has %d usable rows for training, %d when the run began: restore it, or start a new run."
                .formatted(names.get(0), now.samples, samples));
      }
      for (int i = 0; i < checksums.size(); i++) {
        if (!checksums.get(i).equals(now.checksums.get(i))) {
          throw new InputException(
              "%s does not hold the rows that the run began with: restore it, or start a new run."
                  .formatted(names.get(i)));
        }
      }
    }
  }

  /**
   * One run.
   *
   * @param command the command line that began it, if it was recorded
   * @param corpora what it found of its rows
   * @param state where it was when its model was taken
   */
  public record TrainedStage(
      Optional<String> command, RunSettings settings, CorpusFacts corpora, TrainingState state) {

    private JsonNode toTree() {
      ObjectNode stage = Json.MAPPER.createObjectNode();
      command.ifPresentOrElse(text -> stage.put(COMMAND, text), () -> stage.putNull(COMMAND));
      stage.set("settings", new RunRecord(settings, corpora).toTree());
      return stage.set("state", Json.MAPPER.valueToTree(state));
    }
  }

  public TrainingHistory {
    stages = List.copyOf(stages);
  }

  /**
   * Records what a new run begins with.
   *
   * @param folder of the run; created if it is missing
   * @param command the command line that begins it, if it was one
   */
  static void begin(Path folder, Optional<String> command, TrainingHistory earlier)
      throws IOException {
    ObjectNode record = Json.MAPPER.createObjectNode();
    command.ifPresent(text -> record.put(COMMAND, text));
    write(folder, record, earlier);
  }

  /**
   * Hands this history on with a copy of the model.
   *
   * @param folder of the copy, which is no run; created if it is missing
   */
  public void write(Path folder) throws IOException {
    write(folder, Json.MAPPER.createObjectNode(), this);
  }

  private static void write(Path folder, ObjectNode record, TrainingHistory earlier)
      throws IOException {
    ArrayNode stages = record.putArray(EARLIER);
    earlier.stages.forEach(stage -> stages.add(stage.toTree()));
    Files.createDirectories(folder);
    AtomicFile.replace(folder.resolve(FILE), Json.MAPPER.writeValueAsBytes(record));
  }

  /**
   * The history of the model in a folder, in that of a run as its last checkpoint left it.
   *
   * @return empty if the folder does not say
   * @throws IOException if the history, or settings or checkpoint of the run are damaged
   */
  public static TrainingHistory of(Path folder) throws IOException {
    return of(folder, Catalog.NONE);
  }

  static TrainingHistory of(Path folder, Catalog given) throws IOException {
    List<TrainedStage> stages = new ArrayList<>();
    JsonNode record = read(folder.resolve(FILE));
    for (JsonNode stage : record.path(EARLIER)) {
      stages.add(stage(stage, folder.resolve(FILE), given));
    }
    if (!RunFolder.exists(folder)) {
      return new TrainingHistory(stages);
    }
    RunFolder run = RunFolder.open(folder, given);
    Optional<Path> latest = run.checkpoints().latest();
    if (latest.isEmpty()) {
      return NONE;
    }
    stages.add(
        new TrainedStage(
            command(record),
            run.settings(),
            run.corpora(),
            CheckpointStore.verify(latest.orElseThrow())));
    return new TrainingHistory(stages);
  }

  private static JsonNode read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return MissingNode.getInstance(); // The run is of an earlier version.
    }
    try {
      return Json.MAPPER.readTree(InputFile.bytes(file));
    } catch (JsonProcessingException | CharConversionException e) {
      throw damaged(file, e);
    }
  }

  private static TrainedStage stage(JsonNode stage, Path file, Catalog given) throws IOException {
    JsonNode settings = stage.path("settings");
    JsonNode state = stage.path("state");
    if (!settings.isObject() || !state.isObject()) {
      throw damaged(file, null);
    }
    try {
      RunRecord record = RunRecord.of(settings, given);
      return new TrainedStage(
          command(stage),
          record.settings(),
          record.corpora(),
          TrainingState.fromJson(Json.MAPPER.writeValueAsBytes(state)));
    } catch (JsonProcessingException e) {
      throw damaged(file, e);
    }
  }

  private static Optional<String> command(JsonNode record) {
    return Optional.ofNullable(record.path(COMMAND).textValue());
  }

  private static IOException damaged(Path file, Exception e) {
    return new InputException(
        "%s is damaged; if what it says of earlier stages may be lost, delete it.".formatted(file),
        e);
  }

  /** This history, if the model was taken at another checkpoint of the last run. */
  public TrainingHistory endingAt(TrainingState state) {
    List<TrainedStage> stages = new ArrayList<>(this.stages);
    TrainedStage last = stages.remove(stages.size() - 1);
    stages.add(new TrainedStage(last.command(), last.settings(), last.corpora(), state));
    return new TrainingHistory(stages);
  }

  /** Whether the model learned to continue texts and nothing after that. */
  public boolean endsWithPretraining() {
    return !stages.isEmpty()
        && stages.get(stages.size() - 1).settings().task() instanceof Pretraining;
  }
}
