package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The command of each stage, on a model that trains in milliseconds. */
final class StageCommands {

  private final Path folder;

  /** By one process on two devices. */
  final Path pretrained;

  /**
   * @param folder keeps data and the model that the later stages start from
   */
  StageCommands(Path folder) throws IOException {
    this.folder = folder;
    pretrained = folder.resolve("pretrained");
    Files.write(
        folder.resolve("prompts.jsonl"),
        IntStream.range(0, 24).mapToObj("{\"prompt\": \"问题%d是什么？\"}"::formatted).toList());
    String pair = "{\"prompt\":\"问题%d是什么？\",\"chosen\":\"好的，%d\",\"rejected\":\"不知道%d\"}";
    Files.write(
        folder.resolve("pairs.jsonl"),
        IntStream.range(0, 27).mapToObj(i -> pair.formatted(i, i, i)).toList());
  }

  /** Makes the model that the later stages start from. */
  void pretrain(String... more) {
    List<String> args = new ArrayList<>(List.of("--devices=cpu:2", "--threads=2"));
    args.addAll(Arrays.asList(more));
    run(of("pretrain", pretrained, cache(), args.toArray(String[]::new)));
  }

  Path cache() {
    return folder.resolve("cache");
  }

  static void run(String... args) {
    assertEquals(new Commands.Result(0, ""), Commands.run(args));
  }

  /**
   * The arguments of a run.
   *
   * @param stage the name of a command, or {@code lora}
   */
  String[] of(String stage, Path out, Path cache, String... more) {
    if (stage.equals("pretrain")) {
      return Commands.pretrain(out, cache, more);
    }
    List<String> args = new ArrayList<>(List.of(stage.equals("lora") ? "sft" : stage));
    args.addAll(List.of("--from=" + pretrained, "--out=" + out, "--cache=" + cache));
    List<String> usual = new ArrayList<>(List.of("--batch-size=4", "--log-every=1", "--epochs=1"));
    usual.addAll(
        switch (stage) {
          case "sft" -> List.of("--data=" + Commands.CHATS);
          case "lora" ->
              List.of("--data=" + Commands.CHATS, "--lora-rank=2", "--lora-targets=wq,w1");
          case "dpo" -> List.of("--data=" + folder.resolve("pairs.jsonl"));
          default ->
              List.of(
                  "--data=" + folder.resolve("prompts.jsonl"),
                  "--max-new=6",
                  "--reward=length",
                  "--reward=0.1*ended",
                  "--learning-rate=5e-3");
        });
    usual.removeIf(option -> isGiven(option, more));
    args.addAll(usual);
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  private static boolean isGiven(String option, String... more) {
    String name = option.substring(0, option.indexOf('=') + 1);
    return Stream.of(more).anyMatch(given -> given.startsWith(name));
  }

  /** The model that a run ended with. */
  static byte[] weights(Path out) throws IOException {
    return Files.readAllBytes(out.resolve("model.safetensors"));
  }

  /** The weights and moments of every checkpoint of a run, in their order. */
  static List<byte[]> checkpoints(Path out) throws IOException {
    List<byte[]> all = new ArrayList<>();
    try (Stream<Path> checkpoints = Files.list(out.resolve("checkpoints"))) {
      for (Path checkpoint : checkpoints.sorted().toList()) {
        all.add(Files.readAllBytes(checkpoint.resolve("checkpoint")));
      }
    }
    return all;
  }
}
