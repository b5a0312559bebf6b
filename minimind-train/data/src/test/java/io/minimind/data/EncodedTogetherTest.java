package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.distributed.ProcessGroup;
import io.minimind.distributed.Ranks;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A corpus that several processes encode; they are threads here. */
@Timeout(120)
class EncodedTogetherTest {

  private static final int SMALL_SHARD = 2_000;

  @TempDir Path folder;

  /**
   * Long texts, of which each is a piece; some are empty, some cannot be read.
   *
   * @param changed a text that is another than usual
   */
  private record Texts(int count, int changed) implements Rows {
    @Override
    public String name() {
      return "texts";
    }

    @Override
    public String fingerprint() {
      return Integer.toString(count);
    }

    @Override
    public RowReader open(List<List<String>> columns) {
      AtomicInteger next = new AtomicInteger();
      return () -> {
        int number = next.incrementAndGet();
        if (number > count) {
          return Optional.empty();
        }
        if (number % 31 == 0) {
          throw new MalformedRowException(name(), new SkippedRow(number, number, "it is torn."));
        }
        String text = (number == changed ? "other " : "text ") + number;
        return Optional.of(
            Row.of(number, number % 17 == 0 ? "" : text + " and so on".repeat(6_600)));
      };
    }
  }

  /** Counts what a process encodes. */
  private static final class Encoder implements SampleEncoder {
    private final PretrainingEncoder all = PretrainingEncoder.of(new ByteTokenizer(), "bytes", 64);
    private final AtomicInteger encoded = new AtomicInteger();

    @Override
    public List<List<String>> columns() {
      return all.columns();
    }

    @Override
    public int vocabularySize() {
      return all.vocabularySize();
    }

    @Override
    public String description() {
      return all.description();
    }

    @Override
    public List<Sample> encode(Row row) {
      encoded.incrementAndGet();
      return all.encode(row);
    }
  }

  private static TokenShards open(Path cache, Rows rows, Encoder encoder, ProcessGroup group)
      throws IOException {
    return TokenShards.openOrBuild(
        cache, rows, encoder, EncodingProgress.none(), SMALL_SHARD, group);
  }

