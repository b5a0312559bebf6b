package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import io.minimind.infer.constraint.Constraints;
import io.minimind.infer.constraint.Structured;
import io.minimind.infer.constraint.TokenConstraint;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** With {@code -Dstructured.generations=1000}, the model writes so many texts for each schema. */
class StructuredOutputTest {
  private static final int GENERATIONS = Integer.getInteger("structured.generations", 25);
  private static final int PROMPT = 4;
  private static final int CONTEXT = 400;

  @TempDir private static Path folder;
  private static LanguageModel model;

  @BeforeAll
  static void loadModel() throws IOException {
    int vocabulary = Structured.TOKENIZER.vocabularySize();
    int end = Structured.TOKENIZER.tokenId("</s>").orElseThrow();
    TestModel untrained = new TestModel(32, 1, 2, 1, 48, vocabulary, CONTEXT);
    untrained.write(folder, TestModel.random(5), end);
    LoadOptions one = LoadOptions.defaults().withThreads(1);
    model = LanguageModel.load(folder, one, Structured.TOKENIZER);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  static Stream<String> schemas() throws IOException {
    return Structured.schemas().keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void whatAnUntrainedModelWritesIsValid(String name) throws IOException {
    JsonNode schema = Structured.schemas().get(name);
    TokenConstraint constraint = Structured.CONSTRAINTS.jsonSchema(schema);
    JsonSchema judge = Structured.judge(schema);
    for (int i = 0; i < GENERATIONS; i++) {
      GenerationOptions options =
          GenerationOptions.defaults()
              .withTemperature(i % 3)
              .withMaxNewTokens(i % 2 == 0 ? 300 : CONTEXT + 1)
              .withSeed(i)
              .withConstraint(constraint);
      Generation generation = model.generate(new int[] {1, 5, 6, i % 50 + 7}, options, t -> {});
      Structured.assertValid(judge, generation.text());
      assertEquals(FinishReason.END_OF_TEXT, generation.finishReason());
      assertTrue(generation.tokenIds().length <= CONTEXT - PROMPT);
    }
  }

  @Test
  void aConstraintOfAnotherTokenizerIsRefused() {
    Tokenizer other = Structured.tokenizer(List.of("other words, and no others"));
    GenerationOptions options =
        GenerationOptions.defaults().withConstraint(Constraints.of(other).choices("a"));
    assertEquals(
        "The constraint was made for another tokenizer; make it with" + " model.constraints().",
        assertThrows(IllegalArgumentException.class, () -> model.generate("a", options))
            .getMessage());
  }

  @Test
  void batchesShareAConstraint() throws IOException {
    JsonNode schema = Structured.schemas().get("recursive tree");
    GenerationOptions options =
        GenerationOptions.defaults()
            .withMaxNewTokens(100)
            .withConstraint(Structured.CONSTRAINTS.jsonSchema(schema));
    List<Generation> all = model.generateAll(List.of("a", "bc", "def", "g", "h", "i"), options);
    for (Generation generation : all) {
      Structured.assertValid(Structured.judge(schema), generation.text());
    }
  }

  @Test
  void forcedTokensComeBeforeTheConstraintAndCount() throws IOException {
    GenerationOptions options =
        GenerationOptions.defaults()
            .withMaxNewTokens(6)
            .withForcedTokens(40, 41)
            .withConstraint(Structured.CONSTRAINTS.regex("[a-z]{3}x*"));
    String text = model.generate("a", options).text();
    assertTrue(text.substring(2).matches("[a-z]{3}x*"), text);
    assertThrows(
        IllegalArgumentException.class, () -> model.generate("a", options.withMaxNewTokens(4)));
  }

  @Test
  void aBudgetThatCannotSufficeIsRefused() {
    GenerationOptions options =
        GenerationOptions.defaults()
            .withMaxNewTokens(9)
            .withConstraint(Structured.CONSTRAINTS.regex("\\d{10}"));
    assertEquals(
        "The constraint needs up to 10 tokens for its shortest text, but the answer may have only"
            + " 9; raise maxNewTokens, shorten the prompt or ask for less.",
        assertThrows(IllegalArgumentException.class, () -> model.generate("a", options))
            .getMessage());
  }
}
