package io.minimind.examples;

import static io.minimind.examples.Commands.resume;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every stage on two replicas, by the real commands. */
@Timeout(300)
class SeveralDevicesTest {

  private static final String TWO = "--devices=cpu:2";
  private static final String[] PAIRS = {"好的，", "不知道"};

  @TempDir static Path shared;
  private static Path cache;
  private static Path pretrained;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    cache = shared.resolve("cache");
    pretrained = shared.resolve("pretrained");
    run(Commands.pretrain(pretrained, cache, TWO, "--save-every=3", "--keep=100"));
  }

  private static void run(String... args) {
    assertEquals(new Commands.Result(0, ""), Commands.run(args));
  }

  private static String[] stage(String stage, Path out) throws IOException {
    String[] more = {TWO, "--save-every=3", "--keep=100", "--batch-size=4", "--epochs=1"};
    if (stage.equals("pretrain")) {
      return Commands.pretrain(out, cache, more);
    }
    if (stage.equals("sft")) {
      return Commands.sft(pretrained, out, cache, more);
    }
    if (stage.equals("sft --packing")) {
      String[] few = {TWO, "--save-every=3", "--keep=100", "--batch-size=1", "--packing"};
      return Commands.sft(pretrained, out, cache, few);
    }
    if (stage.equals("distill")) {
      // The model is its own teacher, which stands beside each replica.
      String[] sft = Commands.sft(pretrained, out, cache, more);
      sft[0] = stage;
      return Stream.concat(Stream.of(sft), Stream.of("--teacher=" + pretrained))
          .toArray(String[]::new);
    }
    Path pairs = shared.resolve("pairs.jsonl");
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 27; i++) {
      rows.add(
          "{\"prompt\":\"问题%d是什么？\",\"chosen\":\"%s%d\",\"rejected\":\"%s%d\"}"
              .formatted(i, PAIRS[0], i, PAIRS[1], i));
    }
    Files.write(pairs, rows);
    List<String> args =
        new ArrayList<>(List.of("dpo", "--from=" + pretrained, "--data=" + pairs, "--out=" + out));
    args.addAll(List.of("--cache=" + cache, "--lora-rank=2", "--lora-targets=wq"));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  private static byte[] weights(Path out) throws IOException {
    return Files.readAllBytes(out.resolve("model.safetensors"));
  }

  /** A run that died after its first updates, or at its start. */
  private static void forgetAllBut(String checkpoint, Path out) throws IOException {
    try (var checkpoints = Files.list(out.resolve("checkpoints"))) {
      for (Path other : checkpoints.toList()) {
        if (!other.getFileName().toString().equals(checkpoint)) {
          Folders.delete(other);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pretrain", "sft", "sft --packing", "dpo", "distill"})
  void aRunGoesOnOnAnyNumberOfDevices(String stage) throws IOException {
    Path whole = folder.resolve("whole");
    run(stage(stage, whole));
    Path again = folder.resolve("again");
    Commands.copy(whole, again);
    forgetAllBut("update-00000003", again);
    String command = stage.split(" ")[0];
    run(resume(command, again, cache, TWO));
    assertArrayEquals(weights(whole), weights(again));
    assertEquals(PretrainProcessTest.metrics(whole), PretrainProcessTest.metrics(again));

    Path moved = folder.resolve("moved");
    Commands.copy(whole, moved);
    forgetAllBut("update-00000003", moved);
    run(resume(command, moved, cache, "--devices=cpu"));
    List<JsonNode> expected = PretrainProcessTest.metrics(whole);
    List<JsonNode> found = PretrainProcessTest.metrics(moved);
    assertEquals(expected.size(), found.size());
    assertTrue(expected.size() > 3);
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(loss(expected.get(i)), loss(found.get(i)), 1e-3, "line " + i);
    }
  }

  @Test
  void devicesThatAnUpdateHasNoWorkForAreNotUsed() throws IOException {
    Path whole = folder.resolve("whole");
    run(
        Commands.pretrain(
            whole, cache, "--accumulation=1", "--save-every=3", "--keep=100", "--max-updates=6"));
    Path more = folder.resolve("more");
    Commands.copy(whole, more);
    forgetAllBut("update-00000003", more);
    run(resume("pretrain", more, cache, TWO));
    assertArrayEquals(weights(whole), weights(more));
  }

  private static double loss(JsonNode metric) {
    return metric.path("loss").asDouble(metric.path("validation_loss").asDouble());
  }

  /** The start weights fit, 325,000 bytes; a checkpoint, of three times that, does not. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskEndsTheRunAndLosesNothing() throws Exception {
    Path out = folder.resolve("out");
    String[] args = Commands.pretrain(out, cache, TWO, "--save-every=3", "--keep=100");
    try (CommandProcess running = CommandProcess.startWithFilesUpTo(700, folder, args)) {
      running.remainingLines();
      assertEquals(1, running.exitStatus(), running.err());
      assertEquals(1, running.err().lines().count(), running.err());
    }
    try (var checkpoints = Files.list(out.resolve("checkpoints"))) {
      assertEquals(
          List.of("update-00000000"),
          checkpoints.map(checkpoint -> checkpoint.getFileName().toString()).toList());
    }
    run(resume("pretrain", out, cache, TWO));
    assertArrayEquals(weights(pretrained), weights(out));
  }

  @Test
  void devicesThatCannotBeAreRefusedInOneSentence() {
    for (String devices : List.of("gpu", "cpu:0", "cuda:0,cuda:0")) {
      Commands.Result result =
          Commands.run(Commands.pretrain(folder, cache, "--devices=" + devices));
      assertEquals(2, result.status());
      assertTrue(result.err().contains("'" + devices + "' cannot be"), result.err());
      assertFalse(result.err().contains("\tat "), result.err());
    }
  }
}
