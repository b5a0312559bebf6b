package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.TemporaryFolder;
import io.minimind.interchange.ModelImport;
import io.minimind.interchange.WeightFiles;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Models of other projects with the numbers that their own libraries compute. They lie in a folder
 * beside the checkout, or where the property {@code minimind.golden-models} says; without one there
 * is nothing to compare.
 */
class ReferenceModelsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final float TOLERANCE = 1e-4f;

  /** Logits are compared up to this many prompts of a case. */
  private static final int PROMPTS = 3;

  @TestFactory
  Stream<DynamicTest> modelsComputeWhatTheirLibrariesDo() throws IOException {
    Path set = set();
    List<DynamicTest> tests = new ArrayList<>();
    if (set == null) {
      return tests.stream();
    }
    for (JsonNode one : JSON.readTree(set.resolve("index.json").toFile()).path("cases")) {
      String name = one.path("kind").asText() + "/" + one.path("name").asText();
      if (one.path("kind").asText().equals("gguf")) {
        one.path("files")
            .fieldNames()
            .forEachRemaining(
                file ->
                    tests.add(
                        DynamicTest.dynamicTest(name + "/" + file, () -> check(set, one, file))));
      } else {
        tests.add(DynamicTest.dynamicTest(name, () -> check(set, one, "")));
      }
    }
    return tests.stream();
  }

  @TestFactory
  Stream<DynamicTest> whatIsNotToBeImportedIsRefused() throws IOException {
    Path set = set();
    List<DynamicTest> tests = new ArrayList<>();
    if (set == null) {
      return tests.stream();
    }
    for (JsonNode one : JSON.readTree(set.resolve("refuse/index.json").toFile())) {
      String folder = one.path(one.has("folder") ? "folder" : "file").asText();
      Path source = set.resolve(folder.startsWith("refuse") ? folder : "refuse/" + folder);
      tests.add(DynamicTest.dynamicTest(folder, () -> assertRefused(source)));
    }
    for (JsonNode one : JSON.readTree(set.resolve("hostile/index.json").toFile())) {
      if (one.path("must").asText().equals("refuse")) {
        Path source = set.resolve(one.path("file").asText());
        tests.add(DynamicTest.dynamicTest(one.path("file").asText(), () -> assertRefused(source)));
      }
    }
    return tests.stream();
  }

  private static void assertRefused(Path source) throws IOException {
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      ModelImport.from(source).to(folder.path());
    } catch (IOException e) {
      assertTrue(e.getMessage().endsWith(".") && e.getMessage().length() < 600, e.getMessage());
      assertFalse(e.getMessage().contains("java."), e.getMessage());
      return;
    }
    throw new AssertionError(source + " was imported");
  }

  private static void check(Path set, JsonNode one, String gguf) throws IOException {
    try (TemporaryFolder target = TemporaryFolder.create()) {
      try {
        model(set, one, gguf).to(target.path());
      } catch (IOException e) {
        assertEquals("refuse-or-right", one.path("status").asText(), e.getMessage());
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
        return;
      }
      Path folder = set.resolve(one.path("folder").asText());
      String numbers = gguf.isEmpty() ? "reference" : gguf.replace(".gguf", ".reference");
      compare(
          target.path(),
          JSON.readTree(folder.resolve(numbers + ".json").toFile()),
          WeightFiles.open(folder.resolve(numbers + ".safetensors")),
          gguf.isEmpty());
    }
  }

  private static ModelImport model(Path set, JsonNode one, String gguf) {
    Path folder = set.resolve(one.path("folder").asText());
    boolean bare =
        one.path("kind").asText().equals("pth") && !Files.exists(folder.resolve("config.json"));
    Path source = bare ? folder.resolve(one.path("file").asText()) : folder.resolve(gguf);
    ModelImport model = ModelImport.from(source);
    if (one.has("base")) {
      model.base(set.resolve(one.path("base").asText()));
    }
    if (one.has("adapter")) {
      model.adapter(folder.resolve(one.path("adapter").asText()));
    }
    if (bare) {
      one.path("settings")
          .properties()
          .forEach(field -> model.set(field.getKey(), field.getValue().toString()));
    }
    return model;
  }

  private static void compare(
      Path model, JsonNode numbers, Map<String, StreamedTensor> logits, boolean withSpecialTokens)
      throws IOException {
    Tokenizer tokenizer = Tokenizer.load(model);
    try (Decoder decoder = Decoder.load(model, 1)) {
      for (int i = 0; i < Math.min(PROMPTS, numbers.path("prompts").size()); i++) {
        JsonNode prompt = numbers.path("prompts").path(i);
        int[] ids = ids(prompt.path("ids"));
        assertArrayEquals(ids, tokenizer.encodeWithSpecialTokens(prompt.path("text").asText()));
        float[] expected = logits.get("prompt." + i + ".logits").load();
        assertArrayEquals(expected, decoder.nextTokenLogits(ids), TOLERANCE);
        List<Integer> greedy = new ArrayList<>();
        int length = prompt.path("greedy").size();
        if (length > 0) {
          decoder.generate(ids, GenerationOptions.greedy().withMaxNewTokens(length), greedy::add);
        }
        assertArrayEquals(
            ids(prompt.path("greedy")), greedy.stream().mapToInt(Integer::intValue).toArray());
      }
    }
    compareText(model, numbers.path("text"));
    for (JsonNode text : numbers.path("tokenizer").path("cases")) {
      String written = text.path("text").asText();
      int[] ids = ids(text.path("ids"));
      assertArrayEquals(
          ids,
          withSpecialTokens
              ? tokenizer.encodeWithSpecialTokens(written)
              : tokenizer.encode(written));
      if (text.has("decoded")) {
        assertEquals(text.path("decoded").asText(), tokenizer.decode(ids));
      }
    }
  }

  /** How likely each token of a text is after those before it. */
  private static void compareText(Path model, JsonNode text) throws IOException {
    int[] ids = ids(text.path("ids"));
    JsonNode expected = text.path("log_probabilities");
    try (Decoder decoder = Decoder.load(model, 1)) {
      decoder.read(
          ids,
          (runtime, session) ->
              session.score(
                  runtime,
                  ids,
                  (position, logits) -> {
                    if (position + 1 < ids.length) {
                      double found =
                          LogProbabilities.of(logits, ids[position + 1], 0, 0).logProbability();
                      assertEquals(
                          expected.path(position).asDouble(), found, TOLERANCE, "at " + position);
                    }
                  }));
    }
  }

  private static int[] ids(JsonNode list) {
    return JSON.convertValue(list, int[].class);
  }

  /** The folder; null where there is none. */
  static Path set() {
    String given = System.getProperty("minimind.golden-models");
    if (given != null) {
      return Path.of(given);
    }
    return Stream.iterate(Path.of("").toAbsolutePath(), at -> at != null, Path::getParent)
        .map(at -> at.resolve("shared/golden-models"))
        .filter(Files::isDirectory)
        .findFirst()
        .orElse(null);
  }
}
