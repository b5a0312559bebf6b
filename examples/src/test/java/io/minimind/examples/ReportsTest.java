package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.train.LearningRateSchedule;
import io.minimind.train.TrainingListener;
import io.minimind.train.TrainingSettings;
import io.minimind.train.TrainingState;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** What a person sees of a run while it goes on. */
class ReportsTest {

  private static final TrainingSettings COURSE =
      new TrainingSettings(
          20,
          64,
          1,
          8,
          2e-4f,
          0,
          LearningRateSchedule.cosine(),
          OptimizerSettings.DEFAULT,
          1,
          Long.MAX_VALUE,
          100,
          100,
          2);

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  private String printed() {
    String text = bytes.toString(StandardCharsets.UTF_8);
    bytes.reset();
    return text;
  }

  private static TrainingState state(int epoch, long batch, long update, double seconds) {
    return new TrainingState(
        epoch,
        batch,
        update,
        1000 * update,
        seconds,
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        Optional.empty());
  }

  private static TrainingState validated(double loss, double best) {
    TrainingState state = state(0, 10, 10, 5);
    return new TrainingState(
        state.epoch(),
        state.batch(),
        state.update(),
        state.tokens(),
        state.seconds(),
        OptionalDouble.of(loss),
        OptionalDouble.of(best),
        Optional.empty());
  }

  /** An update of one micro-batch. */
  private static TrainingListener.Update update(TrainingState after, double loss) {
    return new TrainingListener.Update(
        after.epoch(), after.batch() - 1, loss, 1.5, 2e-4, Map.of(), 5000, 9000, 450, 2.5, after);
  }

  @Test
  void logLinesAreThoseOfTheOriginal() {
    ConsoleReport report = new ConsoleReport(out, new ProgressLine(out, false), 1);
    report.started(COURSE, 20957, TrainingState.START);
    // 101 batches are done and 20856 left of the epoch, at a pace that takes 84 minutes for them.
    double seconds = 101 * 84.0 * 60 / 20856;
    report.updated(update(state(0, 101, 101, seconds), 7.42));
    assertEquals(
        "Epoch:[0/20](100/20957) loss:7.420 lr:0.0002000 epoch_Time:84.0min: 2000 tokens/s\n",
        printed());
  }

  @Test
  void theFirstUpdateAndEveryNthAreLogged() {
    ConsoleReport report = new ConsoleReport(out, new ProgressLine(out, false), 4);
    report.started(COURSE, 100, state(0, 5, 5, 3));
    for (int number = 6; number <= 12; number++) {
      report.updated(update(state(0, number, number, number), 7));
    }
    List<String> batches =
        printed().lines().map(line -> line.replaceAll(".*]\\((\\d+)/100\\).*", "$1")).toList();
    assertEquals(List.of("5", "7", "11"), batches);
  }

  @Test
  void timeLeftCountsFromWhereTheRunWentOn() {
    ConsoleReport report = new ConsoleReport(out, new ProgressLine(out, false), 1);
    // Half the epoch took an hour in another session; this one needs a second for each batch.
    report.started(COURSE, 200, state(3, 100, 50, 3600));
    report.updated(update(state(3, 140, 51, 3640), 2));
    assertTrue(printed().contains("(139/200) loss:2.000 lr:0.0002000 epoch_Time:1.0min:"));
  }

  @Test
  void aLogIntervalBelowOneIsRefused() {
    ProgressLine progress = new ProgressLine(out, false);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new ConsoleReport(out, progress, 0));
    assertEquals("The log interval must be at least 1 update, but is 0.", e.getMessage());
  }

  @Test
  void validationAndEndAreReported() {
    ConsoleReport report = new ConsoleReport(out, new ProgressLine(out, false), 1);
    report.started(COURSE, 100, TrainingState.START);
    double best = Math.log(20);
    report.validated(validated(best, best), Map.of("perplexity", 20.0));
    report.validated(validated(Math.log(40), best), Map.of("reward_margin", -0.00125));
    report.validated(validated(Math.log(40), best), Map.of("reward_margin", -1e-9));
    report.finished(state(1, 0, 1234, 3725), true);
    report.finished(state(1, 0, 1234, 59.4), false);
    assertEquals(
        """
        validation after 10 updates: loss 2.9957 perplexity 20.00 (best)
        validation after 10 updates: loss 3.6889 reward margin -0.0013
        validation after 10 updates: loss 3.6889 reward margin 0.0000
        Trained after 1234 updates, 1,234,000 tokens, 1 h 02 min.
        Interrupted after 1234 updates, 1,234,000 tokens, 59 s.
        """,
        printed());
  }

  @Test
  void aTerminalShowsALiveLineThatMakesRoom() {
    ConsoleReport report = new ConsoleReport(out, new ProgressLine(out, true), 2);
    report.started(COURSE, 100, TrainingState.START);
    report.updated(update(state(0, 1, 1, 2), 7.5));
    String first = printed();
    assertTrue(first.startsWith("Epoch:[0/20](0/100)"), first);
    // 1999 batches are left, 2 seconds each.
    assertTrue(
        first.endsWith(
            "\r\u001b[Kupdate 1  loss 7.500  gradient norm 1.50  2000 tokens/s  1 h 06 min left"),
        first);
    report.updated(update(state(0, 2, 2, 4), 7.4));
    assertTrue(printed().startsWith("\r\u001b[KEpoch:[0/20](1/100)"));
  }

  @Test
  void theEndOfAnEarlyEndIsExpected() {
    TrainingSettings early =
        new TrainingSettings(
            20,
            64,
            1,
            1,
            2e-4f,
            0,
            LearningRateSchedule.cosine(),
            OptimizerSettings.DEFAULT,
            1,
            31,
            100,
            100,
            2);
    ConsoleReport report = new ConsoleReport(out, new ProgressLine(out, true), 100);
    report.started(early, 100, TrainingState.START);
    report.updated(update(state(0, 1, 1, 2), 7.5));
    assertTrue(printed().endsWith("  1 min 00 s left"));
  }

  @Test
  void aProgressLineIsRewrittenNotTooOften() {
    ProgressLine progress = new ProgressLine(out, true);
    progress.clear();
    assertEquals("", printed());
    progress.show("one");
    progress.show("two, too soon");
    assertEquals("\r\u001b[Kone", printed());
    progress.clear();
    progress.clear();
    assertEquals("\r\u001b[K", printed());
  }

  @Test
  void withoutATerminalThereIsNoProgressLine() {
    ProgressLine progress = new ProgressLine(out, false);
    progress.show("one");
    progress.clear();
    assertEquals("", printed());
  }
}
