package io.minimind.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.Sha256;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model of this project, as an application finds it on its class path. */
class PublishedModelTest {

  private static final String NAME = "minimind-demo";
  private static final double NEEDED = 0.95;
  private static final ChatOptions GREEDY =
      ChatOptions.defaults().withGeneration(GenerationOptions.greedy().withMaxNewTokens(64));

  @TempDir Path cache;

  @BeforeEach
  void unpackElsewhere() {
    System.setProperty("minimind.cache", cache.toString());
  }

  @AfterEach
  void unpackAsUsual() {
    System.clearProperty("minimind.cache");
  }

  private static byte[] packaged(String file) throws IOException {
    String path = "minimind/models/" + NAME + "/" + file;
    try (InputStream in = PublishedModelTest.class.getClassLoader().getResourceAsStream(path)) {
      return in.readAllBytes();
    }
  }

  private static String text(String file) throws IOException {
    return new String(packaged(file), StandardCharsets.UTF_8);
  }

  @Test
  void itsFilesAreThoseOfChecksumsAndCard() throws Exception {
    String card = text("README.md");
    List<String> names = new ArrayList<>();
    for (String line : text("SHA256SUMS").lines().toList()) {
      String name = line.substring(66);
      String checksum = Sha256.of(packaged(name));
      assertEquals(checksum + "  " + name, line);
      assertTrue(card.contains("`" + checksum + "`"), "the card is of another model: " + name);
      names.add(name);
    }
    assertTrue(names.containsAll(List.of("model.onnx", "model.safetensors")), names.toString());
  }

  /** A question, and texts of which a right answer contains one. */
  private record Question(String text, List<String> accepted) {

    boolean accepts(String answer) {
      return accepted.stream().anyMatch(text -> contains(answer, text));
    }

    /** A text that is the end of a longer number or word does not count. */
    private static boolean contains(String answer, String text) {
      String numerals = "零一二两三四五六七八九十百千万";
      String before =
          numerals.contains(text.substring(0, 1))
              ? "(?<![" + numerals + "])"
              : text.charAt(0) < 128 ? "(?<![a-zA-Z0-9-])" : "";
      return Pattern.compile(before + Pattern.quote(text), Pattern.CASE_INSENSITIVE)
          .matcher(answer)
          .find();
    }
  }

  private static List<Question> heldOut() throws IOException {
    Path file = Project.ROOT.resolve("examples/data/heldout.csv");
    CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
    try (CSVParser rows = CSVParser.parse(file, StandardCharsets.UTF_8, format)) {
      List<Question> questions = new ArrayList<>();
      for (CSVRecord row : rows) {
        List<String> accepted =
            Arrays.stream(row.get("accept").split("\\|")).map(String::strip).toList();
        questions.add(new Question(row.get("question"), accepted));
      }
      return questions;
    }
  }

  @Test
  void itAnswersQuestionsThatItNeverReadAndStops() throws IOException {
    List<Question> questions = heldOut();
    assertFalse(questions.isEmpty());
    List<String> wrong = new ArrayList<>();
    int endless = 0;
    try (LanguageModel model = LanguageModel.fromClasspath(NAME)) {
      for (Question question : questions) {
        try (Chat chat = model.chat(GREEDY)) {
          Generation answer = chat.send(question.text()).generation();
          if (!question.accepts(answer.text())) {
            wrong.add(question.text() + " " + answer.text() + " " + question.accepted());
          }
          endless += answer.finishReason() == FinishReason.END_OF_TEXT ? 0 : 1;
        }
      }
    }
    double right = 1 - (double) wrong.size() / questions.size();
    System.out.println("right: " + right + ", did not stop: " + endless);
    assertTrue(right >= NEEDED, () -> right + ", wrong:\n" + String.join("\n", wrong));
    assertEquals(0, endless, "answers that did not stop by themselves");
  }
}
