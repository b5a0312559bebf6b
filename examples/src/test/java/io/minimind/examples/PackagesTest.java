package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The structure that docs/architecture.md draws, held against the imports of all modules. */
class PackagesTest {

  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
  private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");
  private static final Pattern IMPORT =
      Pattern.compile("(?m)^import (?:static )?(io\\.minimind(?:\\.[a-z]\\w*)+)\\.[A-Z]");

  @Test
  void noPackageDependsOnItselfByWayOfOthers() throws IOException {
    Map<String, Set<String>> uses = uses();
    assertTrue(uses.get("io.minimind.train").contains("io.minimind.data"), uses::toString);
    // What nothing within depends on can be taken away; a cycle is what remains.
    boolean removed = true;
    while (removed) {
      Set<String> used = new TreeSet<>();
      uses.values().forEach(used::addAll);
      removed = uses.keySet().retainAll(used);
    }
    assertEquals(Map.of(), uses);
  }

  @Test
  void everyPackageSaysWhatItIs() throws IOException {
    List<Path> silent = new ArrayList<>();
    for (Path file : sources()) {
      Path folder = file.getParent();
      boolean named = !folder.endsWith(Path.of("src", "main", "java"));
      if (named && Files.notExists(folder.resolve("package-info.java"))) {
        silent.add(ROOT.relativize(folder));
      }
    }
    assertEquals(List.of(), silent.stream().distinct().toList());
  }

  private static Map<String, Set<String>> uses() throws IOException {
    Map<String, Set<String>> uses = new TreeMap<>();
    for (Path file : sources()) {
      String source = Files.readString(file);
      Matcher name = PACKAGE.matcher(source);
      if (file.endsWith("package-info.java") || !name.find()) {
        continue;
      }
      Set<String> used = uses.computeIfAbsent(name.group(1), unused -> new TreeSet<>());
      IMPORT.matcher(source).results().map(found -> found.group(1)).forEach(used::add);
      used.remove(name.group(1));
    }
    return uses;
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> file.toString().replace('\\', '/').contains("/src/main/java/"))
          .filter(file -> !file.toString().contains("target"))
          .toList();
    }
  }
}
