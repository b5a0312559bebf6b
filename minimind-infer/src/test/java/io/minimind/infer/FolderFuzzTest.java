package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderFuzzTest {
  @TempDir private Path folder;

  /** The number of damaged folders is the system property {@code minimind.fuzz}, by default 100. */
  @Test
  void noDamageEndsTheProcess() throws Exception {
    Path log = folder.resolve("log");
    String attempts = System.getProperty("minimind.fuzz", "100");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-Dfile.encoding=UTF-8",
                "-cp",
                System.getProperty("java.class.path"),
                FolderFuzz.class.getName(),
                folder.toString(),
                "0",
                attempts)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    int status = process.waitFor();
    String output = Files.readString(log, StandardCharsets.UTF_8);
    String end = output.substring(Math.max(0, output.length() - 2000));
    assertEquals(0, status, end);
    int refused = Integer.parseInt(end.substring(end.lastIndexOf(' ') + 1).strip());
    assertTrue(refused > Integer.parseInt(attempts) / 3, "refused only " + refused);
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