  private static Map<String, ByteBuffer> contents(Path cache) throws IOException {
    Map<String, ByteBuffer> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(cache)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        contents.put(cache.relativize(file).toString(), ByteBuffer.wrap(Files.readAllBytes(file)));
      }
    }
    return contents;
  }

  /** Less than a turn of all, several turns, and as many as end with one. */
  @ParameterizedTest
  @CsvSource({"2, 5", "2, 200", "3, 200", "2, 128", "4, 1"})
  void inASharedFolderEachEncodesAShareAndTheBytesAreThoseOfOne(int processes, int rows)
      throws Exception {
    Texts texts = new Texts(rows, 0);
    Encoder alone = new Encoder();
    open(folder.resolve("one"), texts, alone, ProcessGroup.alone());
    Path cache = folder.resolve("all");
    List<Integer> encoded =
        Ranks.run(
            processes,
            group -> {
              Encoder encoder = new Encoder();
              TokenShards shards = open(cache, texts, encoder, group);
              assertTrue(shards.size() > 0);
              return encoder.encoded.get();
            });
    assertEquals(contents(folder.resolve("one")), contents(cache));
    assertEquals(alone.encoded.get(), encoded.stream().mapToInt(Integer::intValue).sum());
    if (rows >= 100) {
      for (int share : encoded) {
        assertEquals(alone.encoded.get() / processes, share, 20);
      }
    }
  }

  /** Rows that are read one by one, whatever they are of. */
  private record OneByOne(Rows rows) implements Rows {
    @Override
    public String name() {
      return rows.name();
    }

    @Override
    public String fingerprint() throws IOException {
      return rows.fingerprint();
    }

    @Override
    public RowReader open(List<List<String>> columns) throws IOException {
      return rows.open(columns)::next;
    }

    @Override
    public long size() throws IOException {
      return rows.size();
    }
  }

  /** Lines are cut before they are read; a process reads its own alone. */
  @ParameterizedTest
  @CsvSource({"1, jsonl", "2, jsonl", "3, jsonl", "2, txt", "2, jsonl.gz"})
  void aFileOfLinesGivesTheBytesOfItsRowsReadOneByOne(int processes, String format)
      throws Exception {
    StringBuilder lines = new StringBuilder("\uFEFF");
    for (int i = 1; i <= 300; i++) {
      String text = "第%d行 ".formatted(i) + "and so on ".repeat(i % 90 == 0 ? 20_000 : i * 7 % 900);
      lines.append(
          i % 41 == 0
              ? "{\"text\": \"torn"
              : i % 29 == 0
                  ? "{\"id\": 7}"
                  : i % 17 == 0 ? "\u3000" : "{\"text\": \"%s\"}".formatted(text));
      lines.append(i % 3 == 0 ? "\r\n" : i % 5 == 0 ? "\n \n" : "\n");
    }
    Path file = folder.resolve("lines." + format);
    try (OutputStream bytes = Files.newOutputStream(file);
        OutputStream out = format.endsWith(".gz") ? new GZIPOutputStream(bytes) : bytes) {
      out.write(lines.toString().getBytes(StandardCharsets.UTF_8));
    }
    Path one = folder.resolve("one");
    Encoder alone = new Encoder();
    open(one, new OneByOne(Rows.of(file)), alone, ProcessGroup.alone());
    assertTrue(alone.encoded.get() > 200);
    Path cache = folder.resolve("all");
    List<Integer> encoded =
        Ranks.run(
            processes,
            group -> {
              Encoder encoder = new Encoder();
              open(cache, Rows.of(file), encoder, group);
              return encoder.encoded.get();
            });
    assertEquals(contents(one), contents(cache));
    assertEquals(alone.encoded.get(), encoded.stream().mapToInt(Integer::intValue).sum());
    assertTrue(encoded.stream().allMatch(share -> share > 0), encoded.toString());
  }

  /** Rows that another process found changed at another time, as copies of a file are. */
  private record Copy(Texts texts, String fingerprint) implements Rows {
    @Override
    public String name() {
      return texts.name();
    }

    @Override
    public RowReader open(List<List<String>> columns) {
      return texts.open(columns);
    }
  }

  @Test
  void copiesOfOtherTimesDoNotDeleteEachOther() throws Exception {
    Path cache = folder.resolve("cache");
    Ranks.run(
        3,
        group -> {
          Copy copy = new Copy(new Texts(40, 0), "changed at " + group.rank());
          TokenShards shards = open(cache, copy, new Encoder(), group);
          group.await();
          assertTrue(Files.isDirectory(shards.folder()), shards.folder().toString());
          return shards.checksum();
        });
    assertEquals(3, folders(cache));
    open(cache, new Copy(new Texts(40, 0), "later"), new Encoder(), ProcessGroup.alone());
    assertEquals(1, folders(cache));
  }

  private static long folders(Path cache) throws IOException {
    try (Stream<Path> files = Files.list(cache)) {
      return files.filter(Files::isDirectory).count();
    }
  }

  @Test
  void whatIsThereIsNotEncodedAgain() throws Exception {
    Texts texts = new Texts(40, 0);
    Path cache = folder.resolve("cache");
    open(cache, texts, new Encoder(), ProcessGroup.alone());
    List<Integer> encoded =
        Ranks.run(
            2,
            group -> {
              Encoder encoder = new Encoder();
              open(cache, texts, encoder, group);
              return encoder.encoded.get();
            });
    assertEquals(List.of(0, 0), encoded);
  }

  @Test
  void inFoldersOfTheirOwnEachEncodesAll() throws Exception {
    Texts texts = new Texts(40, 0);
    List<String> checksums =
        Ranks.run(
            3,
            group -> {
              Path cache = folder.resolve("cache " + group.rank());
              return open(cache, texts, new Encoder(), group).checksum();
            });
    assertEquals(1, checksums.stream().distinct().count());
    assertEquals(contents(folder.resolve("cache 0")), contents(folder.resolve("cache 2")));
  }

  /** More rows, fewer, and another text anywhere. */
  @ParameterizedTest
  @CsvSource({"201, 0", "199, 0", "300, 0", "3, 0", "200, 1", "200, 150", "200, 200"})
  void otherRowsAreNoticedBeforeAnythingIsKept(int count, int changed) throws Exception {
    Path cache = folder.resolve("cache");
    List<FutureTask<Object>> ranks =
        Ranks.started(
            2,
            group -> {
              Texts texts = group.isFirst() ? new Texts(200, 0) : new Texts(count, changed);
              try {
                return open(cache, texts, new Encoder(), group);
              } catch (IOException e) {
                group.abort(e);
                throw e;
              }
            });
    String sentence = Ranks.failure(ranks.get(0));
    assertTrue(
        sentence.matches(".* has other rows for rank 1 \\(.*\\) than for rank 0 .*"), sentence);
    String ofOther = Ranks.failure(ranks.get(1));
    assertTrue(ofOther.contains(sentence), ofOther);
    try (Stream<Path> left = Files.list(cache)) {
      assertEquals(List.of(".lock"), left.map(file -> file.getFileName().toString()).toList());
    }
  }

  @Test
  void oneThatFailsEndsTheOthers() throws Exception {
    Path cache = folder.resolve("cache");
    List<FutureTask<Object>> ranks =
        Ranks.started(
            3,
            group -> {
              Rows texts = new Texts(300, 0);
              if (group.isLast()) {
                texts = new Broken(new Texts(300, 0));
              }
              try {
                return open(cache, texts, new Encoder(), group);
              } catch (IOException e) {
                group.abort(e);
                throw e;
              }
            });
    List<String> sentences = new ArrayList<>();
    for (FutureTask<Object> rank : ranks) {
      sentences.add(Ranks.failure(rank));
    }
    assertEquals("The disk cannot be read.", sentences.get(2));
    assertTrue(sentences.get(0).endsWith("stopped all: The disk cannot be read."));
    assertEquals(sentences.get(0), sentences.get(1));
    assertThrows(
        IOException.class,
        () -> open(cache, new Broken(new Texts(300, 0)), new Encoder(), ProcessGroup.alone()));
  }

  /** Rows that can be read no further than half. */
  private record Broken(Texts texts) implements Rows {
    @Override
    public String name() {
      return texts.name();
    }

    @Override
    public String fingerprint() {
      return texts.fingerprint();
    }

    @Override
    public RowReader open(List<List<String>> columns) {
      RowReader reader = texts.open(columns);
      AtomicInteger read = new AtomicInteger();
      return () -> {
        if (read.incrementAndGet() > texts.count / 2) {
          throw new IOException("The disk cannot be read.");
        }
        return reader.next();
      };
    }
  }
}
