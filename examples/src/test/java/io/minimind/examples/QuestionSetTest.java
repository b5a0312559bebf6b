package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.examples.QuestionSet.Answer;
import io.minimind.examples.QuestionSet.Question;
import io.minimind.examples.QuestionSet.Score;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.NotEmpty;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuestionSetTest {

  @TempDir Path folder;

  @Property
  void anAnswerThatContainsWhatIsAcceptedIsRight(
      @ForAll String before,
      @ForAll @NotEmpty @AlphaChars String accepted,
      @ForAll String after,
      @ForAll @Size(max = 3) List<@AlphaChars @StringLength(min = 1, max = 9) String> others,
      @ForAll @IntRange(max = 3) int place) {
    List<String> all = new ArrayList<>(others);
    all.add(Math.min(place, others.size()), accepted);
    Question question = new Question("?", all);

    String begun = before + " ";
    assertTrue(question.accepts(begun + accepted + after));
    assertTrue(question.accepts(begun + accepted.toUpperCase(Locale.ROOT) + after));
    assertTrue(question.accepts(begun + accepted.toLowerCase(Locale.ROOT) + after));
  }

  @Test
  void theEndOfALongerNumberOrWordIsNotEnough() {
    Question question = new Question("?", List.of("十岁", "six cats"));

    assertTrue(question.accepts("石头今年十岁。"));
    assertFalse(question.accepts("梅婆婆八十岁了。"));
    assertTrue(question.accepts("She has six cats."));
    assertFalse(question.accepts("She has twenty-six cats."));
  }

  @Property
  void anyOtherAnswerIsWrong(
      @ForAll @CharRange(from = '一', to = '龥') String answer,
      @ForAll @Size(min = 1, max = 3)
          List<@CharRange(from = 'a', to = 'z') @StringLength(min = 1, max = 9) String> accepted) {
    Question question = new Question("?", accepted);

    assertFalse(question.accepts(answer));
    assertFalse(question.accepts(""));
  }

  /** What is accepted is a text and no pattern. */
  @Test
  void signsStandForThemselves() {
    Question question = new Question("?", List.of("a.c", "(两|三)", "\\d"));

    assertTrue(question.accepts("x A.C"));
    assertTrue(question.accepts("(两|三)"));
    assertFalse(question.accepts("abc 两 7"));
  }

  @Property
  void theScoreCountsRightAnswersAndThoseThatStopped(
      @ForAll @Size(min = 1, max = 40) List<@IntRange(max = 3) Integer> kinds) {
    List<Answer> answers = new ArrayList<>();
    int right = 0;
    int stopped = 0;
    for (int kind : kinds) {
      boolean isRight = (kind & 1) == 1;
      boolean hasStopped = (kind & 2) == 2;
      right += isRight ? 1 : 0;
      stopped += hasStopped ? 1 : 0;
      Question question = new Question("一年有几个月？", List.of("十二", "12"));
      answers.add(new Answer(question, isRight ? "有12个月。" : "有十个月。", hasStopped));
    }
    Score score = new Score(answers);

    assertEquals(right, score.right());
    assertEquals(stopped, score.stopped());
    assertEquals(kinds.size() - right, score.wrong().size());
    assertTrue(score.wrong().stream().noneMatch(Answer::isRight));
    assertTrue(
        score.toString().startsWith("%d of %d right (".formatted(right, kinds.size())),
        score.toString());
  }

  @Test
  void questionsAreReadWithTheirAlternatives() throws IOException {
    QuestionSet questions =
        read("question,accept", "白婶的职业是什么？,面包", "\"When, exactly?\",\"at eight | 8:00,八点\"");

    assertEquals(
        List.of(
            new Question("白婶的职业是什么？", List.of("面包")),
            new Question("When, exactly?", List.of("at eight", "8:00,八点"))),
        questions.questions());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "'何时？,八点|';Row 1;text before or after a |",
        "'何时？,八点||8';Row 1;text before or after a |",
        "'何时？,';Row 1;text before or after a |",
        "' ,八点';Row 1;has no question",
        "'';has no questions;expected a row for each"
      })
  void whatIsNoQuestionIsRefused(String row, String where, String what) {
    String message =
        assertThrows(IOException.class, () -> read("question,accept", row)).getMessage();

    assertTrue(message.contains("heldout.csv"), message);
    assertTrue(message.contains(where), message);
    assertTrue(message.contains(what), message);
  }

  private QuestionSet read(String... lines) throws IOException {
    return QuestionSet.read(Files.write(folder.resolve("heldout.csv"), List.of(lines)));
  }
}
