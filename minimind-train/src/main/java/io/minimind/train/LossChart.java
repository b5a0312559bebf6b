package io.minimind.train;

import io.minimind.files.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Draws {@code loss.svg} from the metrics: the loss of every update, its moving average, and the
 * validation loss. Vector graphics need no fonts or display on the machine.
 */
final class LossChart {

  private static final int WIDTH = 900;
  private static final int HEIGHT = 480;
  private static final int LEFT = 60;
  private static final int RIGHT = 20;
  private static final int TOP = 40;
  private static final int BOTTOM = 50;

  private record Point(double update, double loss) {}

  private LossChart() {}

  /** Draws what there is of metrics; nothing if there are none. */
  static void draw(Path metrics, Path chart) throws IOException {
    if (!Files.exists(metrics)) {
      return;
    }
    List<Point> training = new ArrayList<>();
    List<Point> validation = new ArrayList<>();
    MetricsFile.read(
        metrics,
        metric -> {
          double update = metric.path("update").asDouble();
          if (metric.has("loss")) {
            training.add(new Point(update, metric.get("loss").asDouble()));
          } else {
            validation.add(new Point(update, metric.path("validation_loss").asDouble()));
          }
        });
    if (!training.isEmpty()) {
      AtomicFile.replace(chart, draw(training, validation).getBytes(StandardCharsets.UTF_8));
    }
  }

  private static String draw(List<Point> training, List<Point> validation) {
    double lastUpdate = training.get(training.size() - 1).update();
    double highest = 0;
    double lowest = Double.POSITIVE_INFINITY;
    for (List<Point> points : List.of(training, validation)) {
      for (Point point : points) {
        highest = Math.max(highest, point.loss());
        lowest = Math.min(lowest, point.loss());
      }
    }
    double grid = tick(highest - lowest);
    double bottom = Math.floor(lowest / grid) * grid;
    double top = Math.max(Math.ceil(highest / grid) * grid, bottom + grid);
    StringBuilder svg = new StringBuilder();
    append(
        svg,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif'"
            + " font-size='13'>\n<rect width='%d' height='%d' fill='white'/>\n",
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT);
    for (double loss = bottom; loss <= top; loss += grid) {
      double y = y(loss, bottom, top);
      append(svg, "<path d='M%d %.1fH%d' stroke='#ddd'/>\n", LEFT, y, WIDTH - RIGHT);
      String label = String.format(Locale.ROOT, top < 1e5 ? "%.0f" : "%.1e", loss);
      append(svg, "<text x='%d' y='%.1f' text-anchor='end'>%s</text>\n", LEFT - 8, y + 4, label);
    }
    double step = tick(lastUpdate);
    for (double update = 0; update <= lastUpdate; update += step) {
      append(
          svg,
          "<text x='%.1f' y='%d' text-anchor='middle'>%.0f</text>\n",
          x(update, lastUpdate),
          HEIGHT - BOTTOM + 20,
          update);
    }
    append(
        svg, "<text x='%d' y='%d' text-anchor='middle'>updates</text>\n", WIDTH / 2, HEIGHT - 10);
    line(svg, training, "#9ecae1", 1, lastUpdate, bottom, top);
    line(svg, smoothed(training), "#08519c", 2, lastUpdate, bottom, top);
    line(svg, validation, "#e6550d", 2, lastUpdate, bottom, top);
    append(
        svg,
        "<text x='%d' y='25'>loss <tspan fill='#9ecae1'>each update</tspan>"
            + " <tspan fill='#08519c'>moving average</tspan>"
            + " <tspan fill='#e6550d'>validation</tspan></text>\n</svg>\n",
        LEFT);
    return svg.toString();
  }

  /** Exponential average over about a fiftieth of the run. */
  private static List<Point> smoothed(List<Point> points) {
    double weight = 2 / (points.size() / 50.0 + 2);
    List<Point> result = new ArrayList<>();
    double average = points.get(0).loss();
    for (Point point : points) {
      average += weight * (point.loss() - average);
      result.add(new Point(point.update(), average));
    }
    return result;
  }

  /** A round distance, at least 1, that gives up to ten ticks. */
  private static double tick(double range) {
    double power = Math.pow(10, Math.floor(Math.log10(Math.max(range, 1))));
    double ratio = range / power;
    return Math.max(1, ratio < 2 ? power / 5 : ratio < 5 ? power / 2 : power);
  }

  private static void line(
      StringBuilder svg,
      List<Point> points,
      String color,
      int width,
      double lastUpdate,
      double bottom,
      double top) {
    if (points.isEmpty()) {
      return;
    }
    StringBuilder path = new StringBuilder();
    for (Point point : points) {
      append(
          path,
          "%s%.1f %.1f",
          path.isEmpty() ? "M" : "L",
          x(point.update(), lastUpdate),
          y(point.loss(), bottom, top));
    }
    append(
        svg,
        "<path d='%s%s' fill='none' stroke='%s' stroke-width='%d' stroke-linecap='round'/>\n",
        path,
        // A curve of one point becomes a dot.
        points.size() == 1 ? "h0" : "",
        color,
        width);
  }

  private static double x(double update, double lastUpdate) {
    return LEFT + (WIDTH - LEFT - RIGHT) * update / Math.max(lastUpdate, 1);
  }

  private static double y(double loss, double bottom, double top) {
    return TOP + (HEIGHT - TOP - BOTTOM) * (top - loss) / (top - bottom);
  }

  private static void append(StringBuilder out, String format, Object... arguments) {
    out.append(String.format(Locale.ROOT, format, arguments));
  }
}
