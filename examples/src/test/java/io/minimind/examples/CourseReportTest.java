package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.examples.CourseRecord.StageResult;
import io.minimind.examples.QuestionSet.Answer;
import io.minimind.examples.QuestionSet.Question;
import io.minimind.examples.QuestionSet.Score;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class CourseReportTest {

  private Path folder;

  @BeforeProperty
  void makeFolder() throws IOException {
    folder = Files.createTempDirectory("report");
  }

  @AfterProperty
  void deleteFolder() throws IOException {
    Files.deleteIfExists(folder.resolve("report.html"));
    Files.delete(folder);
  }

  /** A model may write anything. */
  @Property(tries = 200)
  void anyTextMakesAWellFormedPage(
      @ForAll String prompt, @ForAll String answer, @ForAll String question) throws Exception {
    Document page = page(prompt, answer, question);

    List<String> cells = texts(page, "td");
    assertTrue(cells.contains(shown(answer)), answer);
    assertTrue(cells.contains(shown(question)), question);
    assertTrue(texts(page, "h3").contains(shown(prompt)), prompt);
  }

  @Example
  void markupInAnAnswerIsText() throws Exception {
    String answer = "<script>alert(\"1 < 2 && 'x' > y\")</script> ]]> &amp; 你好 😀";
    Document page = page("<b>&", answer, "</td>");

    assertEquals(0, page.getElementsByTagName("script").getLength());
    assertEquals(0, page.getElementsByTagName("b").getLength());
    assertTrue(texts(page, "td").contains(answer));
  }

  private Document page(String prompt, String answer, String question) throws Exception {
    CourseRecord record =
        new CourseRecord(
            Recipe.DEMO,
            Map.of(),
            List.of(prompt),
            List.of(new StageResult("sft", "Fine-tuning", "3 updates", 1, List.of(answer))));
    Score score = new Score(List.of(new Answer(new Question(question, List.of("\0\0")), "", true)));
    Path file = folder.resolve("report.html");
    CourseReport.write(file, record, score, folder);
    return parse(file);
  }

  static Document parse(Path file) throws Exception {
    return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
  }

  static List<String> texts(Document page, String element) {
    NodeList found = page.getElementsByTagName(element);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      texts.add(found.item(i).getTextContent());
    }
    return texts;
  }

  /** A line break is an element, and what XML knows no character for is U+FFFD. */
  private static String shown(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .filter(c -> c != '\n')
        .forEach(
            c -> {
              boolean printable =
                  c == '\t'
                      || !Character.isISOControl(c)
                          && !isSurrogate(c)
                          && c != 0xFFFE
                          && c != 0xFFFF;
              shown.appendCodePoint(printable ? c : 0xFFFD);
            });
    return shown.toString();
  }

  private static boolean isSurrogate(int c) {
    return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
  }
}
