package io.minimind.application;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.infer.LanguageModel;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

  /** Every type that a class of ours names can be found: nothing needs what applications lack. */
  @Test
  void everyClassOnTheClassPathCanBeLinked() throws Exception {
    List<String> unlinkable = new ArrayList<>();
    int linked = 0;
    for (Class<?> module : List.of(Tokenizer.class, LanguageModel.class)) {
      Path place = Path.of(module.getProtectionDomain().getCodeSource().getLocation().toURI());
      for (String name : classes(place)) {
        try {
          Class<?> found = Class.forName(name, false, getClass().getClassLoader());
          found.getDeclaredMethods();
          found.getDeclaredFields();
          found.getDeclaredConstructors();
          linked++;
        } catch (LinkageError e) {
          unlinkable.add(name + ": " + e);
        }
      }
    }
    assertEquals(List.of(), unlinkable);
    assertTrue(linked > 200, "found " + linked);
  }

  private static List<String> classes(Path place) throws IOException {
    if (Files.isDirectory(place)) {
      return classesBelow(place);
    }
    try (FileSystem jar = FileSystems.newFileSystem(place)) {
      return classesBelow(jar.getPath("/"));
    }
  }

  private static List<String> classesBelow(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .map(file -> root.relativize(file).toString())
          .filter(file -> file.endsWith(".class") && !file.endsWith("-info.class"))
          .map(file -> file.substring(0, file.length() - 6).replace('/', '.').replace('\\', '.'))
          .toList();
    }
  }

  @Test
  void aMissingModelIsASentence() {
    IOException e = assertThrows(IOException.class, () -> Ask.answer(Path.of("nowhere"), "?"));
    assertEquals("There is no model folder at nowhere.", e.getMessage());
  }
}
