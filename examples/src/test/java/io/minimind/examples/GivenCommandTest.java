package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class GivenCommandTest {

  @Test
  void aShellReadsTheWordsAsTheyWere() throws Exception {
    assumeTrue(Files.exists(Path.of("/bin/sh")), "There is no /bin/sh.");
    List<String> words = List.of("--out=a/b_1.csv", "two words", "it's", "$HOME", "*", "", "a\\b");
    String line = words.stream().map(GivenCommand::quoted).collect(Collectors.joining(" "));
    Process shell = new ProcessBuilder("/bin/sh", "-c", "printf '%s\\n' " + line).start();
    String read = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(words, read.lines().toList());
    assertEquals("--out=a/b_1.csv", GivenCommand.quoted("--out=a/b_1.csv"));
  }
}
