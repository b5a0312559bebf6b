package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderFuzzTest {
  @TempDir private Path folder;

  /** So many are tried in one process. */
  private static final int BLOCK = 5_000;

  private static final Pattern FIGURES =
      Pattern.compile(
          "longest (\\d+) ms, peak (\\d+) MB\\R"
              + "same (\\d+), different (\\d+), refused (\\d+)\\s*$");

  /**
   * The number of damaged folders is the system property {@code minimind.fuzz}, by default 100; the
   * first of them is the system property {@code minimind.fuzz.first}.
   */
  @Test
  void noDamageEndsTheProcess() throws Exception {
    int attempts = Integer.getInteger("minimind.fuzz", 100);
    int first = Integer.getInteger("minimind.fuzz.first", 0);
    int refused = 0;
    for (int done = 0; done < attempts; done += BLOCK) {
      Matcher figures = run(first + done, Math.min(BLOCK, attempts - done));
      assertTrue(Integer.parseInt(figures.group(2)) < 1500, figures.group());
      refused += Integer.parseInt(figures.group(5));
      System.out.println(first + done + ": " + figures.group().replace("\n", ", "));
    }
    assertTrue(refused > attempts / 3, "refused only " + refused);
  }

  private Matcher run(int first, int count) throws Exception {
    JavaProcess.Result result =
        JavaProcess.of(FolderFuzz.class, Files.createTempDirectory(folder, "fuzz"), first, count)
            .with("-Xmx512m")
            .run();
    String output = result.output();
    String end = output.substring(Math.max(0, output.length() - 2000));
    assertEquals(0, result.status(), end);
    Matcher figures = FIGURES.matcher(end);
    assertTrue(figures.find(), end);
    return figures;
  }

  @Test
  void aLinkOutOfTheFolderIsRefused() throws IOException {
    Path model = ExportedModel.write(folder.resolve("model"));
    Path weights = model.resolve("model.safetensors");
    Path outside = Files.move(weights, folder.resolve("outside"));
    Files.createSymbolicLink(weights, outside);
    String message = assertThrows(IOException.class, () -> LanguageModel.load(model)).getMessage();
    assertEquals(
        weights + " is a link out of the model folder; put a copy of the file in its place.",
        message);
  }

  /** That is, one of a model that does not tell how many positions it knows. */
  @Test
  void aContextLongerThanTheAnglesOfTheGraphIsRefused() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 1000}");
    LetterTokenizer tokenizer = new LetterTokenizer(64);
    String message =
        assertThrows(
                IOException.class,
                () -> LanguageModel.load(folder, LoadOptions.defaults(), tokenizer))
            .getMessage();
    assertTrue(message.contains("model.onnx knows 200 positions"), message);
  }

  @Test
  void whereForeignGraphsAreAllowedALongerContextIsAnErrorAndNoCrash() throws IOException {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 1000}");
    LetterTokenizer tokenizer = new LetterTokenizer(64);
    LoadOptions options = LoadOptions.defaults().withForeignGraphs(true);
    try (LanguageModel loaded = LanguageModel.load(folder, options, tokenizer)) {
      assertEquals(1000, loaded.contextLength());
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () -> loaded.generate("law", GenerationOptions.greedy().withMaxNewTokens(500)))
              .getMessage();
      assertTrue(message.contains("failed to compute"), message);
    }
  }
}
