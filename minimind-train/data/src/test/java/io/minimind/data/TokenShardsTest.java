package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TokenShardsTest {
  private static final int TINY_SHARD = 100;

  @TempDir Path folder;
  private Path cache;
  private Path source;

  @BeforeEach
  void name() {
    cache = folder.resolve("cache");
    source = folder.resolve("rows.csv");
  }

  /** Reads a row of numbers: the ids, and negated those that count. */
  private static class NumbersEncoder implements SampleEncoder {
    final AtomicInteger encoded = new AtomicInteger();
    String description = "numbers";
    int vocabularySize = 1 << 15;

    @Override
    public List<List<String>> columns() {
      return List.of(List.of("ids"));
    }

    @Override
    public int vocabularySize() {
      return vocabularySize;
    }

    @Override
    public String description() {
      return description;
    }

    @Override
    public List<Sample> encode(Row row) {
      encoded.incrementAndGet();
      String cell = row.cells().get(0);
      int[] numbers =
          cell.isEmpty()
              ? new int[0]
              : Arrays.stream(cell.split(" ")).mapToInt(Integer::parseInt).toArray();
      BitSet targets = new BitSet();
      IntStream.range(0, numbers.length).filter(i -> numbers[i] < 0).forEach(targets::set);
      return List.of(new Sample(Arrays.stream(numbers).map(Math::abs).toArray(), targets));
    }
  }

  /** Rows whose first number is positive and whose others are of either sign. */
  private static List<int[]> randomRows(int count, int vocabularySize) {
    Random random = new Random(count);
    List<int[]> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] row = random.ints(2 + random.nextInt(30), 1, vocabularySize).toArray();
      for (int j = 1; j < row.length; j++) {
        row[j] = j == 1 || random.nextBoolean() ? -row[j] : row[j];
      }
      rows.add(row);
    }
    rows.get(0)[1] = -(vocabularySize - 1);
    return rows;
  }

  private void writeRows(List<int[]> rows) throws IOException {
    Files.writeString(
        source,
        rows.stream()
            .map(row -> Arrays.stream(row).mapToObj(Integer::toString))
            .map(row -> row.collect(Collectors.joining(" ", "\"", "\"\n")))
            .collect(Collectors.joining("", "ids\n", "")));
  }

  private TokenShards open(SampleEncoder encoder) throws IOException {
    return TokenShards.openOrBuild(
        cache, Rows.of(source), encoder, EncodingProgress.none(), TINY_SHARD);
  }

  private static void assertHolds(List<int[]> rows, TokenShards shards) throws IOException {
    assertEquals(rows.size(), shards.size());
    assertEquals(rows.stream().mapToInt(row -> row.length).max().orElseThrow(), shards.longest());
    assertEquals(rows.stream().mapToLong(row -> row.length).sum(), shards.tokens());
    assertEquals(
        rows.stream().flatMapToInt(Arrays::stream).filter(id -> id < 0).count(), shards.targets());
    int[] ids = new int[shards.longest()];
    boolean[] targets = new boolean[shards.longest()];
    for (int i = 0; i < rows.size(); i++) {
      int[] row = rows.get(i);
      assertEquals(row.length, shards.length(i));
      assertEquals(row.length, shards.read(i, ids, targets));
      int[] read = new int[row.length];
      for (int j = 0; j < row.length; j++) {
        read[j] = targets[j] ? -ids[j] : ids[j];
      }
      assertArrayEquals(row, read, "sample " + i);
    }
  }

  @Test
  void readsBackIdsAndTargets() throws IOException {
    for (int vocabularySize : new int[] {1 << 15, (1 << 15) + 1, 200_000}) {
      NumbersEncoder encoder = new NumbersEncoder();
      encoder.vocabularySize = vocabularySize;
      List<int[]> rows = randomRows(500, vocabularySize);
      writeRows(rows);
      assertHolds(rows, open(encoder));
    }
  }

  @Test
  void smallVocabulariesTakeTwoBytesAToken() throws IOException {
    List<int[]> rows = randomRows(500, 6400);
    writeRows(rows);
    TokenShards shards = open(new NumbersEncoder());
    long bytes = 0;
    for (Path file : shardFiles(".tokens")) {
      assertTrue(Files.size(file) <= TINY_SHARD, file + " has " + Files.size(file));
      bytes += Files.size(file);
    }
    assertEquals(2 * shards.tokens(), bytes);
  }

  @Test
  void keepsTheOrderOfRowsWhateverFinishesFirst() throws IOException {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "needs two encoding threads");
    List<int[]> rows = randomRows(10_000, 6400);
    writeRows(rows);
    CountDownLatch laterChunk = new CountDownLatch(1);
    NumbersEncoder encoder =
        new NumbersEncoder() {
          @Override
          public List<Sample> encode(Row row) {
            if (row.number() == 1) {
              await(laterChunk);
            } else if (row.number() == 1_500) {
              laterChunk.countDown();
            }
            return super.encode(row);
          }
        };
    assertHolds(
        rows, TokenShards.openOrBuild(cache, Rows.of(source), encoder, EncodingProgress.none()));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void tellsHowFarItIs() throws IOException {
    List<int[]> rows = randomRows(10_000, 6400);
    writeRows(rows);
    List<List<Long>> updates = new ArrayList<>();
    TokenShards shards =
        TokenShards.openOrBuild(
            cache,
            Rows.of(source),
            new NumbersEncoder(),
            (bytes, total, read, tokens) -> updates.add(List.of(bytes, total, read, tokens)));
    assertTrue(updates.size() > 1);
    long size = Files.size(source);
    assertEquals(List.of(size, size, 10_000L, shards.tokens()), updates.get(updates.size() - 1));
    for (int i = 1; i < updates.size(); i++) {
      for (int j = 0; j < 4; j++) {
        assertTrue(updates.get(i - 1).get(j) <= updates.get(i).get(j));
      }
    }
  }

  @Test
  void rowsThatCannotBeUsedAreListedInTheirOrder() throws IOException {
    source = folder.resolve("rows.jsonl");
    int rows = 20_000;
    List<String> lines = new ArrayList<>();
    List<String> reasons = new ArrayList<>();
    List<int[]> sound = new ArrayList<>();
    for (int i = 1; i <= rows; i++) {
      String where = "row %d (line %d): ".formatted(i, i);
      switch (i % 1000) {
        case 1 -> {
          lines.add("{\"ids\": ");
          reasons.add(where + "it is not JSON at column ");
        }
        case 2 -> {
          lines.add("{\"id\": \"5 -6\"}");
          reasons.add(where + "it has no \"ids\": ");
        }
        case 3 -> {
          lines.add("{\"ids\": \"5 x\"}");
          reasons.add(where + "For input string: \"x\"");
        }
        case 4 -> {
          lines.add("{\"ids\": \"5\"}");
          reasons.add(where + "it has nothing to learn.");
        }
        default -> {
          lines.add("{\"ids\": \"5 -6\"}");
          sound.add(new int[] {5, -6});
        }
      }
    }
    Files.write(source, lines);
    for (int opened = 0; opened < 2; opened++) {
      TokenShards shards = open(new NumbersEncoder());
      assertEquals(rows / 1000 * 4, shards.skippedRows());
      assertHolds(sound, shards);
      List<String> listed = Files.readAllLines(shards.skippedList().orElseThrow());
      assertEquals(reasons.size(), listed.size());
      for (int i = 0; i < reasons.size(); i++) {
        assertTrue(listed.get(i).startsWith(reasons.get(i)), listed.get(i));
      }
    }
    Files.delete(shardFiles("skipped.txt").get(0));
    assertEquals(
        reasons.size(),
        Files.readAllLines(open(new NumbersEncoder()).skippedList().orElseThrow()).size(),
        "a list that is gone is made again");
  }

  @Test
  void withoutAnyUsableRowTheFirstReasonIsTold() throws IOException {
    Files.writeString(source, "ids\n5 x\n7\n");
    assertSays("None of the 2 rows of " + source + " can be used; row 1 (line 2): For input");
    assertEquals(List.of(), shardFolders());
  }

  @Test
  void rowsWithoutTargetsAreCountedAndLeftOut() throws IOException {
    Files.writeString(source, "ids\n\"\"\n5 -6\n7\n-5 6\n8 9\n5 6 -7\n");
    TokenShards shards = open(new NumbersEncoder());
    assertEquals(4, shards.skippedRows());
    assertHolds(List.of(new int[] {5, -6}, new int[] {5, 6, -7}), shards);
    writeRows(randomRows(5, 6400));
    assertEquals(Optional.empty(), open(new NumbersEncoder()).skippedList());
  }

  @Test
  void nothingIsEncodedAgainWhileNothingChanges() throws IOException {
    List<int[]> rows = randomRows(50, 6400);
    writeRows(rows);
    open(new NumbersEncoder());
    NumbersEncoder again = new NumbersEncoder();
    assertHolds(rows, open(again));
    assertEquals(0, again.encoded.get());
  }

  @Test
  void changesAreNoticed() throws IOException {
    writeRows(randomRows(50, 6400));
    open(new NumbersEncoder());

    NumbersEncoder otherEncoding = new NumbersEncoder();
    otherEncoding.description = "numbers, but otherwise";
    open(otherEncoding);
    assertEquals(50, otherEncoding.encoded.get());

    NumbersEncoder otherVocabulary = new NumbersEncoder();
    otherVocabulary.vocabularySize = 7000;
    open(otherVocabulary);
    assertEquals(50, otherVocabulary.encoded.get());
    assertEquals(3, shardFolders().size());

    FileTime later = FileTime.fromMillis(Files.getLastModifiedTime(source).toMillis() + 5);
    Files.setLastModifiedTime(source, later);
    NumbersEncoder otherTime = new NumbersEncoder();
    open(otherTime);
    assertEquals(50, otherTime.encoded.get());

    List<int[]> rows = randomRows(51, 6400);
    writeRows(rows);
    Files.setLastModifiedTime(source, later);
    assertHolds(rows, open(new NumbersEncoder()));
    assertEquals(1, shardFolders().size(), "shards of earlier states are deleted");
  }

  @Test
  void otherFilesKeepTheirShards() throws IOException {
    writeRows(randomRows(20, 6400));
    Path other = folder.resolve("other.csv");
    Files.copy(source, other);
    open(new NumbersEncoder());
    TokenShards.openOrBuild(cache, Rows.of(other), new NumbersEncoder(), EncodingProgress.none());
    assertEquals(2, shardFolders().size());
  }

  @Test
  void foldersOfOthersAreLeftAlone() throws IOException {
    writeRows(randomRows(5, 6400));
    Path download = Files.createDirectories(cache.resolve("download.partial"));
    Path stranger = Files.createDirectories(cache.resolve("stranger"));
    Files.writeString(download.resolve("file"), "x");
    Files.writeString(stranger.resolve("manifest.json"), "{\"shards\": []}");
    open(new NumbersEncoder());
    assertTrue(Files.exists(download.resolve("file")));
    assertTrue(Files.exists(stranger.resolve("manifest.json")));
  }

  @Test
  void truncatedOrMissingFilesAreEncodedAgain() throws IOException {
    List<int[]> rows = randomRows(12, 6400);
    writeRows(rows);
    open(new NumbersEncoder());
    int files = shardFiles("").size();
    for (int i = 0; i < files; i++) {
      for (boolean truncate : new boolean[] {true, false}) {
        Path file = shardFiles("").get(i);
        if (truncate) {
          byte[] bytes = Files.readAllBytes(file);
          Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
        } else {
          Files.delete(file);
        }
        List<String> reasons = new ArrayList<>();
        NumbersEncoder again = new NumbersEncoder();
        EncodingProgress progress =
            new EncodingProgress() {
              @Override
              public void update(long bytesRead, long bytesTotal, long rows, long tokens) {}

              @Override
              public void rebuilding(String reason) {
                reasons.add(reason);
              }
            };
        assertHolds(
            rows, TokenShards.openOrBuild(cache, Rows.of(source), again, progress, TINY_SHARD));
        assertEquals(12, again.encoded.get());
        assertEquals(1, reasons.size());
        assertTrue(reasons.get(0).contains(shardFolders().get(0).toString()), reasons.get(0));
      }
    }
  }

  @Test
  void filesThatAreCutWhileTheyAreReadEndNothingButTheRun() throws IOException {
    List<int[]> rows = randomRows(8, 6400);
    writeRows(rows);
    TokenShards shards = open(new NumbersEncoder());
    for (Path file : shardFiles(".tokens")) {
      Files.write(file, new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
    }
    int[] ids = new int[shards.longest()];
    for (int i = 0; i < shards.size(); i++) {
      int sample = i;
      String message =
          assertThrows(IOException.class, () -> shards.read(sample, ids, new boolean[ids.length]))
              .getMessage();
      assertTrue(message.contains("is damaged: delete that folder"), message);
    }
  }

  @Test
  void noFlippedBitIsTrainedOn() throws IOException {
    List<int[]> rows = randomRows(8, 6400);
    writeRows(rows);
    open(new NumbersEncoder());
    Random random = new Random(1);
    int reported = 0;
    for (int i = 0; i < 300; i++) {
      List<Path> files = shardFiles("");
      Path file = files.get(random.nextInt(files.size()));
      byte[] sound = Files.readAllBytes(file);
      byte[] bytes = sound.clone();
      int flipped = random.nextInt(bytes.length);
      bytes[flipped] ^= (byte) (1 << random.nextInt(8));
      if (file.endsWith("manifest.json") && "targets".equals(fieldAt(bytes, flipped))) {
        continue;
      }
      Files.write(file, bytes);
      try {
        assertHolds(rows, open(new NumbersEncoder()));
      } catch (IOException e) {
        assertTrue(e.getMessage().contains("is damaged: delete that folder"), e.getMessage());
        assertTrue(file.toString().endsWith(".tokens"));
        assertTrue(e.getMessage().contains(shardFolders().get(0).toString()), e.getMessage());
        reported++;
        Files.write(file, sound);
      }
    }
    assertTrue(reported > 10, "damaged tokens must be reported when they are read");
  }

  /** The number of targets is only reported, so that nothing checks it. */
  private static String fieldAt(byte[] json, int position) {
    String line = new String(json, 0, position, StandardCharsets.ISO_8859_1);
    line = line.substring(line.lastIndexOf('\n') + 1);
    return line.contains("\"targets\"") ? "targets" : "";
  }

  @Test
  void aFailedBuildLeavesNothing() throws IOException {
    writeRows(randomRows(1000, 6400));
    Files.writeString(source, Files.readString(source) + "\"1 2");
    IOException e = assertThrows(IOException.class, () -> open(new NumbersEncoder()));
    assertTrue(e.getMessage().contains("row 1001"), e.getMessage());
    assertEquals(List.of(), shardFolders());

    writeRows(randomRows(100, 6400));
    NumbersEncoder defect = failing(row -> new ArrayStoreException("defect"));
    assertEquals(
        "defect",
        assertThrows(IllegalStateException.class, () -> open(defect)).getCause().getMessage());
    assertEquals(List.of(), shardFolders());
  }

  private static NumbersEncoder failing(Function<Row, RuntimeException> failure) {
    return new NumbersEncoder() {
      @Override
      public List<Sample> encode(Row row) {
        if (row.number() == 70) {
          throw failure.apply(row);
        }
        return super.encode(row);
      }
    };
  }

  @Test
  void anInterruptedBuildDoesNotDisturbTheNext() throws IOException {
    List<int[]> rows = randomRows(50, 6400);
    writeRows(rows);
    open(new NumbersEncoder());
    Path built = shardFolders().get(0);
    Path partial = built.resolveSibling(built.getFileName() + ".partial");
    Files.move(built, partial);
    Files.delete(partial.resolve("manifest.json"));
    Files.createDirectory(cache.resolve("other.csv-0123456789abcdef.partial"));
    assertHolds(rows, open(new NumbersEncoder()));
    assertEquals(List.of(built), shardFolders());
  }

  @Test
  void aSourceThatChangesMeanwhileIsRefused() throws IOException {
    writeRows(randomRows(50, 6400));
    NumbersEncoder encoder =
        new NumbersEncoder() {
          @Override
          public List<Sample> encode(Row row) {
            try {
              Files.setLastModifiedTime(source, FileTime.fromMillis(1));
            } catch (IOException e) {
              throw new IllegalStateException(e);
            }
            return super.encode(row);
          }
        };
    IOException e = assertThrows(IOException.class, () -> open(encoder));
    assertTrue(e.getMessage().contains("changed while it was being encoded"), e.getMessage());
    assertEquals(List.of(), shardFolders());
  }

  @Test
  void filesWithNothingToLearnAreReported() throws IOException {
    Files.writeString(source, "ids\n");
    assertSays(source + " has no rows");
    Files.writeString(source, "ids\n\"\"\n\"\"\n");
    assertSays("None of the 2 rows of " + source);
    Files.delete(source);
    assertSays("There is no file " + source);
    assertEquals(List.of(), shardFolders());
  }

  @Test
  void aCacheThatCannotBeWrittenIsReported() throws IOException {
    writeRows(randomRows(5, 6400));
    Files.writeString(cache, "a file, not a folder");
    assertSays("cannot be written to " + cache + " (it is a file)");
  }

  private void assertSays(String part) {
    IOException e = assertThrows(IOException.class, () -> open(new NumbersEncoder()));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  private List<Path> shardFolders() throws IOException {
    if (!Files.isDirectory(cache)) {
      return List.of();
    }
    return list(cache).stream().filter(Files::isDirectory).toList();
  }

  /** The files of the only shard folder whose names end as given. */
  private List<Path> shardFiles(String ending) throws IOException {
    List<Path> folders = shardFolders();
    assertEquals(1, folders.size());
    return list(folders.get(0)).stream().filter(file -> file.toString().endsWith(ending)).toList();
  }

  private static List<Path> list(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      entries.forEach(files::add);
    }
    files.sort(null);
    return files;
  }
}
