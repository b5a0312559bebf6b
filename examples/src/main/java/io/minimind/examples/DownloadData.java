package io.minimind.examples;

import io.minimind.data.hub.DatasetDownload;
import io.minimind.data.hub.DatasetHub;
import io.minimind.data.hub.DatasetHub.Layout;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Downloads a data set of a hub. */
@Command(
    name = "download",
    description = {
      "Downloads files of a data set, several at once, checked by the hub's checksums. What has"
          + " arrived is kept: the same command goes on where a download broke.",
      "A token in the environment variable HF_TOKEN is sent to the hub itself, and to no mirror or"
          + " other host."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class DownloadData implements Callable<Integer> {

  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      required = true,
      description = "OWNER/NAME, or minimind for MiniMind's own.")
  private String dataset;

  @Parameters(
      paramLabel = "FILE",
      description = "Which files; without any their sizes are shown, and nothing is downloaded.")
  private List<String> files = List.of();

  @Option(names = "--all", description = "All files.")
  private boolean all;

  @Option(
      names = "--hub",
      paramLabel = "HUB",
      description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.")
  private Layout hub = Layout.HUGGING_FACE;

  @Option(
      names = "--revision",
      paramLabel = "R",
      description = "A branch, tag or commit; default: what the hub shows.")
  private String revision;

  @Option(
      names = "--mirror",
      paramLabel = "URL",
      description = "Another host with the same layout, such as https://hf-mirror.com.")
  private URI mirror;

  @Option(
      names = "--to",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write; made if it is missing.")
  private Path to;

  public static void main(String[] args) {
    MiniMind.run(new DownloadData(), args);
  }

  @Override
  public Integer call() throws IOException {
    String own = hub == Layout.HUGGING_FACE ? "jingyaogong" : "gongjy";
    DatasetHub source =
        new DatasetHub(
            mirror == null ? hub.base() : mirror,
            dataset.equals("minimind") ? own + "/minimind_dataset" : dataset,
            revision == null ? hub.revision() : revision,
            hub);
    Optional<String> token =
        Optional.ofNullable(System.getenv("HF_TOKEN"))
            .filter(given -> mirror == null && hub == Layout.HUGGING_FACE && !given.isBlank());
    DatasetDownload download = DatasetDownload.open(source, token);
    for (DatasetHub.File file : download.files()) {
      if (all || files.isEmpty() || files.contains(file.path())) {
        System.out.printf(Locale.ROOT, "%,15d  %s%n", file.size(), file.path());
      }
    }
    if (!all && files.isEmpty()) {
      System.out.println("Name the files to download, or take --all.");
      return 0;
    }
    ProgressLine progress = ProgressLine.onStandardError();
    List<String> unchecked =
        download.to(
            to,
            file -> all || files.contains(file.path()),
            (bytes, total) -> progress.show("Downloading " + ProgressBar.of(bytes, total)));
    progress.clear();
    if (!unchecked.isEmpty()) {
      System.out.println("The hub gives no checksum for " + String.join(", ", unchecked) + ".");
    }
    System.out.println("Everything is in " + to + ".");
    return 0;
  }
}
