package io.minimind.infer.constraint;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import io.minimind.files.Folders;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Schemas, a vocabulary, texts at random, and an independent judge of them. */
public final class Structured {
  public static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /** A vocabulary with parts of characters, and tokens that reach over the punctuation of JSON. */
  public static final Tokenizer TOKENIZER = train();

  public static final Constraints CONSTRAINTS = Constraints.of(TOKENIZER);

  private Structured() {}

  private static Tokenizer train() {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      texts.add("{\"name\": \"名字\", \"value\":12, \"kind\": \"circle\", \"x\": [[[1, 2], [3]]]}");
      texts.add(
          "{\"children\":[{\"value\":null}]}]}, [true, false, -0.5e10, \"2024-10-11T12:30:00Z\"]");
      texts.add("蓝色的漢字 😀😁🙏 the quick brown fox \"},{\" \\n \\\" ab abb été \n\n");
    }
    return tokenizer(texts);
  }

  /** A small vocabulary that is learnt from texts. */
  public static Tokenizer tokenizer(List<String> texts) {
    try {
      Path folder = Files.createTempDirectory("tokenizer");
      ByteLevelBpeTrainer.ofSize(420).withMinimumFrequency(1).train(texts.iterator()).save(folder);
      Tokenizer tokenizer = Tokenizer.load(folder.resolve("tokenizer.json"));
      Folders.delete(folder);
      return tokenizer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The ten schemas by their names. */
  public static Map<String, JsonNode> schemas() throws IOException {
    try (InputStream in = Structured.class.getResourceAsStream("schemas.json")) {
      Map<String, JsonNode> schemas = new LinkedHashMap<>();
      JSON.readTree(in).properties().forEach(e -> schemas.put(e.getKey(), e.getValue()));
      return schemas;
    }
  }

  public static JsonSchema judge(JsonNode schema) {
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
        .getSchema(schema, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build());
  }

  public static void assertValid(JsonSchema judge, String text) throws IOException {
    JsonNode value;
    try {
      value = JSON.readTree(text);
    } catch (IOException e) {
      throw new AssertionError(text, e);
    }
    // The judge passes over names that begin with #, as if they were comments.
    boolean judged = names(value).noneMatch(name -> name.startsWith("#"));
    assertTrue(!judged || judge.validate(value).isEmpty(), () -> judge.validate(value) + text);
  }

  private static Stream<String> names(JsonNode value) {
    return Stream.concat(
        value.properties().stream().map(Map.Entry::getKey),
        StreamSupport.stream(value.spliterator(), false).flatMap(Structured::names));
  }

  /** The fewest tokens that a constraint accepts as a budget. */
  static int least(TokenConstraint constraint) {
    int budget = 1;
    while (refusal(constraint, budget) != null) {
      budget++;
    }
    return budget;
  }

  static String refusal(TokenConstraint constraint, int budget) {
    try {
      constraint.start(budget);
      return null;
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
  }

  /** Whether a text may be an answer, token by token. */
  static boolean accepts(TokenConstraint constraint, String text) {
    TokenConstraint.State state = constraint.start(100_000);
    for (int id : TOKENIZER.encode(text)) {
      BitSet allowed = new BitSet();
      state.allow(allowed);
      if (!allowed.get(id)) {
        return false;
      }
      state.advance(id);
    }
    return state.mayEnd();
  }

  /** A text of tokens that are drawn from those allowed, all being as likely, and the end too. */
  static String draw(TokenConstraint constraint, int budget, SplittableRandom random) {
    TokenConstraint.State state = constraint.start(budget);
    int[] ids = new int[budget];
    BitSet allowed = new BitSet();
    for (int size = 0; ; size++) {
      allowed.clear();
      state.allow(allowed);
      int options = allowed.cardinality() + (state.mayEnd() ? 1 : 0);
      assertTrue(options > 0, () -> "nothing may follow " + TOKENIZER.decode(ids));
      int chosen = random.nextInt(options);
      if (chosen == allowed.cardinality()) {
        return TOKENIZER.decode(Arrays.copyOf(ids, size));
      }
      int id = allowed.nextSetBit(0);
      while (chosen-- > 0) {
        id = allowed.nextSetBit(id + 1);
      }
      state.advance(id);
      ids[size] = id;
    }
  }
}
