package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Turns token ids back into text. */
@Command(
    name = "decode",
    description = {
      "Prints the text of token ids, to the byte; only on a terminal a line break is added.",
      "The ids are separated by whitespace or commas; what follows a tab in a line is passed over."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class DecodeIds implements Callable<Integer> {

  @Mixin private TokenizerOption tokenizerOption;

  @Mixin private InputText input;

  public static void main(String[] args) {
    MiniMind.run(new DecodeIds(), args);
  }

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = tokenizerOption.load();
    String[] words = input.read().replaceAll("\\t[^\n]*", " ").strip().split("[\\s,]+");
    int[] ids = new int[words[0].isEmpty() ? 0 : words.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = id(words[i]);
    }
    System.out.print(tokenizer.decode(ids));
    if (System.console() != null) {
      System.out.println();
    }
    System.out.flush();
    return 0;
  }

  private static int id(String word) {
    try {
      return Integer.parseInt(word);
    } catch (NumberFormatException e) {
      throw new ArgumentException(
          "\"%s\" is no token id: expected whole numbers such as 1 345 2.".formatted(word), e);
    }
  }
}
