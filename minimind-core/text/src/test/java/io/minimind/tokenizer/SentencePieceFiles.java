package io.minimind.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Tuple;

/**
 * Models that SentencePiece's own trainer learnt from {@code corpus.txt}, and what SentencePiece
 * gives with them. Two of them have rules that replace characters.
 */
final class SentencePieceFiles {

  static final List<String> MODELS = List.of("plain-bpe", "rules-bpe", "rules-unigram");

  private SentencePieceFiles() {}

  static Path model(String name) {
    return resource(name + ".model");
  }

  static SentencePieceTokenizer load(String name) {
    try {
      return SentencePieceTokenizer.load(model(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<String> corpus() {
    try {
      return Files.readAllLines(resource("corpus.txt"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode cases(String name) {
    try {
      return new ObjectMapper().readTree(resource("cases.json").toFile()).get(name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int[] ints(JsonNode array) {
    int[] ints = new int[array.size()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = array.get(i).asInt();
    }
    return ints;
  }

  /** Texts of words that the models know and of what is hard for them. */
  static Arbitrary<String> texts() {
    return Arbitraries.frequencyOf(
            Tuple.of(6, Arbitraries.of("the old", " miller", "walked", "春天来了", "学")),
            Tuple.of(2, Arbitraries.of(" ", "  ", "   ", "\t", "\n", "\u3000")),
            Tuple.of(
                4,
                Arbitraries.of(
                    "\0",
                    "😀",
                    "👨‍👩‍👧",
                    "𝒳",
                    "\uDBFF\uDFFF",
                    "e\u0301",
                    "\u0301",
                    "ﬁ",
                    "…",
                    "\u00AD",
                    "\u2581",
                    "\u2585",
                    "\uFFFD",
                    "\uD800",
                    "\uDC00",
                    "<s>",
                    "</s",
                    "<0x41>",
                    "<sep>",
                    "2024")),
            Tuple.of(2, Arbitraries.strings().ofMaxLength(3)))
        .list()
        .ofMaxSize(12)
        .map(parts -> String.join("", parts));
  }

  private static Path resource(String name) {
    try {
      return Path.of(SentencePieceFiles.class.getResource("sentencepiece/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
