package io.minimind.application;

import io.minimind.infer.Chat;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.nio.file.Path;

/** Asks a model something: the smallest application there is. */
public final class Ask {
  private Ask() {}

  /**
   * @param arguments a model folder and a question
   */
  public static void main(String[] arguments) throws IOException {
    System.out.println(answer(Path.of(arguments[0]), arguments[1]));
  }

  static String answer(Path folder, String question) throws IOException {
    try (LanguageModel model = LanguageModel.load(folder);
        Chat chat = model.chat()) {
      return chat.send(question).text();
    }
  }
}
