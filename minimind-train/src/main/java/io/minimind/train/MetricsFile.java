package io.minimind.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputFile;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Keeps {@code metrics.jsonl}, a JSON object per line: for each update {@code update, epoch, batch,
 * loss, gradient_norm, learning_rate, tokens, tokens_per_second, positions_per_second, padding,
 * seconds}, where padding is the share of the positions that no sample has, without the norm if
 * float16 gradients overflowed and the update was skipped; for each validation {@code update,
 * validation_loss}; and in both what the objective reports besides, by its names.
 */
final class MetricsFile implements TrainingListener {

  private static final System.Logger LOG = System.getLogger("io.minimind.train");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final Path chart;

  /**
   * @param chart where what the file has is drawn when training ends
   */
  MetricsFile(Path file, Path chart) {
    this.file = file;
    this.chart = chart;
  }

  /** Lines of updates that the run goes back behind are dropped: they will come again. */
  @Override
  public void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from)
      throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    StringBuilder kept = new StringBuilder();
    read(
        file,
        metric -> {
          if (metric.path("update").asLong() <= from.update()) {
            kept.append(metric).append('\n');
          }
        });
    AtomicFile.replace(file, kept.toString().getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void updated(Update update) throws IOException {
    ObjectNode metric = JSON.createObjectNode();
    metric.put("update", update.state().update());
    metric.put("epoch", update.epoch());
    metric.put("batch", update.batch());
    metric.put("loss", update.loss());
    if (Double.isFinite(update.gradientNorm())) {
      metric.put("gradient_norm", update.gradientNorm());
    }
    metric.put("learning_rate", update.learningRate());
    metric.put("tokens", update.state().tokens());
    metric.put("tokens_per_second", update.tokens() / update.seconds());
    metric.put("positions_per_second", update.positions() / update.seconds());
    metric.put("padding", (double) update.padding() / update.positions());
    metric.put("seconds", update.state().seconds());
    update.metrics().forEach(metric::put);
    append(metric);
  }

  @Override
  public void validated(TrainingState state, Map<String, Double> metrics) throws IOException {
    ObjectNode metric = JSON.createObjectNode();
    metric.put("update", state.update());
    metric.put("validation_loss", state.validationLoss().orElseThrow());
    metrics.forEach(metric::put);
    append(metric);
  }

  @Override
  public void finished(TrainingState state, boolean complete) throws IOException {
    MetricsChart.draw(file, chart);
  }

  private void append(ObjectNode metric) throws IOException {
    try (BufferedWriter writer =
        Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      writer.write(metric + "\n");
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      // A full disk is reported without a name.
      throw new IOException("Cannot write %s: %s.".formatted(file, e.getMessage()), e);
    }
  }

  /** Hands out the metrics of a file, but no last line that a killed process left unfinished. */
  static void read(Path file, Consumer<JsonNode> metrics) throws IOException {
    // Bytes that are no UTF-8 spoil their line and no other.
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(InputFile.open(file), StandardCharsets.UTF_8))) {
      int number = 1;
      for (String line = reader.readLine(); line != null; line = reader.readLine(), number++) {
        Optional<JsonNode> metric = parse(line);
        metric.ifPresent(metrics);
        if (metric.isEmpty() && reader.ready()) {
          LOG.log(
              System.Logger.Level.WARNING, file + ", line " + number + " is damaged and left out.");
        }
      }
    }
  }

  private static Optional<JsonNode> parse(String line) {
    try {
      return Optional.of(JSON.readTree(line)).filter(JsonNode::isObject);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }
}
