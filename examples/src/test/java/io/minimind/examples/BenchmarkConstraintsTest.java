package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.examples.Commands.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkConstraintsTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private Result bench(String... more) {
    String[] args = new String[3 + more.length];
    args[0] = "bench";
    args[1] = "constraints";
    args[2] = "--tokenizer=" + Commands.TOKENIZER;
    System.arraycopy(more, 0, args, 3, more.length);
    PrintStream console = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      return Commands.run(args);
    } finally {
      System.setOut(console);
    }
  }

  @Test
  void allThatIsWrittenByTheSchemasThatComeWithItIsValid() {
    assertEquals(new Result(0, ""), bench("--texts=20", "--show"));
    String report = printed.toString(StandardCharsets.UTF_8);
    assertTrue(report.startsWith("taken      10 of 10 schemas (100.0 %)"), report);
    assertTrue(
        report.contains("12 of 12 valid values can be written, 0 of 20 invalid ones"), report);
    assertTrue(report.contains("200 written, 200 judged, 0 invalid"), report);
  }

  @Test
  void whatIsRefusedIsNamed(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("a.json"), "{\"type\": \"null\"}");
    Files.writeString(folder.resolve("b.json"), "{\"$ref\": \"http://example.org/s\"}");
    assertEquals(new Result(0, ""), bench("--schemas=" + folder, "--show"));
    String report = printed.toString(StandardCharsets.UTF_8);
    assertTrue(report.startsWith("refused: b.json: The schema at #/$ref refers to"), report);
    assertTrue(report.contains("taken      1 of 2 schemas (50.0 %)"), report);
  }
}
