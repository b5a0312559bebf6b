package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.data.ChatEncoder;
import io.minimind.data.Rows;
import io.minimind.distributed.ProcessGroup;
import io.minimind.distributed.Ranks;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.preference.PreferenceObjective;
import io.minimind.preference.PreferenceTuning;
import io.minimind.runtime.Device;
import io.minimind.task.FineTuning;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import program.ListRows;

/**
 * Every stage in several processes, which are threads here and meet over the loopback, against one
 * process with as many replicas. A checkpoint is written after every update: before it, all compare
 * hashes of their weights, and it is held against that of the one process. {@code
 * -Dminimind.machines=all} runs every stage in two and in four.
 */
@Timeout(300)
class EveryUpdateOfProcessesTest {

  private static final int UPDATES = 50;

  private static final String TEMPLATE =
      "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>\n{% endfor %}"
          + "{% if add_generation_prompt %}<s>assistant\n{% endif %}";

  @TempDir static Path shared;
  @TempDir Path folder;

  private static Path tokenizer;
  private static Path pretrained;

  private static final List<String> TEXTS =
      IntStream.range(0, 60)
          .mapToObj(i -> "once there was a %s in %d".formatted(i % 2 == 0 ? "river" : "town", i))
          .toList();

  @BeforeAll
  static void pretrain() throws Exception {
    tokenizer = shared.resolve("tokenizer");
    ByteLevelBpeTrainer.ofSize(300).train(TEXTS.iterator()).save(tokenizer);
    Files.writeString(tokenizer.resolve("chat_template.jinja"), TEMPLATE);
    Files.write(
        shared.resolve("chats.jsonl"),
        rows(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"who is %d\"},"
                + "{\"role\":\"assistant\",\"content\":\"river %d\"}]}"));
    Files.write(
        shared.resolve("pairs.jsonl"),
        rows("{\"prompt\":\"who is %d\",\"chosen\":\"river %d\",\"rejected\":\"town\"}"));
    pretrained = shared.resolve("pretrained");
    try (TrainingRun run =
        stage("pretrain").settings(s -> s.maxUpdates(3).batchSize(4)).folder(pretrained).open()) {
      run.train();
    }
  }

  private static List<String> rows(String form) {
    return IntStream.range(0, 41).mapToObj(i -> form.formatted(i, i)).toList();
  }

  /** What makes a stage what it is. */
  private static RunBuilder stage(String name) throws IOException {
    RunBuilder run = TrainingRun.builder().cache(shared.resolve("cache")).threads(1);
    if (name.equals("pretrain")) {
      return run.task(new Pretraining())
          .tokenizer(tokenizer)
          .model(ModelConfig.of(32, 1, 2, 1, 300, 48))
          .rows(new ListRows(TEXTS));
    }
    run.from(pretrained)
        .rows(Rows.of(shared.resolve(name.equals("dpo") ? "pairs.jsonl" : "chats.jsonl")));
    if (name.equals("lora")) {
      run.lora(new LowRankAdapters(2, 4, List.of("wq", "w1")));
    }
    return run.task(
        name.equals("dpo")
            ? PreferenceTuning.of(pretrained, 48, PreferenceObjective.DEFAULT)
            : FineTuning.of(48, ChatEncoder.Loss.ALL_TURNS));
  }

  private Path train(String stage, int devices, ProcessGroup group) throws IOException {
    Path out = folder.resolve("of " + group.size());
    try (TrainingRun run =
        stage(stage)
            .settings(
                s ->
                    s.epochs(100)
                        .maxUpdates(UPDATES)
                        .batchSize(2)
                        .accumulationSteps(2)
                        .learningRate(2e-3f)
                        .saveEvery(1)
                        .keepCheckpoints(UPDATES + 1))
            .devices(Collections.nCopies(devices, Device.CPU))
            .threads(devices)
            .group(group)
            .folder(out)
            .open()) {
      assertTrue(run.train());
    }
    return out;
  }

  private static List<byte[]> weights(Path out) throws IOException {
    List<byte[]> weights = new ArrayList<>();
    for (Path checkpoint : new CheckpointStore(out.resolve("checkpoints"), 1).checkpoints()) {
      weights.add(Files.readAllBytes(checkpoint.resolve(CheckpointStore.CHECKPOINT)));
    }
    return weights;
  }

  private static Stream<Arguments> stages() {
    boolean all = System.getProperty("minimind.machines", "").equals("all");
    return Stream.of("pretrain", "sft", "dpo", "lora")
        .flatMap(stage -> Stream.of(Arguments.of(stage, 2), Arguments.of(stage, 4)))
        .filter(one -> all || one.get()[0].equals("dpo") == one.get()[1].equals(4));
  }

  @ParameterizedTest
  @MethodSource("stages")
  void theyHaveTheWeightsOfOneProcessAfterEveryUpdate(String stage, int processes)
      throws Exception {
    List<byte[]> expected = weights(train(stage, processes, ProcessGroup.alone()));
    Path several = Ranks.run(processes, group -> train(stage, 1, group)).get(0);
    List<byte[]> found = weights(several);
    assertEquals(UPDATES + 1, found.size());
    for (int update = 0; update <= UPDATES; update++) {
      assertArrayEquals(expected.get(update), found.get(update), "update " + update);
    }
  }
}
