package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.train.TrainingListener;
import io.minimind.train.TrainingSettings;
import io.minimind.train.TrainingState;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Prints what corpora hold, the original's log lines, validation results and what the model writes,
 * and a live line with speed and time left.
 */
final class ConsoleReport implements TrainingListener {

  private static final int SHOWN_SKIPPED = 3;
  private static final int SHOWN_CHARACTERS = 100;

  private final PrintStream out;
  private final ProgressLine progress;
  private final int logEvery;
  private TrainingSettings settings;
  private long batchesPerEpoch;
  private TrainingState from;
  private double smoothedSpeed;
  private long positions;
  private long padding;

  /**
   * @param logEvery updates between two log lines, at least 1
   */
  ConsoleReport(PrintStream out, ProgressLine progress, int logEvery) {
    if (logEvery < 1) {
      throw new ArgumentException(
          "The log interval must be at least 1 update, but is " + logEvery + ".");
    }
    this.out = out;
    this.progress = progress;
    this.logEvery = logEvery;
  }

  @Override
  public void waiting(String corpus) {
    System.err.println("Waiting for another run to encode its corpus …");
  }

  @Override
  public void rebuilding(String corpus, String reason) {
    progress.clear();
    System.err.println(reason);
  }

  @Override
  public void encoding(Encoding encoding) {
    progress.show(
        String.format(
            Locale.ROOT,
            "encoding %s %s  %,d rows  %,d tokens",
            encoding.corpus().replaceFirst(".*[/\\\\]", ""),
            encoding.size() == 0 ? "" : ProgressBar.of(encoding.position(), encoding.size()),
            encoding.rows(),
            encoding.tokens()));
  }

  @Override
  public void encoded(Corpus corpus) throws IOException {
    progress.clear();
    out.printf(
        Locale.ROOT, "%s: %,d rows, %,d tokens%n", corpus.name(), corpus.rows(), corpus.tokens());
    if (corpus.skipped().isPresent()) {
      printSkipped(corpus.skippedRows(), corpus.skipped().get());
    }
  }

  private void printSkipped(long rows, Path list) throws IOException {
    out.printf(Locale.ROOT, "Rows that cannot be used: %,d%n", rows);
    try (BufferedReader lines = Files.newBufferedReader(list)) {
      lines.lines().limit(SHOWN_SKIPPED).forEach(line -> out.println("  " + line));
    }
    if (rows > SHOWN_SKIPPED) {
      out.println("  … all of them are listed in skipped.txt in the folder of the run.");
    }
  }

  @Override
  public void preparing(String corpus, long done, long total) {
    progress.show(
        String.format(
            Locale.ROOT, "the reference's log-probabilities: %,d of %,d answers", done, total));
    if (done == total) {
      progress.clear();
    }
  }

  @Override
  public void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from) {
    this.settings = settings;
    this.batchesPerEpoch = batchesPerEpoch;
    this.from = from;
  }

  @Override
  public void updated(Update update) {
    double speed = update.tokens() / update.seconds();
    smoothedSpeed = smoothedSpeed == 0 ? speed : 0.95 * smoothedSpeed + 0.05 * speed;
    positions += update.positions();
    padding += update.padding();
    TrainingState state = update.state();
    boolean first = state.update() == from.update() + 1;
    if (first || state.update() % logEvery == 0) {
      progress.clear();
      out.println(logLine(update));
    }
    progress.show(
        String.format(
            Locale.ROOT,
            "update %d  loss %.3f  gradient norm %.2f  %.0f tokens/s  %s left",
            state.update(),
            update.loss(),
            update.gradientNorm(),
            smoothedSpeed,
            duration(secondsLeft(state))));
  }

  /** The line that the original prints, with the minutes left in the epoch. */
  private String logLine(Update update) {
    TrainingState state = update.state();
    double perBatch = secondsPerBatch(state);
    double minutes = perBatch * (batchesPerEpoch - update.batch() - 1) / 60;
    return String.format(
        Locale.ROOT,
        "Epoch:[%d/%d](%d/%d) loss:%.3f lr:%.7f epoch_Time:%.1fmin: %.0f tokens/s%s",
        update.epoch(),
        settings.epochs(),
        update.batch(),
        batchesPerEpoch,
        update.loss(),
        update.learningRate(),
        minutes,
        smoothedSpeed,
        text(update.metrics()));
  }

  private static String text(Map<String, Double> metrics) {
    StringBuilder text = new StringBuilder();
    metrics.forEach(
        (name, value) -> {
          int decimals = name.equals("perplexity") ? 2 : 4;
          String number = String.format(Locale.ROOT, "%." + decimals + "f", value);
          // A margin of next to nothing is no negative zero.
          text.append(' ').append(name.replace('_', ' ')).append(' ');
          text.append(number.replaceFirst("^-(0\\.0+)$", "$1"));
        });
    return text.toString();
  }

  private double secondsPerBatch(TrainingState state) {
    double seconds = state.seconds() - from.seconds();
    return seconds / Math.max(1, batchesDone(state) - batchesDone(from));
  }

  private long batchesDone(TrainingState state) {
    return state.epoch() * batchesPerEpoch + state.batch();
  }

  private double secondsLeft(TrainingState state) {
    long batches = settings.epochs() * batchesPerEpoch - batchesDone(state);
    double updates =
        Math.min((double) batches / settings.window(), settings.maxUpdates() - state.update());
    return updates * secondsPerBatch(state) * settings.window();
  }

  @Override
  public void validated(TrainingState state, Map<String, Double> metrics) {
    progress.clear();
    out.printf(
        Locale.ROOT,
        "validation after %d updates: loss %.4f%s%s%n",
        state.update(),
        state.validationLoss().orElseThrow(),
        text(metrics),
        state.hasBestValidation() ? " (best)" : "");
  }

  @Override
  public void saved(TrainingState state, Path checkpoint) {
    progress.show("saved " + checkpoint);
  }

  @Override
  public void sampled(TrainingState state, List<Sample> samples) {
    progress.clear();
    for (Sample sample : samples) {
      String line = (sample.prompt() + "|" + sample.text()).replace('\n', ' ');
      boolean isLong = line.length() > SHOWN_CHARACTERS;
      out.println("  " + (isLong ? line.substring(0, SHOWN_CHARACTERS) + "…" : line));
    }
  }

  @Override
  public void finished(TrainingState state, boolean complete) {
    progress.clear();
    out.printf(
        Locale.ROOT,
        "%s after %d updates, %,d tokens, %s.%s%n",
        complete ? "Trained" : "Interrupted",
        state.update(),
        state.tokens(),
        duration(state.seconds()),
        positions == 0
            ? ""
            : String.format(
                Locale.ROOT,
                " %.1f %% of the positions%s were padding.",
                100.0 * padding / positions,
                from.update() == 0 ? "" : " since it went on"));
  }

  /** A time for people to read, such as {@code 1 min 08 s}. */
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + " s";
    }
    if (whole < 3600) {
      return "%d min %02d s".formatted(whole / 60, whole % 60);
    }
    return "%d h %02d min".formatted(whole / 3600, whole % 3600 / 60);
  }
}
