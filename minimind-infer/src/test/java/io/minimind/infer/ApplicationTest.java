package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.minimind.files.JavaProcess;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApplicationTest {
  private static final Pattern NEEDED =
      Pattern.compile(
          ".*(classes|minimind-[a-z]+-[^/\\\\]*\\.jar|jackson-[^/\\\\]*|onnxruntime[^/\\\\]*)");

  @TempDir private Path folder;

  @Test
  void everythingWorksWithOnnxRuntimeJacksonAndCoreAlone() throws Exception {
    ExportedModel.write(folder.resolve("model"));
    Files.writeString(
        folder.resolve("model").resolve("chat_template.jinja"),
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] }};{% endfor %}");
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(element -> NEEDED.matcher(element).matches())
            .collect(Collectors.joining(File.pathSeparator));
    assertFalse(classPath.contains("protobuf") || classPath.contains("flatbuffers"), classPath);
    JavaProcess.Result result =
        JavaProcess.of(Application.class, folder.resolve("model"))
            .with("--enable-native-access=ALL-UNNAMED")
            .on(classPath)
            .run();
    List<String> lines = result.output().lines().toList();
    assertEquals(0, result.status(), result.output());
    for (String line : lines.subList(0, 5)) {
      assertEquals("10 LENGTH", line);
    }
    assertEquals(6, lines.size());
  }
}
