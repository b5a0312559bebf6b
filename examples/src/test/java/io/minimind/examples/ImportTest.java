package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.examples.Commands.Result;
import io.minimind.infer.LanguageModel;
import io.minimind.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run with an adapter wrote for other programs comes back. */
class ImportTest {

  /** Of sums in another order, as a share. */
  private static final double ROUNDING = 1e-4;

  @TempDir static Path shared;
  private static Path tuned;
  private static Path base;
  private static Path adapter;

  @TempDir Path folder;

  @BeforeAll
  static void train() {
    Path model = Commands.trained(shared);
    tuned = shared.resolve("tuned");
    String[] options = {"--lora-rank=2", "--max-updates=2", "--learning-rate=0.05"};
    assertDone(Commands.sft(model, tuned, shared.resolve("cache"), options));
    base = shared.resolve("base");
    assertDone("export", "--model=" + model, "--format=transformers", "--out=" + base);
    adapter = shared.resolve("adapter");
    assertDone("export", "--model=" + tuned, "--format=peft", "--out=" + adapter);
  }

  private static void assertDone(String... command) {
    assertEquals(new Result(0, ""), Commands.run(command));
  }

  private String[] imported(String to, Path from, String... more) {
    List<String> args = new ArrayList<>(List.of("import", "--from=" + from));
    args.add("--to=" + folder.resolve(to));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  /** How unlikely a model finds a text: no other model finds it just so. */
  private static double perplexity(Path model) throws IOException {
    try (LanguageModel loaded = LanguageModel.load(model)) {
      return loaded.perplexity("白婶是麦香面包房的主人。");
    }
  }

  @Test
  void anAdapterIsMergedIntoTheModelThatItBelongsTo() throws IOException {
    double expected = perplexity(tuned);
    assertNotEquals(expected, perplexity(shared.resolve("model")), 1, "nothing was learnt");
    assertDone(imported("merged", adapter, "--base=" + base));
    assertEquals(expected, perplexity(folder.resolve("merged")), ROUNDING * expected);
    assertDone(imported("again", base, "--adapter=" + adapter));
    assertEquals(expected, perplexity(folder.resolve("again")), ROUNDING * expected);
    Result alone = Commands.run(imported("alone", adapter));
    assertEquals(1, alone.status());
    assertTrue(alone.err().contains("name the folder of its base"), alone.err());
  }

  @Test
  void theContextMayBeShorterAndNotLonger() throws IOException {
    assertDone(imported("short", base, "--context=32"));
    ModelConfig config = ModelConfig.read(folder.resolve("short/config.json"));
    assertEquals(32, config.maxLength());
    Result longer = Commands.run(imported("long", base, "--context=65"));
    assertEquals(1, longer.status());
    assertTrue(
        longer.err().contains("The model knows 64 positions: a context of 65 is more."),
        longer.err());
    assertTrue(Files.notExists(folder.resolve("long")));
  }

  @Test
  void aModelForAnotherProgramIsNotTakenForOneOfThisProject() {
    Path genai = folder.resolve("genai");
    assertDone("export", "--model=" + tuned, "--format=genai", "--out=" + genai);
    Result refused = Commands.run(imported("back", genai));
    assertEquals(1, refused.status());
    assertTrue(
        refused.err().contains("was written for ONNX Runtime GenAI: import the model"),
        refused.err());
    Result own = Commands.run(imported("own", tuned));
    assertTrue(own.err().contains("is a model of this project"), own.err());
  }
}
