package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.examples.Commands.Result;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkServingTest {
  private static final Path DEMO = Path.of("..", "models", "minimind-demo");

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private Result bench(String... more) {
    List<String> args = new ArrayList<>(List.of("bench", "serve", "--rounds=1", "--threads=1"));
    args.addAll(List.of(more));
    PrintStream console = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      return Commands.run(args.toArray(String[]::new));
    } finally {
      System.setOut(console);
    }
  }

  @Test
  void aRowForTheSdkAndForEachNumberOfClients() {
    String[] tiny = {
      "--hidden-size=32",
      "--layers=1",
      "--heads=2",
      "--key-value-heads=1",
      "--tokenizer=" + DEMO,
      "--tokens=3",
      "--clients=1,3"
    };
    assertEquals(new Result(0, ""), bench(tiny));
    List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().skip(3).toList();
    assertEquals(
        List.of("SDK", "SDK in a batch", "server, 1 client", "server, 3 clients"),
        lines.stream().map(line -> line.substring(0, 19).strip()).toList());
    assertTrue(lines.get(0).matches("SDK .* ms \\(1.00\\) .* \\( 1.00\\) .* \\( 1.00\\)"));
  }

  @Test
  void mistakesGetASentence(@TempDir Path folder) throws IOException {
    assertTrue(bench("--tokens=1").err().startsWith("--tokens must be at least 2"));
    assertTrue(bench("--clients=0").err().startsWith("--clients must be between 1"));
    String demo = "--model=" + DEMO;
    assertTrue(
        bench(demo, "--tokens=300")
            .err()
            .startsWith(
                "--tokens must be at most 192, because a question has up to 64 and the model's"
                    + " context ends at 256, but is 300."));
    ModelConfig config = ModelConfig.Preset.TINY.config(Tokenizer.load(DEMO).vocabularySize(), 65);
    ModelFolder.writeConfiguration(folder, config, Precision.FLOAT32, DEMO);
    ModelFolder.writeDecoder(folder, config, Precision.FLOAT32, new Parameters(config).start(1));
    Result small = bench("--model=" + folder, "--tokens=2");
    assertEquals(1, small.status());
    assertEquals(
        "The context of "
            + folder
            + " has 65 tokens, and questions and answers of this measurement need 66: give another"
            + " --model.",
        small.err().strip());
    assertTrue(bench("--model=gone").err().startsWith("There is no model folder at gone"));
  }
}
