package io.minimind.train;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Draws {@code loss.svg} from the metrics: the loss of every update, its moving average, and the
 * validation loss; and below it in the same way whatever else the objective reports, such as the
 * reward. Vector graphics need no fonts or display on the machine.
 */
final class MetricsChart {

  private static final String LOSS = "loss";
  private static final String VALIDATION_LOSS = "validation_loss";

  /** What lines have besides what an objective reports. */
  private static final Set<String> FACTS =
      Set.of(
          "update",
          "epoch",
          "batch",
          "gradient_norm",
          "learning_rate",
          "tokens",
          "tokens_per_second",
          "positions_per_second",
          "padding",
          "seconds",
          "perplexity");

  private static final int WIDTH = 900;
  private static final int LOSS_HEIGHT = 480;
  private static final int METRIC_HEIGHT = 240;
  private static final int LEFT = 60;
  private static final int RIGHT = 20;
  private static final int TOP = 40;
  private static final int BOTTOM = 50;

  private record Point(double update, double value) {}

  /** What one metric was. */
  private record Curve(List<Point> training, List<Point> validation) {
    Curve() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    Stream<Point> all() {
      return Stream.concat(training.stream(), validation.stream());
    }
  }

  private final StringBuilder svg = new StringBuilder();
  private final double lastUpdate;

  private MetricsChart(double lastUpdate) {
    this.lastUpdate = lastUpdate;
  }

  /** Draws what there is of metrics; nothing if there are none. */
  static void draw(Path metrics, Path chart) throws IOException {
    if (!Files.exists(metrics)) {
      return;
    }
    Map<String, Curve> curves = new LinkedHashMap<>(Map.of(LOSS, new Curve()));
    MetricsFile.read(metrics, metric -> add(curves, metric));
    List<Point> losses = curves.get(LOSS).training();
    if (!losses.isEmpty()) {
      String svg = new MetricsChart(losses.get(losses.size() - 1).update()).draw(curves);
      AtomicFile.replace(chart, svg.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void add(Map<String, Curve> curves, JsonNode metric) {
    double update = metric.path("update").asDouble();
    boolean validation = metric.has(VALIDATION_LOSS);
    for (Map.Entry<String, JsonNode> field : metric.properties()) {
      String name = field.getKey().equals(VALIDATION_LOSS) ? LOSS : field.getKey();
      double value = field.getValue().asDouble(Double.NaN);
      if (!FACTS.contains(name) && Double.isFinite(value)) {
        Curve curve = curves.computeIfAbsent(name, unused -> new Curve());
        (validation ? curve.validation() : curve.training()).add(new Point(update, value));
      }
    }
  }

  private String draw(Map<String, Curve> curves) {
    int height = LOSS_HEIGHT + (curves.size() - 1) * METRIC_HEIGHT;
    append(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif'"
            + " font-size='13'>\n<rect width='%d' height='%d' fill='white'/>\n",
        WIDTH, height, WIDTH, height);
    int y = 0;
    for (Map.Entry<String, Curve> curve : curves.entrySet()) {
      append("<g transform='translate(0 %d)'>\n", y);
      Panel panel = new Panel(curve.getValue(), y == 0 ? LOSS_HEIGHT : METRIC_HEIGHT);
      panel.draw(curve.getKey().replace('_', ' ').replace("&", "&amp;").replace("<", "&lt;"));
      append("</g>\n");
      y += panel.height;
    }
    return svg.append("</svg>\n").toString();
  }

  /** Exponential average over about a fiftieth of the run. */
  private static List<Point> smoothed(List<Point> points) {
    double weight = 2 / (points.size() / 50.0 + 2);
    List<Point> result = new ArrayList<>();
    double average = points.isEmpty() ? 0 : points.get(0).value();
    for (Point point : points) {
      average += weight * (point.value() - average);
      result.add(new Point(point.update(), average));
    }
    return result;
  }

  /** A round distance that gives up to ten ticks. */
  private static double tick(double range) {
    double power = Math.pow(10, Math.floor(Math.log10(range)));
    double ratio = range / power;
    return ratio < 2 ? power / 5 : ratio < 5 ? power / 2 : power;
  }

  private double x(double update) {
    return LEFT + (WIDTH - LEFT - RIGHT) * update / Math.max(lastUpdate, 1);
  }

  private void append(String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments));
  }

  /** The curves of one metric over a grid of its own. */
  private final class Panel {
    private final Curve curve;
    private final int height;
    private final double grid;
    private final double bottom;
    private final double top;

    Panel(Curve curve, int height) {
      this.curve = curve;
      this.height = height;
      double highest = curve.all().mapToDouble(Point::value).max().orElse(0);
      double lowest = curve.all().mapToDouble(Point::value).min().orElse(0);
      // Of what stays the same, there is something to see around it.
      double least = Math.max(1e-6, 1e-3 * Math.max(Math.abs(highest), Math.abs(lowest)));
      grid = tick(Math.max(highest - lowest, least));
      bottom = Math.floor(lowest / grid) * grid;
      top = Math.max(Math.ceil(highest / grid) * grid, bottom + grid);
    }

    void draw(String name) {
      int decimals = (int) Math.max(0, -Math.floor(Math.log10(grid)));
      String number = top < 1e5 ? "%." + decimals + "f" : "%.1e";
      for (long line = 0; line <= Math.round((top - bottom) / grid); line++) {
        double value = bottom + line * grid;
        append("<path d='M%d %.1fH%d' stroke='#ddd'/>\n", LEFT, y(value), WIDTH - RIGHT);
        append(
            "<text x='%d' y='%.1f' text-anchor='end'>%s</text>\n",
            LEFT - 8,
            y(value) + 4,
            // Nothing is no negative zero.
            String.format(Locale.ROOT, number, value).replaceFirst("^-(0(\\.0+)?)$", "$1"));
      }
      double step = Math.max(1, tick(Math.max(lastUpdate, 1)));
      for (double update = 0; update <= lastUpdate; update += step) {
        append(
            "<text x='%.1f' y='%d' text-anchor='middle'>%.0f</text>\n",
            x(update), height - BOTTOM + 20, update);
      }
      append("<text x='%d' y='%d' text-anchor='middle'>updates</text>\n", WIDTH / 2, height - 10);
      line(curve.training(), "#9ecae1", 1);
      line(smoothed(curve.training()), "#08519c", 2);
      line(curve.validation(), "#e6550d", 2);
      append(
          "<text x='%d' y='25'>%s <tspan fill='#9ecae1'>each update</tspan>"
              + " <tspan fill='#08519c'>moving average</tspan>"
              + " <tspan fill='#e6550d'>validation</tspan></text>\n",
          LEFT, name);
    }

    private void line(List<Point> points, String color, int width) {
      if (points.isEmpty()) {
        return;
      }
      StringBuilder path = new StringBuilder();
      for (Point point : points) {
        path.append(path.isEmpty() ? 'M' : 'L');
        path.append(String.format(Locale.ROOT, "%.1f %.1f", x(point.update()), y(point.value())));
      }
      append(
          "<path d='%s%s' fill='none' stroke='%s' stroke-width='%d' stroke-linecap='round'/>\n",
          path,
          // A curve of one point becomes a dot.
          points.size() == 1 ? "h0" : "",
          color,
          width);
    }

    private double y(double value) {
      return TOP + (height - TOP - BOTTOM) * (top - value) / (top - bottom);
    }
  }
}
