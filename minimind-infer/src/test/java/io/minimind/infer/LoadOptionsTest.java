package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LoadOptionsTest {
  @TempDir private Path folder;

  @Test
  void valuesOutOfRangeAreRefused() {
    LoadOptions options = LoadOptions.defaults();
    String message =
        assertThrows(IllegalArgumentException.class, () -> options.withThreads(0)).getMessage();
    assertEquals("The number of threads is 0 but must be at least 1 and at most 1024.", message);
    assertThrows(IllegalArgumentException.class, () -> options.withBatchSize(0));
    assertEquals(
        "The batch size is 1025 but must be at least 1 and at most 1024.",
        assertThrows(IllegalArgumentException.class, () -> options.withBatchSize(1025))
            .getMessage());
    assertEquals(1024, options.withBatchSize(1024).batchSize());
    assertThrows(NullPointerException.class, () -> options.withProvider(null));
    assertThrows(IllegalArgumentException.class, () -> options.withKeptTexts(-1));
    LoadOptions changed = options.withThreads(3).withProvider(ExecutionProvider.COREML);
    changed = changed.withBatchSize(5).withKeptTexts(0);
    assertEquals(3, changed.threads());
    assertEquals(ExecutionProvider.COREML, changed.provider());
    assertEquals(5, changed.batchSize());
    assertEquals(0, changed.keptTexts());
  }

  /** The runtime of the tests has no DirectML, and CUDA on no system. */
  @ParameterizedTest
  @EnumSource(names = {"CUDA", "DIRECTML"})
  void aProviderThatIsNotThereIsASentence(ExecutionProvider provider) throws Exception {
    TestModel.TINY.write(folder, TestModel.random(1), -1);
    LoadOptions options = LoadOptions.defaults().withProvider(provider);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> LanguageModel.load(folder, options, new LetterTokenizer(64)))
            .getMessage();
    assertTrue(
        message.startsWith(
            "This ONNX Runtime cannot compute with the execution provider " + provider),
        message);
    assertTrue(message.endsWith("or load the model with CPU."), message);
    assertFalse(message.contains("\n"), message);
  }
}
