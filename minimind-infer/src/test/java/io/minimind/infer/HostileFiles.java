package io.minimind.infer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.TemporaryFolder;
import io.minimind.interchange.ModelImport;
import io.minimind.interchange.WeightFiles;
import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Reads files that are broken or malicious, each as whoever brings a model would, and prints what
 * came of it: the file, the milliseconds that it took, {@code loaded} or {@code refused}, and the
 * sentence.
 */
final class HostileFiles {

  private HostileFiles() {}

  /** Argument: the folder of the set. */
  public static void main(String[] arguments) throws IOException {
    Path set = Path.of(arguments[0]);
    for (JsonNode one : new ObjectMapper().readTree(set.resolve("hostile/index.json").toFile())) {
      String file = one.path("file").asText();
      long start = time();
      String outcome = read(set.resolve(file));
      System.out.printf("%s\t%d\t%s%n", file, (time() - start) / 1_000_000, outcome);
    }
  }

  /** Of this thread alone: other programs may use the machine. */
  private static long time() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static String read(Path source) {
    try {
      if (Files.isDirectory(source)) {
        try (TemporaryFolder folder = TemporaryFolder.create()) {
          ModelImport.from(source).to(folder.path());
        }
      } else {
        float[] some = new float[4096];
        Map<String, StreamedTensor> tensors = WeightFiles.open(source);
        for (StreamedTensor tensor : tensors.values()) {
          tensor.values().read(0, some, 0, (int) Math.min(some.length, tensor.elements()));
        }
      }
      return "loaded\t";
    } catch (IOException e) {
      return "refused\t" + e.getMessage().replaceAll("\\s", " ");
    }
  }
}
