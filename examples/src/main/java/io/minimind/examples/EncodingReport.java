package io.minimind.examples;

import io.minimind.data.EncodingProgress;
import java.nio.file.Path;
import java.util.Locale;

/** Shows how far the encoding of a corpus is. */
record EncodingReport(Path file, ProgressLine progress) implements EncodingProgress {

  @Override
  public void update(long bytesRead, long bytesTotal, long rows, long tokens) {
    progress.show(
        String.format(
            Locale.ROOT,
            "encoding %s %s  %,d rows  %,d tokens",
            file.getFileName(),
            bytesTotal == 0 ? "" : ProgressBar.of(bytesRead, bytesTotal),
            rows,
            tokens));
  }

  @Override
  public void waiting() {
    System.err.println("Waiting for another run to encode its corpus …");
  }

  @Override
  public void rebuilding(String reason) {
    progress.clear();
    System.err.println(reason);
  }
}
