package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CorpusWordsTest {

  private static void splitAtSpaces(String text, Consumer<byte[]> words) {
    for (String word : text.split(" ")) {
      words.accept(word.getBytes(StandardCharsets.UTF_8));
    }
  }

  @Property(tries = 20)
  void countsEveryWord(@ForAll long seed, @ForAll @IntRange(min = 1, max = 4) int threads) {
    Random random = new Random(seed);
    int vocabulary = 1 + random.nextInt(20_000);
    List<String> texts = new ArrayList<>();
    Map<String, Long> expected = new HashMap<>();
    for (int i = 0; i < 500; i++) {
      List<String> words = new ArrayList<>();
      for (int j = 0; j < 100; j++) {
        String word = "词" + Integer.toString(random.nextInt(vocabulary), 36);
        words.add(word);
        expected.merge(word, 1L, Long::sum);
      }
      texts.add(String.join(" ", words));
    }

    List<Long> progress = new ArrayList<>();
    CorpusWords counted =
        CorpusWords.count(texts.iterator(), threads, CorpusWordsTest::splitAtSpaces, progress::add);

    Map<String, Long> actual = new HashMap<>();
    for (int word = 0; word < counted.size(); word++) {
      byte[] bytes = counted.bytes(word);
      assertEquals(bytes.length, counted.length(word));
      actual.put(new String(bytes, StandardCharsets.UTF_8), counted.count(word));
    }
    assertEquals(expected, actual);
    assertEquals(expected.size(), counted.size());
    assertEquals(progress.stream().sorted().toList(), progress);
    assertEquals(500, progress.get(progress.size() - 1));
  }

  @Test
  void whatTheTextsThrowReachesTheCaller() {
    UncheckedIOException failure = new UncheckedIOException(new IOException("Line 3 is broken."));
    Iterator<String> texts =
        new Iterator<>() {
          private int line;

          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public String next() {
            if (++line == 3) {
              throw failure;
            }
            return "text";
          }
        };
    UncheckedIOException thrown =
        assertThrows(
            UncheckedIOException.class,
            () -> CorpusWords.count(texts, 2, CorpusWordsTest::splitAtSpaces, done -> {}));
    assertSame(failure, thrown);
  }
}
