package io.minimind.data.hub;

import io.minimind.data.hub.DatasetHub.Layout;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Downloads a data set in a process of its own, which may be killed. */
final class DownloadOnce {

  private DownloadOnce() {}

  /** Arguments: the address of the hub, the folder. */
  public static void main(String[] arguments) throws IOException {
    DatasetHub hub = new DatasetHub(URI.create(arguments[0]), "o/n", "main", Layout.HUGGING_FACE);
    Transfer.Persistence once =
        new Transfer.Persistence(1, Duration.ofMillis(1), Duration.ofMinutes(1));
    DatasetDownload.open(hub, Optional.empty(), once)
        .to(Path.of(arguments[1]), file -> true, (bytes, total) -> {});
  }
}
