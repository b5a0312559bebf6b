package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A mixture of experts goes through the commands as any other model does. */
class MixtureOfExpertsTest {

  /** Without it a model that has learnt nothing may have nothing to say. */
  private static final int END = 2;

  @TempDir static Path shared;
  private static Path cache;
  private static Path pretrained;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    cache = shared.resolve("cache");
    pretrained = shared.resolve("pretrained");
    run(
        Commands.pretrain(
            pretrained, cache, "--experts=4", "--devices=cpu:2", "--validation-fraction=0.1"));
  }

  private static void run(String... args) {
    assertEquals(new Commands.Result(0, ""), Commands.run(args));
  }

  @Test
  void everyUpdateReportsTheBalanceLoss() throws IOException {
    List<String> lines = Files.readAllLines(pretrained.resolve("metrics.jsonl"));
    assertTrue(lines.size() > 3, "lines: " + lines.size());
    for (String line : lines) {
      assertTrue(line.contains("\"balance_loss\""), line);
    }
    assertEquals(Experts.of(4), ModelConfig.read(pretrained.resolve(ModelFolder.CONFIG)).experts());
  }

  @ParameterizedTest
  @ValueSource(strings = {"float32", "int8", "int4"})
  void anExportedModelWrites(String precision) throws IOException {
    Path out = folder.resolve("out");
    run("export", "--model=" + pretrained, "--out=" + out, "--quantize=" + precision);
    GenerationOptions options =
        GenerationOptions.defaults().withSeed(1).withMaxNewTokens(9).withForbiddenTokens(END);
    try (LanguageModel model = LanguageModel.load(out)) {
      assertFalse(model.generate("<s>法", options).text().isEmpty());
    }
  }

  @Test
  void adaptersOfTheExpertsAreTrained() throws IOException {
    Path out = folder.resolve("sft");
    run(
        Commands.sft(
            pretrained,
            out,
            cache,
            "--epochs=1",
            "--lora-rank=2",
            "--lora-alpha=4",
            "--lora-targets=wq,w2"));
    SafetensorsFile adapters = SafetensorsFile.open(out.resolve("adapter.safetensors"));
    for (String expert : List.of("experts\\.\\d", "shared_experts")) {
      String b = "layers\\.0\\.feed_forward\\." + expert + "\\.w2\\.lora_B\\.weight";
      // At the start it is 0.
      assertTrue(
          adapters.tensors().stream()
              .anyMatch(tensor -> tensor.name().matches(b) && tensor.floats().get(0) != 0),
          expert);
    }
    Path published = folder.resolve("published");
    run("publish", "--model=" + out, "--to=" + published, "--description=An example.");
    String card = Files.readString(published.resolve("README.md"));
    assertTrue(card.contains("4 experts, of which each token passes through 2"), card);
    assertTrue(card.contains("it has no architecture with this mixture of experts."), card);
    assertFalse(card.contains("script"), card);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--experts=-1 | n_routed_experts must be at least 0",
        "--experts=2147483647 | cannot be trained",
        "--balance=0.1 | --balance is for a mixture of experts only",
        "--balance=-1 | aux_loss_alpha must be at least 0"
      })
  void mistakes(String option, String message) {
    Path out = folder.resolve("none");
    String mixture = option.equals("--balance=-1") ? "--experts=4" : "--epochs=1";
    Commands.Result result = Commands.run(Commands.pretrain(out, cache, option, mixture));
    assertEquals(2, result.status(), result.err());
    assertTrue(result.err().contains(message), result.err());
    assertTrue(Files.notExists(out));
  }
}
