package io.minimind.springai.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.springai.Demo;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class HarbourApplicationTest {

  @Test
  void theApplicationRuns() {
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      HarbourApplication.main(
          new String[] {
            "--spring.ai.minimind.model=" + Demo.FOLDER,
            "--spring.ai.minimind.temperature=0",
            "--spring.main.banner-mode=off"
          });
    } finally {
      System.setOut(console);
    }
    List<String> lines =
        printed
            .toString(StandardCharsets.UTF_8)
            .lines()
            .filter(line -> line.matches("(whole|json|pieces|numbers): .*"))
            .toList();
    assertEquals(4, lines.size(), printed.toString(StandardCharsets.UTF_8));
    assertEquals("whole: " + Demo.ANSWER, lines.get(0));
    assertTrue(lines.get(1).matches("json: \\{\"baker\": ?(true|false)}"), lines.get(1));
    assertEquals(Demo.ANSWER, lines.get(2).replaceAll("pieces: |\\|", ""));
    assertEquals("numbers: 192", lines.get(3));
  }
}
