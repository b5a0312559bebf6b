package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows that are of no file, and what files keep of before. */
class RowsTest {

  @TempDir Path folder;

  /** What a program writes that has its texts in memory. */
  private record Texts(List<String> texts, AtomicInteger opened) implements Rows {

    Texts(List<String> texts) {
      this(texts, new AtomicInteger());
    }

    @Override
    public String name() {
      return "a list: of \"texts\"";
    }

    @Override
    public String fingerprint() {
      return Integer.toString(texts.hashCode());
    }

    @Override
    public RowReader open(List<List<String>> columns) {
      opened.incrementAndGet();
      Iterator<String> texts = this.texts.iterator();
      AtomicInteger number = new AtomicInteger();
      return () ->
          texts.hasNext()
              ? Optional.of(Row.of(number.incrementAndGet(), texts.next()))
              : Optional.empty();
    }
  }

  private TokenShards shards(Rows rows) throws IOException {
    PretrainingEncoder encoder = PretrainingEncoder.of(new ByteTokenizer(), "bytes", 64);
    return TokenShards.openOrBuild(folder, rows, encoder, EncodingProgress.none());
  }

  private List<Path> folders() throws IOException {
    try (var entries = Files.list(folder)) {
      return entries.filter(Files::isDirectory).toList();
    }
  }

  @Test
  void rowsOfAProgramAreEncodedOnceUntilTheyChange() throws IOException {
    Texts texts = new Texts(List.of("one", "", "three"));
    TokenShards shards = shards(texts);
    assertEquals(2, shards.size());
    String skipped = Files.readString(shards.skippedList().orElseThrow());
    assertEquals("row 2: it has nothing to learn.\n", skipped);
    int opened = texts.opened.get();
    assertEquals(shards.checksum(), shards(texts).checksum());
    assertEquals(opened + 1, texts.opened.get(), "looked at, not read again");
    assertEquals(3, shards(new Texts(List.of("one", "two", "three"))).size());
    assertEquals(1, folders().size(), "those of before are gone");
  }

  @Test
  void rowsThatTeachNothingAreNamed() {
    IOException e = assertThrows(IOException.class, () -> shards(new Texts(List.of())));
    assertTrue(e.getMessage().startsWith("a list: of \"texts\" has no rows"), e.getMessage());
  }

  /** Corpora that versions before this one encoded are used on. */
  @Test
  void theFolderOfAFileIsThatOfBefore() throws Exception {
    Path file = Files.writeString(folder.resolve("corpus.csv"), "text\nonce\n");
    shards(Rows.of(file));
    String facts =
        "Fingerprint[format=4, source=%s, sourceBytes=%d, sourceModified=%s, encoding=pretrain max_length=64 tokenizer=bytes, vocabularySize=%d, samplesPerRow=1]"
            .formatted(
                file.toRealPath(),
                Files.size(file),
                Files.getLastModifiedTime(file),
                new ByteTokenizer().vocabularySize());
    String digest = Sha256.of(facts.getBytes(StandardCharsets.UTF_8));
    String name = "corpus.csv-" + digest.substring(0, 16);
    assertEquals(List.of(folder.resolve(name)), folders());
  }
}
