package io.minimind.langchain4j.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class HarbourTest {

  @Test
  void theApplicationRuns() throws Exception {
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Harbour.main(new String[] {"../../models/minimind-demo"});
    } finally {
      System.setOut(console);
    }
    List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(5, lines.size(), lines.toString());
    String answer = "白婶是麦香面包房的主人，全镇的面包都是她烤的。";
    assertEquals("whole: " + answer, lines.get(0));
    assertTrue(lines.get(1).matches("tool: \\{\"day\":\"(today|tomorrow)\"}"), lines.get(1));
    assertTrue(lines.get(2).matches("json: \\{\"baker\": ?(true|false)}"), lines.get(2));
    String pieces = lines.get(3).replaceAll("pieces: |\\|| \\d+ tokens", "");
    assertEquals(answer, pieces);
    assertTrue(lines.get(4).compareTo("alike: 0.90") > 0, lines.get(4));
  }
}
