package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.JavaProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What a hostile file costs: little memory, no time, and a sentence. */
class HostileFilesTest {

  @TempDir Path folder;

  @Test
  void hostileFilesAreRefusedAtOnceInLittleMemory() throws Exception {
    Path set = ReferenceModelsTest.set();
    Assumptions.assumeTrue(set != null, "there is no folder shared/golden-models");
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    JavaProcess.Result result =
        JavaProcess.of(HostileFiles.class, set.toAbsolutePath())
            .with("-Xmx256m", "-XX:MaxDirectMemorySize=32m", "-Djava.io.tmpdir=" + temporary)
            .run();
    assertEquals(0, result.status(), result.output());
    Map<String, String[]> outcomes = new HashMap<>();
    result.output().lines().map(line -> line.split("\t", 4)).forEach(a -> outcomes.put(a[0], a));
    List<Executable> checks = new ArrayList<>();
    for (JsonNode one : new ObjectMapper().readTree(set.resolve("hostile/index.json").toFile())) {
      String file = one.path("file").asText();
      checks.add(() -> check(file, one.path("must").asText(), outcomes.get(file)));
    }
    assertAll(checks);
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList(), "nothing is left behind");
    }
    assertFalse(Files.exists(Path.of("hostile-was-executed.txt")), "code was run");
  }

  private static void check(String file, String must, String[] outcome) {
    if (must.equals("refuse") || must.equals("load")) {
      assertEquals(must.equals("load") ? "loaded" : "refused", outcome[2], file);
    }
    assertTrue(Integer.parseInt(outcome[1]) < 1000, file + " took " + outcome[1] + " ms");
    if (outcome[2].equals("refused")) {
      String sentence = outcome[3];
      assertTrue(sentence.endsWith(".") && sentence.length() < 600, sentence);
      assertFalse(sentence.contains("java."), sentence);
    }
  }
}
