package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.artifact.OptimizerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntToDoubleFunction;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The metrics file and the chart that is drawn from it. */
class MetricsTest {

  private static final TrainingSettings SETTINGS =
      new TrainingSettings(
          1,
          1,
          1,
          1,
          1,
          0,
          LearningRateSchedule.cosine(),
          OptimizerSettings.DEFAULT,
          1,
          Long.MAX_VALUE,
          100,
          100,
          2);

  @TempDir Path folder;

  private Path metrics() {
    return folder.resolve("metrics.jsonl");
  }

  private static TrainingState state(long update) {
    return new TrainingState(
        0,
        update,
        update,
        100 * update,
        0.5 * update,
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        Optional.empty());
  }

  /** Updates {@code (from, to]}, a validation after every third. */
  private void train(int from, int to) throws IOException {
    MetricsFile file = new MetricsFile(metrics(), folder.resolve("unused.svg"));
    file.started(SETTINGS, 100, state(from));
    for (int number = from + 1; number <= to; number++) {
      updated(file, number, 8.0 / number);
      if (number % 3 == 0) {
        file.validated(state(number).validated(9.0 / number), Map.of("accuracy", 0.5));
      }
    }
  }

  private static void updated(MetricsFile file, int number, double loss) throws IOException {
    file.updated(
        new TrainingListener.Update(
            0,
            number - 1,
            loss,
            2,
            0.001,
            Map.of("margin", 0.25),
            100,
            120,
            6,
            0.5,
            state(number)));
  }

