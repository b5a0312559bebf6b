package io.minimind.examples;

import io.minimind.data.CorpusStatistics;
import io.minimind.data.Rows;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what is in a corpus. */
@Command(
    name = "inspect",
    description = "Shows rows, lengths, writing, duplicates and problems of a corpus.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class InspectData implements Callable<Integer> {

  @Parameters(
      paramLabel = "FILE",
      description =
          "CSV, JSON, JSON lines, plain text or Parquet; all but that also as .gz or .zst.")
  private Path file;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      description = "Folder of a tokenizer, with which tokens are counted.")
  private Path tokenizer;

  public static void main(String[] args) {
    MiniMind.run(new InspectData(), args);
  }

  @Override
  public Integer call() throws IOException {
    Rows rows = Rows.of(file);
    Optional<Tokenizer> counting =
        tokenizer == null ? Optional.empty() : Optional.of(Tokenizer.load(tokenizer));
    ProgressLine progress = ProgressLine.onStandardError();
    long[] size = {0};
    CorpusStatistics found =
        CorpusStatistics.of(
            rows,
            counting,
            read -> {
              size[0] = Math.max(size[0], read);
              progress.show(String.format(Locale.ROOT, "Reading, %,d bytes", size[0]));
            });
    progress.clear();
    line("rows", "%,d, of which %,d without text", found.rows(), found.blank());
    found.kinds().forEach((columns, count) -> line("columns", "%s: %,d", columns, count));
    line("not readable", "%,d", found.broken());
    found.problems().forEach(problem -> System.out.println("  " + problem));
    line("the same again", "%,d", found.duplicates());
    line(
        "characters",
        "%,d; half of the rows up to %,d, 95 in 100 up to %,d, the longest %,d",
        found.characters(),
        found.length(50),
        found.length(95),
        found.length(100));
    if (counting.isPresent()) {
      line(
          "tokens",
          "%,d; half of the rows up to %,d, 95 in 100 up to %,d, the longest %,d",
          found.tokens(),
          found.tokens(50),
          found.tokens(95),
          found.tokens(100));
    }
    line("Chinese", "%.1f %%", 100 * found.chinese());
    line("Latin letters", "%.1f %%", 100 * found.latin());
    return 0;
  }

  private static void line(String name, String format, Object... values) {
    System.out.printf(Locale.ROOT, "%-15s " + format + "%n", prepend(name, values));
  }

  private static Object[] prepend(String name, Object[] values) {
    Object[] all = new Object[values.length + 1];
    all[0] = name;
    System.arraycopy(values, 0, all, 1, values.length);
    return all;
  }
}
