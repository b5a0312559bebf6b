package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DecoderTest {
  private static final TestModel TINY = TestModel.TINY;
  private static final int NO_END = -1;
  private static final GenerationOptions GREEDY = GenerationOptions.greedy();

  @TempDir private Path folder;

  @BeforeEach
  void writeModel() throws IOException {
    TINY.write(folder, TestModel.random(1), NO_END);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPromptInChunksGivesTheLogitsOfTokenByToken(boolean choosesPositions) throws Exception {
    TINY.write(folder, choosesPositions, TestModel.random(1), NO_END);
    int[] ids = prompt(150, 3);
    String model = folder.resolve("model.onnx").toString();
    try (OrtSession session = OrtEnvironment.getEnvironment().createSession(model)) {
      DecoderShape shape = DecoderShape.of(session, folder);
      try (DecoderSession chunked = DecoderSession.create(shape, 160);
          DecoderSession single = DecoderSession.create(shape, 200)) {
        FloatBuffer expected = null;
        for (int id : ids) {
          expected = single.append(session, id);
        }
        assertLogits(expected, chunked.append(session, ids));
        assertLogits(single.append(session, 7), chunked.append(session, 7));
      }
    }
  }

  private static void assertLogits(FloatBuffer expected, FloatBuffer found) {
    assertEquals(TINY.vocabulary(), found.remaining());
    for (int i = 0; i < TINY.vocabulary(); i++) {
      assertEquals(expected.get(i), found.get(i), 1e-4f, "token " + i);
    }
  }

  @Test
  void laterTextsDoNotSeeEarlierOnes() throws IOException {
    int[] ids = prompt(20, 5);
    List<Integer> fresh;
    try (Decoder decoder = Decoder.load(folder, 1)) {
      fresh = generate(decoder, ids, GREEDY.withMaxNewTokens(30));
    }
    try (Decoder decoder = Decoder.load(folder, 1)) {
      generate(decoder, prompt(150, 6), GREEDY.withMaxNewTokens(40));
      assertEquals(fresh, generate(decoder, ids, GREEDY.withMaxNewTokens(30)));
    }
  }

  @Test
  void aLongTextAfterAShortOneHasRoom() throws IOException {
    new TestModel(32, 1, 2, 1, 48, TINY.vocabulary(), 1000)
        .write(folder, TestModel.random(1), NO_END);
    int[] ids = prompt(700, 5);
    List<Integer> fresh;
    try (Decoder decoder = Decoder.load(folder, 1)) {
      fresh = generate(decoder, ids, GREEDY.withMaxNewTokens(20));
    }
    try (Decoder decoder = Decoder.load(folder, 1)) {
      generate(decoder, prompt(10, 5), GREEDY.withMaxNewTokens(5));
      assertEquals(fresh, generate(decoder, ids, GREEDY.withMaxNewTokens(20)));
    }
  }

  @Test
  void generationsAtTheSameTimeDoNotDisturbEachOther() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (Decoder decoder = Decoder.load(folder, 1)) {
      List<Future<List<Integer>>> running = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        int[] ids = prompt(5 + 10 * i, i);
        running.add(threads.submit(() -> generate(decoder, ids, sampled())));
      }
      for (int i = 0; i < 8; i++) {
        assertEquals(
            generate(decoder, prompt(5 + 10 * i, i), sampled()), running.get(i).get(), "text " + i);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static GenerationOptions sampled() {
    return GenerationOptions.defaults().withSeed(4).withMaxNewTokens(50);
  }

  @Test
  void endsAfterTheWantedNumberOfTokens() throws IOException {
    try (Decoder decoder = Decoder.load(folder, 1)) {
      List<Integer> ids = new ArrayList<>();
      FinishReason reason = decoder.generate(prompt(4, 1), GREEDY.withMaxNewTokens(7), ids::add);
      assertEquals(FinishReason.LENGTH, reason);
      assertEquals(7, ids.size());
    }
  }

  @Test
  void endsWhenTheContextIsFull() throws IOException {
    try (Decoder decoder = Decoder.load(folder, 1)) {
      assertEquals(TINY.context(), decoder.contextLength());
      assertEquals(60, generate(decoder, prompt(140, 1), GREEDY).size());
      assertEquals(1, generate(decoder, prompt(199, 1), GREEDY).size());
    }
  }

  @Test
  void endsBeforeTheEndOfTextToken() throws IOException {
    List<Integer> endless;
    try (Decoder decoder = Decoder.load(folder, 1)) {
      endless = generate(decoder, prompt(6, 2), GREEDY.withMaxNewTokens(40));
    }
    int end = endless.get(endless.size() - 1);
    Files.writeString(
        folder.resolve("generation_config.json"), "{\"eos_token_id\": [9999, %d]}".formatted(end));
    try (Decoder decoder = Decoder.load(folder, 1)) {
      List<Integer> ids = new ArrayList<>();
      assertEquals(FinishReason.END_OF_TEXT, decoder.generate(prompt(6, 2), GREEDY, ids::add));
      assertEquals(endless.subList(0, endless.indexOf(end)), ids);
    }
  }

  @Test
  void closingEndsWhatRunsAndRefusesWhatComes() throws IOException {
    Decoder decoder = Decoder.load(folder, 1);
    List<Integer> ids = new ArrayList<>();
    FinishReason reason =
        decoder.generate(
            prompt(6, 2),
            GREEDY,
            id -> {
              decoder.close();
              ids.add(id);
            });
    assertEquals(FinishReason.CANCELLED, reason);
    assertEquals(1, ids.size());
    decoder.close();
    String message =
        assertThrows(IllegalStateException.class, () -> generate(decoder, prompt(6, 2), GREEDY))
            .getMessage();
    assertEquals("The model in " + folder + " is closed.", message);
  }

  @Test
  void aListenerThatThrowsLeavesTheModelUsable() throws IOException {
    try (Decoder decoder = Decoder.load(folder, 1)) {
      Executable failing =
          () ->
              decoder.generate(
                  prompt(6, 2),
                  GREEDY,
                  id -> {
                    throw new UnsupportedOperationException();
                  });
      assertThrows(UnsupportedOperationException.class, failing);
      assertFalse(generate(decoder, prompt(6, 2), GREEDY).isEmpty());
    }
  }

  @Test
  void probabilitiesOfTheNextTokenAreThoseOfGenerating() throws IOException {
    try (Decoder decoder = Decoder.load(folder, 1)) {
      int[] ids = prompt(70, 4);
      float[] logits = decoder.nextTokenLogits(ids);
      double[] all = decoder.nextTokenProbabilities(ids, GREEDY.withTemperature(0.5));
      double total = IntStream.range(0, logits.length).mapToDouble(i -> weight(logits[i])).sum();
      assertEquals(TINY.vocabulary(), all.length);
      for (int id = 0; id < all.length; id++) {
        assertEquals(weight(logits[id]) / total, all[id], 1e-6, "token " + id);
      }

      int greedy = generate(decoder, ids, GREEDY.withMaxNewTokens(1)).get(0);
      double[] certain = new double[TINY.vocabulary()];
      certain[greedy] = 1;
      assertArrayEquals(certain, decoder.nextTokenProbabilities(ids, GREEDY));

      int[] one = {ids[0]};
      GenerationOptions penalizing = GREEDY.withTemperature(0.5).withRepetitionPenalty(2);
      double before =
          decoder.nextTokenProbabilities(one, penalizing.withRepetitionPenalty(1))[ids[0]];
      double penalized = decoder.nextTokenProbabilities(one, penalizing)[ids[0]];
      assertTrue(penalized < before, "a token of the prompt is less likely");
    }
  }

  private static double weight(float logit) {
    return Math.exp(logit / 0.5);
  }

  @Test
  void promptsThatCannotBeContinuedAreRefused() throws IOException {
    try (Decoder decoder = Decoder.load(folder, 1)) {
      assertMessage(
          IllegalArgumentException.class,
          "The prompt is empty",
          () -> generate(decoder, new int[0], GREEDY));
      assertMessage(
          IllegalArgumentException.class,
          "The prompt is empty",
          () -> decoder.nextTokenLogits(new int[0]));
      assertMessage(
          IllegalArgumentException.class,
          "The prompt has 200 tokens",
          () -> generate(decoder, prompt(200, 1), GREEDY));
      for (int id : new int[] {-1, 64}) {
        assertMessage(
            IllegalArgumentException.class,
            "The prompt holds the token id " + id,
            () -> generate(decoder, new int[] {3, id}, GREEDY));
      }
    }
  }

  @Test
  void missingAndBrokenFilesAreNamed() throws IOException {
    assertMessage(
        IOException.class,
        "There is no model folder at nowhere.",
        () -> Decoder.load(Path.of("nowhere"), 1));
    assertMessage(
        IllegalArgumentException.class, "number of threads is 0", () -> Decoder.load(folder, 0));

    Path config = folder.resolve("config.json");
    for (String broken : List.of("", "[]", "{}", "{\"max_position_embeddings\": \"many\"}")) {
      Files.writeString(config, broken);
      assertMessage(IOException.class, config.toString(), () -> Decoder.load(folder, 1));
    }
    Files.writeString(config, "{\n\"max_position_embeddings\": 20,,}");
    assertMessage(
        IOException.class, config + " is not valid JSON at line 2", () -> Decoder.load(folder, 1));
    Files.delete(config);
    assertMessage(IOException.class, "has no config.json", () -> Decoder.load(folder, 1));
    Files.writeString(config, "{\"max_position_embeddings\": 20}");

    Path model = folder.resolve("model.onnx");
    byte[] bytes = Files.readAllBytes(model);
    Files.write(model, Arrays.copyOf(bytes, bytes.length / 2));
    assertMessage(IOException.class, model + " is damaged", () -> Decoder.load(folder, 1));
    Files.delete(model);
    assertMessage(IOException.class, "has no model.onnx", () -> Decoder.load(folder, 1));
  }

  @Test
  void aGraphOfAnotherKindIsRefused() throws IOException {
    Path file = folder.resolve("model.onnx");
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    graph.getOutputBuilder(0).setName("scores");
    graph.getNodeBuilder(graph.getNodeCount() - 1).setOutput(0, "scores");
    Files.write(file, model.build().toByteArray());
    assertMessage(
        IOException.class,
        file + " is not a decoder for text generation: the output logits is missing",
        () -> Decoder.load(folder, 1));
  }

  private static void assertMessage(
      Class<? extends Exception> type, String part, Executable mistake) {
    String message = assertThrows(type, mistake).getMessage();
    assertTrue(message.contains(part), message);
    assertTrue(message.endsWith("."), message);
    assertFalse(message.contains("\n"), message);
  }

  @Test
  void greedyContinuationsEqualTheOriginals() throws IOException {
    JsonNode golden = Golden.read("generate.json");
    TestModel model = TestModel.of(golden.required("config"));
    ObjectMapper json = new ObjectMapper();
    int compared = 0;
    for (JsonNode wanted : golden.required("greedy")) {
      if (wanted.required("repetition_penalty").doubleValue() == 1) {
        model.write(
            folder, Golden.weights("generate.safetensors"), wanted.required("eos").intValue());
        int[] ids = json.convertValue(wanted.required("prompt"), int[].class);
        int most = wanted.required("max_len").intValue() - ids.length;
        try (Decoder decoder = Decoder.load(folder, 1)) {
          assertArrayEquals(
              json.convertValue(wanted.required("new_tokens"), int[].class),
              generate(decoder, ids, GREEDY.withMaxNewTokens(most)).stream()
                  .mapToInt(Integer::intValue)
                  .toArray());
        }
        compared++;
      }
    }
    assertTrue(compared > 0);
  }

  private static List<Integer> generate(Decoder decoder, int[] ids, GenerationOptions options) {
    List<Integer> generated = new ArrayList<>();
    decoder.generate(ids, options, generated::add);
    return generated;
  }

  private static int[] prompt(int length, int start) {
    return IntStream.range(0, length).map(i -> (start + 7 * i * i) % TINY.vocabulary()).toArray();
  }
}