  private List<JsonNode> lines() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(metrics())) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  @Test
  void everyUpdateAndValidationHasALine() throws IOException {
    train(0, 3);
    List<JsonNode> lines = lines();
    assertEquals(4, lines.size());
    ObjectMapper json = new ObjectMapper();
    assertEquals(
        json.readTree(
            """
            {"update": 2, "epoch": 0, "batch": 1, "loss": 4.0, "gradient_norm": 2.0,
             "learning_rate": 0.001, "tokens": 200, "tokens_per_second": 200.0,
             "positions_per_second": 240.0, "padding": 0.05, "seconds": 1.0, "margin": 0.25}
            """),
        lines.get(1));
    assertEquals(3, lines.get(3).get("update").intValue());
    assertEquals(3.0, lines.get(3).get("validation_loss").doubleValue());
    assertEquals(0.5, lines.get(3).get("accuracy").doubleValue());
    assertEquals(3, lines.get(3).size());
  }

  @Test
  void aResumedRunLeavesNoTraceOfWhatItRepeats() throws IOException {
    train(0, 10);
    String whole = Files.readString(metrics());
    for (int resumed = 0; resumed <= 10; resumed++) {
      train(resumed, 10);
      assertEquals(whole, Files.readString(metrics()), "resumed from " + resumed);
    }
  }

  @Test
  void aTornLastLineIsDropped() throws IOException {
    train(0, 10);
    String whole = Files.readString(metrics());
    int last = whole.lastIndexOf('\n', whole.length() - 2) + 1;
    for (int end = last; end < whole.length() - 1; end++) {
      Files.writeString(metrics(), whole.substring(0, end));
      train(9, 10);
      assertEquals(whole, Files.readString(metrics()));
    }
    Files.writeString(metrics(), "\0\0\0\0", StandardOpenOption.APPEND);
    train(10, 10);
    assertEquals(whole, Files.readString(metrics()));
  }

  @Test
  void anotherRunStartsItsOwn() throws IOException {
    train(0, 10);
    train(0, 2);
    assertEquals(2, lines().size());
  }

  @Test
  void nothingIsDrawnOfNothing() throws IOException {
    Path chart = folder.resolve("loss.svg");
    Files.writeString(metrics(), "");
    MetricsChart.draw(metrics(), chart);
    assertFalse(Files.exists(chart));
  }

  @Test
  void theChartShowsEveryPointWithinItsFrame() throws Exception {
    assertChart(1, update -> 7.42);
    assertChart(2, update -> 3.0);
    assertChart(500, update -> 8 / Math.sqrt(update) + 0.1 * Math.sin(update));
    assertChart(7, update -> update % 2 == 0 ? 9.99 : 0.0);
    assertChart(50, update -> 1e-3 / update);
    // A run that goes wrong is worth looking at.
    assertChart(40, update -> Math.pow(10, update - 10));
  }

  private void assertChart(int updates, IntToDoubleFunction loss) throws Exception {
    Files.deleteIfExists(metrics());
    MetricsFile file = new MetricsFile(metrics(), folder.resolve("unused.svg"));
    int validations = 0;
    double highest = 0;
    int highestAt = 0;
    for (int number = 1; number <= updates; number++) {
      updated(file, number, loss.applyAsDouble(number));
      if (loss.applyAsDouble(number) > highest) {
        highest = loss.applyAsDouble(number);
        highestAt = number;
      }
      if (number % 10 == 0) {
        file.validated(state(number).validated(loss.applyAsDouble(number)), Map.of());
        validations++;
      }
    }
    Element svg = chart().getDocumentElement();
    double[] frame =
        Arrays.stream(svg.getAttribute("viewBox").split(" "))
            .mapToDouble(Double::parseDouble)
            .toArray();
    List<List<double[]>> curves = curves(panels(svg).get(0));
    assertEquals(validations == 0 ? 2 : 3, curves.size());
    for (List<double[]> curve : curves) {
      double lastX = 0;
      for (double[] point : curve) {
        assertTrue(point[0] > lastX || updates > 500, "curves go to the right");
        lastX = point[0];
        assertTrue(point[0] >= 0 && point[0] <= frame[2], Arrays.toString(point));
        assertTrue(point[1] >= 0 && point[1] <= frame[3], Arrays.toString(point));
      }
    }
    assertEquals(updates, curves.get(0).size(), "the loss of every update");
    assertEquals(updates, curves.get(1).size(), "its average");
    if (validations > 0) {
      assertEquals(validations, curves.get(2).size());
    }
    double top = curves.get(0).stream().mapToDouble(point -> point[1]).min().orElseThrow();
    assertEquals(top, curves.get(0).get(highestAt - 1)[1], "a higher loss is higher up");
    int labels = panels(svg).get(0).getElementsByTagName("text").getLength();
    assertTrue(labels >= 5 && labels <= 30, labels + " labels");
  }

  @Test
  void whatAnObjectiveReportsHasACurveOfItsOwn() throws Exception {
    MetricsFile file = new MetricsFile(metrics(), folder.resolve("unused.svg"));
    for (int number = 1; number <= 4; number++) {
      Map<String, Double> metrics = new LinkedHashMap<>();
      metrics.put("mean_reward", -0.5 + number);
      metrics.put("kl", number == 1 ? Double.NaN : 0.001 * number);
      file.updated(
          new TrainingListener.Update(
              0, number - 1, -number, 2, 0.001, metrics, 100, 120, 6, 0.5, state(number)));
    }
    file.validated(
        state(4).validated(-4.5), Map.of("mean_reward", 4.25, "perplexity", 7.0, "held", 0.0));
    List<Element> panels = panels(chart().getDocumentElement());
    assertEquals(4, panels.size(), "neither the rate nor the perplexity has one");
    List<String> names = panels.stream().map(MetricsTest::title).toList();
    assertEquals(
        List.of("loss", "mean reward", "kl", "held"),
        names.stream().map(name -> name.replaceFirst(" each update.*", "")).toList());
    List<List<double[]>> rewards = curves(panels.get(1));
    assertEquals(List.of(4, 4, 1), rewards.stream().map(List::size).toList());
    List<double[]> each = rewards.get(0);
    for (int i = 1; i < 4; i++) {
      assertEquals(each.get(1)[1] - each.get(0)[1], each.get(i)[1] - each.get(i - 1)[1], 0.2);
      assertTrue(each.get(i)[1] < each.get(i - 1)[1], "a higher reward is higher up");
    }
    assertTrue(rewards.get(2).get(0)[1] < each.get(3)[1], "the validation's 4.25 above 3.5");
    assertEquals(3, curves(panels.get(2)).get(0).size(), "what is no number is left out");
    assertEquals(1, curves(panels.get(3)).size(), "of a validation alone");
  }

  private static String title(Element panel) {
    NodeList texts = panel.getElementsByTagName("text");
    return texts.item(texts.getLength() - 1).getTextContent();
  }

  private static List<Element> panels(Element svg) {
    List<Element> panels = new ArrayList<>();
    NodeList groups = svg.getElementsByTagName("g");
    for (int i = 0; i < groups.getLength(); i++) {
      panels.add((Element) groups.item(i));
    }
    return panels;
  }

  private Document chart() throws IOException {
    Path chart = folder.resolve("loss.svg");
    MetricsChart.draw(metrics(), chart);
    try {
      return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(chart.toFile());
    } catch (ParserConfigurationException | SAXException e) {
      throw new AssertionError("not valid XML", e);
    }
  }

  /** The coordinates of the paths that are curves: grid lines have no line segments. */
  private static List<List<double[]>> curves(Element svg) {
    List<List<double[]>> curves = new ArrayList<>();
    NodeList paths = svg.getElementsByTagName("path");
    for (int i = 0; i < paths.getLength(); i++) {
      Element path = (Element) paths.item(i);
      if (path.getAttribute("fill").equals("none")) {
        curves.add(
            Arrays.stream(path.getAttribute("d").replaceAll("^M|h0$", "").split("L"))
                .map(
                    point ->
                        Arrays.stream(point.split(" ")).mapToDouble(Double::parseDouble).toArray())
                .toList());
      }
    }
    return curves;
  }
}
