package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.JavaProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that were interrupted and damaged. */
class ResumeFuzzTest {

  private static final Pattern FIGURES =
      Pattern.compile("longest \\d+ ms, same (\\d+), refused (\\d+)\\s*$");

  @TempDir Path folder;

  /**
   * The number of damaged runs is the system property {@code minimind.fuzz.resumes}, by default 40;
   * the first of them is the system property {@code minimind.fuzz.first}.
   */
  @Test
  void noDamageTrainsSomethingElse() throws Exception {
    int attempts = Integer.getInteger("minimind.fuzz.resumes", 40);
    JavaProcess.Result result =
        JavaProcess.of(
                ResumeFuzz.class,
                Files.createDirectory(folder.resolve("fuzz")),
                Integer.getInteger("minimind.fuzz.first", 0),
                attempts)
            .with("-Xmx512m")
            .run();
    String output = result.output();
    String end = output.substring(Math.max(0, output.length() - 3000));
    assertEquals(0, result.status(), end);
    Matcher figures = FIGURES.matcher(end);
    assertTrue(figures.find(), end);
    assertTrue(Integer.parseInt(figures.group(1)) > 0, "all were refused: " + end);
    assertTrue(Integer.parseInt(figures.group(2)) > attempts / 10, "few were refused: " + end);
    System.out.println(figures.group());
  }
}
