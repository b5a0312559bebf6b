package io.minimind.infer;

import java.io.IOException;
import java.nio.file.Path;

/** Loads a model and writes a few tokens, or says in a sentence why that cannot be. */
final class LoadOnce {
  private LoadOnce() {}

  /** The argument is a folder, or {@code classpath:} and the name of a packaged model. */
  public static void main(String[] arguments) {
    String prefix = "classpath:";
    String name = arguments[0];
    try (LanguageModel model =
        name.startsWith(prefix)
            ? LanguageModel.fromClasspath(name.substring(prefix.length()))
            : LanguageModel.load(Path.of(name))) {
      Generation answer = model.generate("law", GenerationOptions.greedy().withMaxNewTokens(4));
      System.out.println("tokens " + answer.tokenIds().length);
    } catch (IOException | RuntimeException e) {
      System.out.println(e.getMessage());
    }
  }
}
