package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.train.TrainingListener.Update;
import io.minimind.train.TrainingState;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ConsoleReportTest {

  private static TrainingState after(long updates) {
    return new TrainingState(
        0,
        updates,
        updates,
        100 * updates,
        updates,
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        Optional.empty());
  }

  /** The last line of a run of which this process made one update. */
  private static String lastLine(TrainingState from) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    ConsoleReport report = new ConsoleReport(out, new ProgressLine(out, false), 1);
    TrainingState to = after(from.update() + 1);
    report.started(new TrainingOptions(1e-4f).settings(), 9, from);
    report.updated(new Update(0, to.batch() - 1, 2, 1, 1e-4, Map.of(), 90, 100, 10, 1, to));
    report.finished(to, true);
    String[] lines = bytes.toString(StandardCharsets.UTF_8).split("\\R");
    return lines[lines.length - 1];
  }

  @Test
  void thePaddingIsThatOfTheUpdatesThatWereSeen() {
    String whole = lastLine(TrainingState.START);
    assertTrue(whole.endsWith(" 10.0 % of the positions were padding."), whole);
    String resumed = lastLine(after(3));
    assertTrue(
        resumed.endsWith(" 10.0 % of the positions since it went on were padding."), resumed);
  }
}
