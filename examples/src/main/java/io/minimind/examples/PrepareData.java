package io.minimind.examples;

import io.minimind.data.CorpusPreparation;
import io.minimind.data.CorpusPreparation.Duplicates;
import io.minimind.data.Rows;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Filters the texts of a corpus. */
@Command(
    name = "prepare",
    description = {
      "Writes the texts of a corpus as JSON lines, without those that are too short, too long, of"
          + " too little Chinese, or there already.",
      "--duplicates similar also leaves out what shares most of its runs of five characters with an"
          + " earlier text."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class PrepareData implements Callable<Integer> {

  @Parameters(paramLabel = "FILE", description = "As for 'data inspect', with a column text.")
  private Path file;

  @Option(names = "--out", paramLabel = "FILE", required = true, description = "The .jsonl file.")
  private Path out;

  @Option(names = "--min-length", paramLabel = "N", description = "In characters; default: 1.")
  private int fewest = 1;

  @Option(names = "--max-length", paramLabel = "N", description = "In characters; default: any.")
  private int most = Integer.MAX_VALUE;

  @Option(
      names = "--min-chinese",
      paramLabel = "SHARE",
      description = "The share of Chinese characters, 0 to 1; default: 0.")
  private double chinese;

  @Option(
      names = "--duplicates",
      paramLabel = "WHICH",
      description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.")
  private Duplicates duplicates = Duplicates.EXACT;

  public static void main(String[] args) {
    MiniMind.run(new PrepareData(), args);
  }

  @Override
  public Integer call() throws IOException {
    if (Files.exists(out) && Files.exists(file) && Files.isSameFile(file, out)) {
      throw new ArgumentException(
          "--out must be another file than " + file + ", which it would replace.");
    }
    Rows rows = Rows.of(file);
    ProgressLine progress = ProgressLine.onStandardError();
    CorpusPreparation.Result result =
        new CorpusPreparation(fewest, most, chinese, duplicates)
            .write(
                rows,
                out,
                read -> progress.show(String.format(Locale.ROOT, "Reading, %,d bytes", read)));
    progress.clear();
    System.out.printf(Locale.ROOT, "%s: %,d texts%n", out, result.written());
    result
        .leftOut()
        .forEach((reason, count) -> System.out.printf(Locale.ROOT, "  %s: %,d%n", reason, count));
    return 0;
  }
}
