package io.minimind.application;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ApplicationTest {

  @Test
  void infersDependenciesAreOnnxRuntimeJacksonAndText() throws IOException {
    String tree = Files.readString(Path.of("target", "dependency-tree.txt"));
    System.out.println(tree);
    Set<String> found =
        Pattern.compile("[+\\\\]- ([^:]+:[^:]+):jar")
            .matcher(tree)
            .results()
            .map(result -> result.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> needed =
        Set.of(
            "io.minimind:minimind-infer",
            "io.minimind:minimind-text",
            "com.microsoft.onnxruntime:onnxruntime",
            "com.fasterxml.jackson.core:jackson-databind",
            "com.fasterxml.jackson.core:jackson-core",
            "com.fasterxml.jackson.core:jackson-annotations");
    assertEquals(new TreeSet<>(needed), found);
  }

  @Test
  void aMissingModelIsASentence() {
    IOException e = assertThrows(IOException.class, () -> Ask.answer(Path.of("nowhere"), "?"));
    assertEquals("There is no model folder at nowhere.", e.getMessage());
  }
}
