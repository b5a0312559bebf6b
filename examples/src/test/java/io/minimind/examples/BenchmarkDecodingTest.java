package io.minimind.examples;

import static io.minimind.examples.Commands.CORPUS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.examples.Commands.Result;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkDecodingTest {

  private static final String[] SHORT = {"--tokens=4", "--long-prompt=8", "--runs=1"};

  @TempDir Path folder;

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private Result bench(String... more) {
    String[] args = new String[2 + SHORT.length + more.length];
    args[0] = "bench";
    args[1] = "decode";
    System.arraycopy(SHORT, 0, args, 2, SHORT.length);
    System.arraycopy(more, 0, args, 2 + SHORT.length, more.length);
    PrintStream console = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      return Commands.run(args);
    } finally {
      System.setOut(console);
    }
  }

  private List<String> rows() {
    List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
    return lines.subList(3, lines.size());
  }

  @Test
  void aRowForEachPrecision() {
    String[] tiny = {"--hidden-size=32", "--layers=1", "--heads=2", "--key-value-heads=1"};
    assertEquals(new Result(0, ""), bench(tiny));
    assertEquals(
        List.of("float32", "int8", "int4"), rows().stream().map(r -> r.split(" ")[0]).toList());
  }

  @Test
  void untrainedModelsArePerplexedByTheirWholeVocabulary() throws IOException {
    int vocabulary = Tokenizer.load(Commands.TOKENIZER).vocabularySize();
    ModelConfig config = ModelConfig.of(32, 1, 2, 1, vocabulary, 64);
    ModelFolder.writeConfiguration(folder, config, Commands.TOKENIZER);
    ModelFolder.writeDecoder(folder, config, new Parameters(config).start(1));
    Result result =
        bench("--model=" + folder, "--data=" + CORPUS, "--rows=2", "--quantize=float32,int4");
    assertEquals(new Result(0, ""), result);
    assertEquals(2, rows().size());
    for (String row : rows()) {
      double perplexity = Double.parseDouble(row.substring(row.lastIndexOf(' ') + 1));
      assertEquals(vocabulary, perplexity, 0.1 * vocabulary, row);
    }
  }

  @Test
  void mistakesGetASentence() {
    assertTrue(bench("--data=" + CORPUS).err().startsWith("--data needs a --model."));
    assertTrue(bench("--threads=0").err().contains("must be at least"));
    assertTrue(bench("--prompt=600").err().contains("the model's context ends at 512"));
    assertTrue(bench("--model=" + folder).err().startsWith("There is no model configuration at"));
  }
}
