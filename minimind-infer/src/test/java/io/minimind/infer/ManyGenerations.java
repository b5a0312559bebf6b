package io.minimind.infer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Generates very often, in every way, and prints what memory the process then holds. */
final class ManyGenerations {
  private static final GenerationOptions SHORT = GenerationOptions.defaults().withMaxNewTokens(3);

  private ManyGenerations() {}

  /** Arguments: a model folder, the number of generations. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    int generations = Integer.parseInt(arguments[1]);
    LoadOptions one = LoadOptions.defaults().withThreads(1);
    try (LanguageModel alone = LanguageModel.load(folder, one);
        LanguageModel batched = LanguageModel.load(folder, one.withBatchSize(4))) {
      for (int i = 1; i <= generations; i++) {
        generate(i % 2 == 0 ? alone : batched, i);
        if (i == generations / 5 || i == generations) {
          System.gc();
          System.out.println(residentKilobytes());
        }
      }
    }
  }

  private static void generate(LanguageModel model, int i) {
    switch (i % 5) {
      case 0 -> model.generateAll(List.of("law", "verse", "a"), SHORT);
      case 1 -> {
        try (TextStream abandoned = model.stream("law", SHORT.withMaxNewTokens(50))) {
          abandoned.iterator().next();
        }
      }
      case 2 -> {
        try (Chat chat = model.chat(ChatOptions.defaults().withGeneration(SHORT))) {
          chat.send("law");
          chat.send("verse");
        }
      }
      case 3 -> model.embed("law");
      default -> model.generate("law", SHORT);
    }
  }

  private static long residentKilobytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
