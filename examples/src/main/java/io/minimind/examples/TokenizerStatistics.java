package io.minimind.examples;

import io.minimind.data.CorpusTexts;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what a tokenizer makes of a corpus. */
@Command(
    name = "stats",
    description = "Measures how well a tokenizer fits a corpus, and how fast it encodes.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class TokenizerStatistics implements Callable<Integer> {

  @Mixin private TokenizerOption tokenizerOption;

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "FILE",
      description = "Corpus: JSON lines or CSV with a 'text', or a .txt file of lines.")
  private List<Path> data;

  private long texts;
  private long characters;
  private long bytes;
  private long nanos;

  public static void main(String[] args) {
    MiniMind.run(new TokenizerStatistics(), args);
  }

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = tokenizerOption.load();
    long[] uses = new long[tokenizer.vocabularySize()];
    ProgressLine progress = ProgressLine.onStandardError();
    try (CorpusTexts corpus = CorpusTexts.open(data)) {
      while (corpus.hasNext()) {
        count(corpus.next(), tokenizer, uses);
        progress.show("encoding " + ProgressBar.of(corpus.bytesRead(), corpus.bytesTotal()));
      }
    } finally {
      progress.clear();
    }
    print(tokenizer, uses);
    return 0;
  }

  private void count(String text, Tokenizer tokenizer, long[] uses) {
    long start = System.nanoTime();
    int[] ids = tokenizer.encode(text);
    nanos += System.nanoTime() - start;
    texts++;
    characters += text.codePointCount(0, text.length());
    bytes += text.getBytes(StandardCharsets.UTF_8).length;
    for (int id : ids) {
      uses[id]++;
    }
  }

  private void print(Tokenizer tokenizer, long[] uses) {
    Pieces pieces = new Pieces(tokenizer);
    long tokens = 0;
    long parts = 0;
    int used = 0;
    for (int id = 0; id < uses.length; id++) {
      if (uses[id] > 0) {
        used++;
        tokens += uses[id];
        parts += pieces.isPart(id) ? uses[id] : 0;
      }
    }
    long unknown = tokenizer.tokenId("<unk>").stream().mapToLong(id -> uses[id]).sum();
    line("texts", "%,d", texts);
    line("bytes", "%,d", bytes);
    line("characters", "%,d", characters);
    line("tokens", "%,d", tokens);
    line("bytes a token", "%.3f", ratio(bytes, tokens));
    line("characters a token", "%.3f", ratio(characters, tokens));
    line("parts of characters", "%,d (%.2f %% of the tokens)", parts, 100 * ratio(parts, tokens));
    line("unknown tokens", "%,d", unknown);
    line(
        "vocabulary used",
        "%,d of %,d (%.1f %%)",
        used,
        uses.length,
        100 * ratio(used, uses.length));
    line("tokens a second", "%,.0f, on one core", 1e9 * ratio(tokens, nanos));
  }

  private static double ratio(long part, long whole) {
    return (double) part / Math.max(1, whole);
  }

  private static void line(String name, String format, Object... values) {
    System.out.printf(Locale.ROOT, "%-20s %s%n", name, String.format(Locale.ROOT, format, values));
  }
}
