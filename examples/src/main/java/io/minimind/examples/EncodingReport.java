package io.minimind.examples;

import io.minimind.data.EncodingProgress;
import io.minimind.train.ProgressLine;
import java.nio.file.Path;
import java.util.Locale;

/** Shows how far the encoding of a corpus is. */
record EncodingReport(Path file, ProgressLine progress) implements EncodingProgress {

  private static final int WIDTH = 30;

  @Override
  public void update(long bytesRead, long bytesTotal, long rows, long tokens) {
    double share = bytesTotal == 0 ? 1 : Math.min(1, (double) bytesRead / bytesTotal);
    int done = (int) (share * WIDTH);
    progress.show(
        String.format(
            Locale.ROOT,
            "encoding %s [%s%s] %3.0f%%  %,d rows  %,d tokens",
            file.getFileName(),
            "#".repeat(done),
            ".".repeat(WIDTH - done),
            100 * share,
            rows,
            tokens));
  }

  @Override
  public void rebuilding(String reason) {
    progress.clear();
    System.err.println(reason);
  }
}
