package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.data.ChatEncoder;
import io.minimind.data.SampleEncoder;
import io.minimind.model.Experts;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.TinyModel;
import io.minimind.task.FineTuning;
import io.minimind.task.Pretraining;
import io.minimind.task.Task;
import io.minimind.train.TrainingHistory.CorpusFacts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunSettingsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LAYERS = 16;

  /** Three times its parameters are more than 2 GB, once is not. */
  private static final ModelConfig LARGE = ModelConfig.of(1024, LAYERS, 16, 8, 6400, 512);

  private static final ModelConfig TOO_LARGE = ModelConfig.of(2048, LAYERS, 16, 8, 6400, 512);
  private static final Optional<LowRankAdapters> LORA =
      Optional.of(new LowRankAdapters(8, 16, List.of("wq", "wv")));

  private static RunSettings settings(ModelConfig model, Optional<LowRankAdapters> lora) {
    return settings(new Pretraining(), model, lora, LearningRateSchedule.cosine());
  }

  private static RunSettings settings(
      Task task, ModelConfig model, Optional<LowRankAdapters> lora, LearningRateSchedule schedule) {
    TrainingSettings training = TrainingSettings.builder().schedule(schedule).build();
    return new RunSettings(
        task, model, lora, TrainingPrecision.FLOAT32, training, "data", Optional.empty(), 0);
  }

  private static RunRecord record(RunSettings settings) {
    return new RunRecord(settings, new CorpusFacts(1, List.of("12345678")));
  }

  /** Checkpoints end at 2 GB: what is trained is in them three times, what is frozen once. */
  @Test
  void adaptersOfAModelThatIsTooLargeToTrainCanBeTrained() {
    assertEquals(
        LAYERS * 8 * (1024 + 1024 + 1024 + 512), settings(LARGE, LORA).trainedParameters());
    assertRefused("178,956,970", LARGE, Optional.empty());
    assertRefused("536,870,911", TOO_LARGE, LORA);
  }

  private static void assertRefused(
      String limit, ModelConfig model, Optional<LowRankAdapters> lora) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> settings(model, lora));
    assertTrue(e.getMessage().contains(limit), e.getMessage());
  }

  /** A task and a schedule of another library. */
  private record Rhyming(int feet, List<String> words) implements Task {
    @Override
    public String name() {
      return "rhyming";
    }

    @Override
    public SampleEncoder encoder(ModelConfig model, Path tokenizer) {
      throw new UnsupportedOperationException();
    }
  }

  private record Sawtooth(int teeth) implements LearningRateSchedule {
    @Override
    public String name() {
      return "sawtooth";
    }

    @Override
    public double rate(double progress, double highest) {
      return highest * (1 - teeth * progress % 1);
    }
  }

  private static final class OtherLibrary implements Catalog {
    @Override
    public Map<String, Class<? extends Task>> tasks() {
      return Map.of("rhyming", Rhyming.class);
    }

    @Override
    public Map<String, Class<? extends LearningRateSchedule>> schedules() {
      return Map.of("sawtooth", Sawtooth.class);
    }
  }

  private record Limerick(int lines) implements Task {
    @Override
    public String name() {
      return "limerick";
    }

    @Override
    public SampleEncoder encoder(ModelConfig model, Path tokenizer) {
      throw new UnsupportedOperationException();
    }
  }

  /** Is listed in {@code META-INF/services}. */
  public static final class ListedLibrary implements Catalog {
    @Override
    public Map<String, Class<? extends Task>> tasks() {
      return Map.of("limerick", Limerick.class);
    }
  }

  @Test
  void tasksAndSchedulesOfThisModuleComeBackByTheirNames() throws IOException {
    FineTuning conversations = FineTuning.of(20, ChatEncoder.Loss.ALL_TURNS);
    List<Task> tasks = List.of(new Pretraining(), conversations, conversations.packed());
    List<LearningRateSchedule> schedules =
        List.of(
            LearningRateSchedule.cosine(),
            LearningRateSchedule.linear(0.25),
            LearningRateSchedule.constant(),
            LearningRateSchedule.warmupStableDecay(0.1, 0.02));
    for (Task task : tasks) {
      for (LearningRateSchedule schedule : schedules) {
        RunRecord written = record(settings(task, TinyModel.CONFIG, LORA, schedule));
        assertEquals(written, RunRecord.fromJson(written.toJson(), Catalog.NONE));
      }
    }
  }

  @Test
  void packedRowsAreRefusedWhereExpertsAreBalancedRowByRow() {
    Task packed = FineTuning.of(20, ChatEncoder.Loss.ALL_TURNS).packed();
    ModelConfig rows = TinyModel.CONFIG.with(Experts.of(4));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> settings(packed, rows, Optional.empty(), LearningRateSchedule.cosine()));
    assertTrue(e.getMessage().contains("without packing"), e::getMessage);
    for (Experts experts : List.of(Experts.of(4).withBalance(0), Experts.minimind3(4))) {
      ModelConfig model = TinyModel.CONFIG.with(experts);
      assertEquals(
          model, settings(packed, model, Optional.empty(), LearningRateSchedule.cosine()).model());
    }
  }

  @Test
  void tasksAndSchedulesOfOthersComeBackFromTheirCatalog() throws IOException {
    RunRecord written =
        record(
            settings(
                new Rhyming(5, List.of("bright", "night")),
                TinyModel.CONFIG,
                Optional.empty(),
                new Sawtooth(3)));
    JsonNode json = JSON.readTree(written.toJson());
    assertEquals(
        JSON.readTree("{\"name\":\"rhyming\",\"feet\":5,\"words\":[\"bright\",\"night\"]}"),
        json.get("stage"));
    assertEquals(
        JSON.readTree("{\"name\":\"sawtooth\",\"teeth\":3}"), json.at("/training/schedule"));
    assertEquals(written, RunRecord.fromJson(written.toJson(), new OtherLibrary()));
    IOException e =
        assertThrows(IOException.class, () -> RunRecord.fromJson(written.toJson(), Catalog.NONE));
    assertTrue(e.getMessage().startsWith("its task \"rhyming\" is not known"), e::getMessage);
  }

  @Test
  void tasksOfOthersComeBackFromACatalogOnTheClassPath() throws IOException {
    RunRecord written =
        record(
            settings(
                new Limerick(5),
                TinyModel.CONFIG,
                Optional.empty(),
                LearningRateSchedule.cosine()));
    assertEquals(written, RunRecord.fromJson(written.toJson(), Catalog.NONE));
  }

  /** The files are those that the last version without tasks wrote. */
  @ParameterizedTest
  @ValueSource(strings = {"pretrain", "sft"})
  void settingsOfEarlierVersionsAreReadAndWrittenAgain(String name) throws IOException {
    byte[] old = resource(name + "-settings.json");
    RunRecord read = RunRecord.fromJson(old, Catalog.NONE);
    assertEquals(name, read.settings().task().name());
    assertEquals(LearningRateSchedule.cosine(), read.settings().training().schedule());
    ObjectNode written = (ObjectNode) JSON.readTree(read.toJson());
    ((ObjectNode) written.get("training")).remove("schedule");
    assertEquals(JSON.readTree(old), written);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = RunSettingsTest.class.getResourceAsStream("earlier/" + name)) {
      return in.readAllBytes();
    }
  }
}
