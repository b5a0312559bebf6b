package io.minimind.infer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Uses everything that an application can, in a process that has only what an application has. */
final class Application {
  private Application() {}

  /** Argument: a model folder. */
  public static void main(String[] arguments) throws IOException {
    GenerationOptions options = GenerationOptions.greedy().withMaxNewTokens(10);
    LoadOptions batching = LoadOptions.defaults().withBatchSize(2);
    try (LanguageModel model = LanguageModel.load(Path.of(arguments[0]), batching);
        Chat chat = model.chat(ChatOptions.defaults().withGeneration(options))) {
      print(model.generate("law", options));
      model.generateAll(List.of("law", "verse"), options).forEach(Application::print);
      print(chat.send("law").generation());
      print(chat.send("verse").generation());
      System.out.println(model.perplexity("law") + " " + model.embed("law").length);
    }
  }

  private static void print(Generation generation) {
    System.out.println(generation.tokenIds().length + " " + generation.finishReason());
  }
}
