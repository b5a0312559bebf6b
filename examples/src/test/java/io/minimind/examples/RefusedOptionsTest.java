package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RefusedOptionsTest {
  @TempDir private Path folder;

  private static void assertRefused(String sentence, String... args) {
    Commands.Result result = Commands.run(args);
    assertEquals(2, result.status(), result.err());
    assertEquals(sentence, result.err().lines().findFirst().orElseThrow());
  }

  @Test
  void aCorpusIsNotPreparedOntoItself() throws IOException {
    Path corpus = Files.writeString(folder.resolve("corpus.csv"), "text\na\nb\n");
    assertRefused(
        "--out must be another file than " + corpus + ", which it would replace.",
        "data",
        "prepare",
        corpus.toString(),
        "--out=" + folder.resolve(".").resolve("corpus.csv"));
    assertEquals("text\na\nb\n", Files.readString(corpus));
    assertRefused(
        "No text has at least 9 and at most 3 characters.",
        "data",
        "prepare",
        corpus.toString(),
        "--min-length=9",
        "--max-length=3",
        "--out=" + folder.resolve("prepared.jsonl"));
  }

  @Test
  void moreThreadsThanAnyMachineHasAreNotStarted() {
    assertRefused(
        "The number of threads must be between 1 and 1024, but is 100000.",
        Commands.pretrain(folder.resolve("out"), folder.resolve("cache"), "--threads=100000"));
  }
}
