package io.minimind.examples;

import io.minimind.data.TokenShards;
import io.minimind.files.AtomicFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Tells which rows of the corpora cannot be used: the first on the console, all in a file. */
final class SkippedRows {

  private static final String FILE = "skipped.txt";
  private static final int SHOWN = 3;

  /** Corpus file to list of its rows. */
  private final Map<Path, Path> lists = new LinkedHashMap<>();

  /** Prints the number of rows that a corpus loses, and the first of them. */
  void report(Path corpus, TokenShards shards, PrintStream out) throws IOException {
    if (shards.skippedList().isEmpty()) {
      return;
    }
    Path list = shards.skippedList().get();
    lists.put(corpus, list);
    out.printf(Locale.ROOT, "Rows that cannot be used: %,d%n", shards.skippedRows());
    try (BufferedReader lines = Files.newBufferedReader(list)) {
      lines.lines().limit(SHOWN).forEach(line -> out.println("  " + line));
    }
    if (shards.skippedRows() > SHOWN) {
      out.println("  … all of them are listed in " + FILE + " in the folder of the run.");
    }
  }

  /** Writes the lists of all corpora into the folder of a run, if there are any. */
  void write(Path run) throws IOException {
    if (!lists.isEmpty()) {
      AtomicFile.replace(
          run.resolve(FILE),
          channel -> {
            for (Map.Entry<Path, Path> list : lists.entrySet()) {
              byte[] heading = (list.getKey() + "\n").getBytes(StandardCharsets.UTF_8);
              AtomicFile.write(channel, ByteBuffer.wrap(heading));
              Files.copy(list.getValue(), Channels.newOutputStream(channel));
            }
          });
    }
  }
}
