package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.ModelFolder;
import io.minimind.model.Experts;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Quantized folders are loaded like any other, here by the official runtime; one model is a mixture
 * of experts.
 */
@ParameterizedClass
@MethodSource("configs")
class QuantizedModelTest {

  static List<ModelConfig> configs() {
    ModelConfig config = ModelConfig.of(72, 2, 4, 2, 90, 64);
    return List.of(config, config.with(Experts.of(4)));
  }

  @Parameter private ModelConfig config;

  @TempDir Path folder;

  private Path write(Precision precision) throws IOException {
    List<NamedTensor> weights = new Parameters(config).start(3);
    ModelFolder.writeConfig(folder, config, precision);
    ModelFolder.writeDecoder(folder, config, precision, weights);
    return folder;
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void writesTheSameTokensCachedAndUncached(Precision precision) throws IOException {
    GenerationOptions options = GenerationOptions.greedy().withMaxNewTokens(20);
    LetterTokenizer tokenizer = new LetterTokenizer(config.vocabularySize());
    int[] prompt = {5, 17, 80};
    try (LanguageModel model =
            LanguageModel.load(write(precision), LoadOptions.defaults(), tokenizer);
        Decoder decoder = Decoder.load(folder, 1)) {
      Generation generation = model.generate(prompt, options, piece -> {});
      assertEquals(FinishReason.LENGTH, generation.finishReason());
      int[] text = Arrays.copyOf(prompt, 23);
      for (int i = 3; i < text.length; i++) {
        float[] logits = decoder.nextTokenLogits(Arrays.copyOf(text, i));
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
          best = logits[id] > logits[best] ? id : best;
        }
        text[i] = best;
      }
      assertArrayEquals(Arrays.copyOfRange(text, 3, text.length), generation.tokenIds());
      List<String> prompts = List.of(tokenizer.decode(prompt), tokenizer.decode(new int[] {80}));
      List<Generation> together = model.generateAll(prompts, options);
      assertArrayEquals(generation.tokenIds(), together.get(0).tokenIds());
      assertArrayEquals(
          model.generate(prompts.get(1), options).tokenIds(), together.get(1).tokenIds());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, names = "FLOAT32", mode = EnumSource.Mode.EXCLUDE)
  void isCloseToFloat32(Precision precision) throws IOException {
    int[] prompt = {5, 17, 80, 3, 3, 41};
    float[] exact;
    try (Decoder decoder = Decoder.load(write(Precision.FLOAT32), 1)) {
      exact = decoder.nextTokenLogits(prompt);
    }
    double difference = 0;
    double size = 0;
    try (Decoder decoder = Decoder.load(write(precision), 1)) {
      float[] logits = decoder.nextTokenLogits(prompt);
      for (int id = 0; id < logits.length; id++) {
        difference += Math.pow(logits[id] - exact[id], 2);
        size += Math.pow(exact[id], 2);
      }
    }
    double distance = Math.sqrt(difference / size);
    double most = precision == Precision.INT8 ? 0.05 : 0.4;
    assertTrue(distance > 0 && distance < most, precision + " is off by " + distance);
  }
}
