package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.data.ChatEncoder;
import io.minimind.data.Variation;
import io.minimind.distillation.Distillation;
import io.minimind.distillation.DistillationObjective;
import io.minimind.model.TrainingPrecision;
import io.minimind.policy.ActorCriticObjective;
import io.minimind.policy.GroupPolicyOptimization;
import io.minimind.policy.PolicyObjective;
import io.minimind.policy.ProximalPolicyOptimization;
import io.minimind.policy.RolloutSettings;
import io.minimind.preference.KahnemanTverskyObjective;
import io.minimind.preference.KahnemanTverskyOptimization;
import io.minimind.preference.PreferenceObjective;
import io.minimind.preference.PreferenceTuning;
import io.minimind.preference.RewardModeling;
import io.minimind.runtime.TinyModel;
import io.minimind.task.FineTuning;
import io.minimind.task.FrozenModel;
import io.minimind.task.Task;
import io.minimind.train.TrainingHistory.CorpusFacts;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tasks of this module in {@code settings.json}. */
class PostTrainingSettingsTest {

  private static final FrozenModel.Folder START = new FrozenModel.Folder("start");
  private static final List<String> REWARDS = List.of("number", "0.5*thinking");

  private static Stream<Task> tasks() {
    return Stream.of(
        new PreferenceTuning(START, "12", 20, PreferenceObjective.DEFAULT, Optional.empty()),
        new KahnemanTverskyOptimization(START, "12", 20, KahnemanTverskyObjective.DEFAULT),
        new RewardModeling(20, Optional.of(Variation.NONE)),
        new Distillation(
            START,
            "12",
            FineTuning.of(20, ChatEncoder.Loss.ALL_TURNS),
            new DistillationObjective(TinyModel.CONFIG, 3, 0.5, 1.5)),
        new GroupPolicyOptimization(
            START, "12", 4, RolloutSettings.DEFAULT, PolicyObjective.DEFAULT, REWARDS),
        new ProximalPolicyOptimization(
            START,
            "12",
            RolloutSettings.DEFAULT,
            ProximalPolicyOptimization.Steps.DEFAULT,
            ActorCriticObjective.DEFAULT,
            REWARDS));
  }

  @ParameterizedTest
  @MethodSource("tasks")
  void aTaskComesBackByItsName(Task task) throws IOException {
    RunSettings settings =
        new RunSettings(
            task,
            TinyModel.CONFIG,
            Optional.empty(),
            TrainingPrecision.FLOAT32,
            TrainingSettings.builder().build(),
            "data",
            Optional.empty(),
            0);
    RunRecord written = new RunRecord(settings, new CorpusFacts(1, List.of("12345678")));
    assertEquals(written, RunRecord.fromJson(written.toJson(), Catalog.NONE));
  }

  /** The file is one that the last version without tasks wrote. */
  @Test
  void preferenceTuningOfEarlierVersionsHasItsSettingsAndIsWrittenAgain() throws IOException {
    ObjectMapper json = new ObjectMapper();
    byte[] old;
    try (InputStream in =
        PostTrainingSettingsTest.class.getResourceAsStream("earlier/dpo-settings.json")) {
      old = in.readAllBytes();
    }
    RunRecord read = RunRecord.fromJson(old, Catalog.NONE);
    PreferenceTuning task = (PreferenceTuning) read.settings().task();
    assertEquals("/home/you/out/sft", task.from().name());
    assertEquals(64, task.maxLength());
    assertEquals(0.1, task.objective().beta());
    ObjectNode written = (ObjectNode) json.readTree(read.toJson());
    ((ObjectNode) written.get("training")).remove("schedule");
    assertEquals(json.readTree(old), written);
  }
}
