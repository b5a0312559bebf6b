package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.data.CorpusPreparation.Duplicates;
import io.minimind.data.CorpusPreparation.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A preparation that broke off goes on where it was, and ends in the same bytes. */
class CorpusPreparationTest {

  private static final int ROWS = 12_000;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void aPreparationThatBrokeGoesOn(Duplicates duplicates) throws IOException {
    CorpusPreparation preparation = new CorpusPreparation(2, 60, 0, duplicates);
    List<String> texts = texts();
    Path whole = folder.resolve("made").resolve("whole.jsonl");
    Result expected = preparation.write(rows(texts, "one", ROWS), whole, read -> {});
    assertTrue(expected.written() > 1000 && expected.written() <= ROWS, "" + expected.written());

    Path out = folder.resolve("out.jsonl");
    assertThrows(
        IOException.class,
        () -> preparation.write(rows(texts, "one", 11_000), out, read -> {}),
        "the disk is lost");
    assertFalse(Files.exists(out), "what is not complete has not the name");
    // What was read before the last save is not looked at again.
    List<String> later = new ArrayList<>(texts);
    for (int row = 0; row < 9_000; row++) {
      later.set(row, "never looked at again " + row);
    }
    assertEquals(expected, preparation.write(rows(later, "one", ROWS), out, read -> {}));
    assertEquals(-1, Files.mismatch(whole, out));
    assertEquals(2, folder.toFile().list().length, "nothing else is left");
  }

  @Test
  void anotherCorpusBeginsAnew() throws IOException {
    CorpusPreparation preparation = new CorpusPreparation(2, 60, 0, Duplicates.EXACT);
    List<String> texts = texts();
    Path out = folder.resolve("out.jsonl");
    assertThrows(
        IOException.class, () -> preparation.write(rows(texts, "one", 11_000), out, read -> {}));
    List<String> others = new ArrayList<>(texts);
    others.set(0, "another first row");
    preparation.write(rows(others, "two", ROWS), out, read -> {});
    assertTrue(Files.readString(out).startsWith("{\"text\":\"another first row\"}\n"));
  }

  private static List<String> texts() {
    Random random = new Random(7);
    List<String> texts = new ArrayList<>();
    for (int row = 0; row < ROWS; row++) {
      texts.add(
          row % 3 == 0 && row > 0
              ? texts.get(random.nextInt(row))
              : "row %d says %d".formatted(random.nextInt(4000), random.nextInt(3)));
    }
    return texts;
  }

  /** Rows that cannot be read from one of them on. */
  private static Rows rows(List<String> texts, String fingerprint, int readable) {
    return new Rows() {
      @Override
      public String name() {
        return "texts";
      }

      @Override
      public String fingerprint() {
        return fingerprint;
      }

      @Override
      public RowReader open(List<List<String>> columns) {
        int[] at = {0};
        return () -> {
          if (at[0] == readable && readable < texts.size()) {
            throw new IOException("The disk is lost.");
          }
          return at[0] == texts.size()
              ? Optional.empty()
              : Optional.of(Row.of(at[0] + 1, texts.get(at[0]++)));
        };
      }
    };
  }
}
